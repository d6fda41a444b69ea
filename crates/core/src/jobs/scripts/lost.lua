-- Behind clock.lua. What was lost with one worker, as far as sweepers have seen it: the first of them
-- sees all, those that come later only what is left.
-- KEYS: 1 lost.  ARGV: 1 how many are named, 2 how long they are kept (s), then names
-- Returns: all that are known; `+` among them for more than those
for i = 3, #ARGV do
  local is_full = redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[1])
  redis.call('SADD', KEYS[1], is_full and '+' or ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('SMEMBERS', KEYS[1])
