-- Appends events of a running attempt, and shows how far it is in the record. Safe to repeat with
-- the same number.
-- ARGV: 1 nonce, 2 progress (JSON, or empty to leave the record alone), 3 changed channel, 4 id,
--       5 number of the first event in its attempt, from 1, then for each event its type and its
--       data (JSON)
-- Returns: OK | CANCEL | FENCED
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'told', 'cancel', 'echo', 'attempt')
if known[1] ~= 'processing' or known[2] ~= ARGV[1] then
  return 'FENCED'
end
local told, number = tonumber(known[3] or 0), tonumber(ARGV[5]) - 1
for i = 6, #ARGV, 2 do
  number = number + 1
  -- A repeat, its first answer lost on the way, is not told twice.
  if number > told then
    append_event(ARGV[i], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[2], 'told', math.max(told, number))
if ARGV[2] ~= '' then
  -- The claim has seen to it that it lives for long enough.
  local record = record_of('processing', 'null', known[5], known[6], ',"progress":' .. ARGV[2])
  redis.call('SET', KEYS[1], record, 'KEEPTTL')
end
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' processing')
if known[4] then
  return 'CANCEL'
end
return 'OK'
