-- One step of a bucket, atomically; `gcra.rs` has the same arithmetic and explains it.
-- The value is the instant, in microseconds, at which the bucket is full again. No value: full.
local now, refill = tonumber(ARGV[1]), tonumber(ARGV[2])
local window, cost = tonumber(ARGV[3]), tonumber(ARGV[4])
local empty = now + window
local before = tonumber(redis.call('GET', KEYS[1]) or now)
before = math.min(math.max(before, now), empty)

local after = before + cost * refill
if after <= now then
  redis.call('DEL', KEYS[1])
elseif cost ~= 0 and after <= empty then
  redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
end
return before
