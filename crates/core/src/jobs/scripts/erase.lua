-- Takes an ended job out of Redis, and notes that, for whoever is just storing it in the history.
-- KEYS: 4 the note.  ARGV: 1 how long the note lives (s)
-- Returns: ERASED | ABSENT | RUNNING
local state = field('state')
if state == 'pending' or state == 'processing' then
  return 'RUNNING'
end
redis.call('SET', KEYS[4], 'deleted', 'EX', ARGV[1])
-- A record of the old service has no control hash.
if redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) > 0 then
  return 'ERASED'
end
return 'ABSENT'
