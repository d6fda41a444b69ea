-- Appends an event of a running attempt, and shows how far it is in the record. Safe to repeat with
-- the same number.
-- ARGV: 1 nonce, 2 event type, 3 event data (JSON), 4 progress (JSON, or empty to leave the record
--       alone), 5 changed channel, 6 id, 7 number of the event in its attempt, from 1
-- Returns: OK | CANCEL | FENCED
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'told', 'cancel', 'echo', 'attempt')
if known[1] ~= 'processing' or known[2] ~= ARGV[1] then
  return 'FENCED'
end
-- A repeat, its first answer lost on the way, is not told twice.
if tonumber(ARGV[7]) > tonumber(known[3] or 0) then
  redis.call('HSET', KEYS[2], 'told', ARGV[7])
  append_event(ARGV[2], ARGV[3])
end
if ARGV[4] ~= '' then
  -- The claim has seen to it that it lives for long enough.
  local record = record_of('processing', 'null', known[5], known[6], ',"progress":' .. ARGV[4])
  redis.call('SET', KEYS[1], record, 'KEEPTTL')
end
redis.call('PUBLISH', ARGV[5], ARGV[6] .. ' processing')
if known[4] then
  return 'CANCEL'
end
return 'OK'
