-- Appends an event of a running attempt, and shows how far it is in the record.
-- ARGV: 1 nonce, 2 event type, 3 event data (JSON), 4 progress (JSON, or empty to leave the record
--       alone), 5 changed channel, 6 id
-- Returns: OK | CANCEL | FENCED
if field('state') ~= 'processing' or field('nonce') ~= ARGV[1] then
  return 'FENCED'
end
append_event(ARGV[2], ARGV[3])
if ARGV[4] ~= '' then
  write_record('processing', 'null', ',"progress":' .. ARGV[4])
end
keep_for(field('live_ttl'))
redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' processing')
if field('cancel') then
  return 'CANCEL'
end
return 'OK'
