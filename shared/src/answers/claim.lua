-- KEYS: the answer, and the lease for making it. ARGV: who asks, and how long a lease is good for
-- in milliseconds. Returns whether the lease is theirs now, and the answer, as of one moment: an
-- answer that was made just now is seen, and not made again.
-- An instance works on a key once at a time, so a lease of its own was left behind by a request
-- that was broken off, and is taken over.
local answer = redis.pcall('GET', KEYS[1])
if type(answer) ~= 'string' then
    answer = false
end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
    return { 0, answer }
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return { 1, answer }
