-- Adds jobs to the set of those that were lost with one worker process. The first sweeper finds all
-- of them, a later one only those that are not recovered yet.
-- KEYS: 1 lost jobs   {search}:lost:<process>
-- ARGV: 1 most names
--       2 TTL (s)
--       3 … short names of jobs
-- Returns: the names in the set; `+` stands for unnamed jobs
for i = 3, #ARGV do
  local is_full = redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[1])
  redis.call('SADD', KEYS[1], is_full and '+' or ARGV[i])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.call('SMEMBERS', KEYS[1])
