-- Appends an event of a running attempt, and shows how far it is in the record. Safe to repeat with
-- the same number.
-- ARGV: 1 nonce, 2 event type, 3 event data (JSON), 4 progress (JSON, or empty to leave the record
--       alone), 5 changed channel, 6 id, 7 number of the event in its attempt, from 1
-- Returns: OK | CANCEL | FENCED
if field('state') ~= 'processing' or field('nonce') ~= ARGV[1] then
  return 'FENCED'
end
-- A repeat, its first answer lost on the way, is not told twice.
if tonumber(ARGV[7]) > tonumber(field('told') or 0) then
  redis.call('HSET', KEYS[2], 'told', ARGV[7])
  append_event(ARGV[2], ARGV[3])
end
if ARGV[4] ~= '' then
  write_record('processing', 'null', ',"progress":' .. ARGV[4])
end
keep_for(field('live_ttl'))
redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' processing')
if field('cancel') then
  return 'CANCEL'
end
return 'OK'
