-- Cancels a job: pending → failed; a processing job gets a flag for its worker. Safe to repeat with
-- the same nonce.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV: 1 error (JSON string)
--       2 further members of a failed record
--       3 channel search:changed
--       4 channel search:cancelled
--       5 id
--       6 nonce of the cancel: a repeat gets the same reply
-- Returns: {CANCELLED, mode} (it was pending and has ended) | {FLAGGED} (it runs)
--        | {ENDED} (it had ended before) | {ABSENT}
local state = field('state')
if not state then
  return { 'ABSENT' }
end
if state == 'pending' then
  redis.call('HSET', KEYS[2], 'cancel', ARGV[6])
  end_failed(ARGV[1], ARGV[2])
  redis.call('PUBLISH', ARGV[3], ARGV[5] .. ' failed')
  return { 'CANCELLED', field('mode') }
end
if state == 'processing' then
  redis.call('HSET', KEYS[2], 'cancel', ARGV[6])
  redis.call('PUBLISH', ARGV[4], ARGV[5])
  return { 'FLAGGED' }
end
if field('cancel') == ARGV[6] then
  return { 'CANCELLED', field('mode') }
end
return { 'ENDED' }
