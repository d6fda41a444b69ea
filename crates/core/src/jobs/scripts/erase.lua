-- Takes an ended job out of Redis, and notes that, for whoever is just storing it in the history.
-- KEYS: 4 the note.  ARGV: 1 how long the note lives (s), 2 how long when there was nothing (s)
-- Returns: ERASED | ABSENT | RUNNING
local state = field('state')
if state == 'pending' or state == 'processing' then
  return 'RUNNING'
end
-- A record of the old service has no control hash.
if redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) > 0 then
  redis.call('SET', KEYS[4], 'deleted', 'EX', ARGV[1])
  return 'ERASED'
end
-- Its record may have expired while it was being stored. Anybody may ask for ids that never were, so
-- this must not stay for long; nor may it cut short the note on one that was.
redis.call('SET', KEYS[4], 'deleted', 'EX', ARGV[2], 'NX')
return 'ABSENT'
