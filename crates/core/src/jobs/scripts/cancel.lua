-- A client wants a job to stop: pending → failed at once, processing → flag for its worker.
-- ARGV: 1 error (JSON string), 2 more members, 3 changed channel, 4 cancelled channel, 5 id,
--       6 nonce: the same call again gets the same answer
-- Returns: {CANCELLED, mode} | {FLAGGED} | {ENDED} | {ABSENT}
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
