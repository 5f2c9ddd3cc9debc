-- KEYS: the answer, and the lease for making it. ARGV: the holder; and, where there is an answer,
-- its text, and how long it is good for in milliseconds.
if ARGV[2] then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
if redis.call('GET', KEYS[2]) == ARGV[1] then
    redis.call('DEL', KEYS[2])
end
