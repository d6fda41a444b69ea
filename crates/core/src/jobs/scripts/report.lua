-- Appends events of a running attempt, and writes its progress into the record. Safe to repeat with
-- the same number.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV: 1 nonce
--       2 progress (JSON), or empty to leave the record as it is
--       3 channel search:changed
--       4 id
--       5 number of the first event within the attempt, from 1
--       6, 8 … type of each event
--       7, 9 … data of each event (JSON)
-- Returns: OK | CANCEL (a client has cancelled the job) | FENCED (the attempt no longer holds it)
local known = redis.call('HMGET', KEYS[2], 'state', 'nonce', 'told', 'cancel', 'echo', 'attempt')
if known[1] ~= 'processing' or known[2] ~= ARGV[1] then
  return 'FENCED'
end
local told, number = tonumber(known[3] or 0), tonumber(ARGV[5]) - 1
for i = 6, #ARGV, 2 do
  number = number + 1
  -- A repeat after a lost reply appends nothing twice.
  if number > told then
    append_event(ARGV[i], ARGV[i + 1])
  end
end
redis.call('HSET', KEYS[2], 'told', math.max(told, number))
if ARGV[2] ~= '' then
  -- The claim has set a TTL that is long enough.
  local record = record_of('processing', 'null', known[5], known[6], ',"progress":' .. ARGV[2])
  redis.call('SET', KEYS[1], record, 'KEEPTTL')
end
redis.call('PUBLISH', ARGV[3], ARGV[4] .. ' processing')
if known[4] then
  return 'CANCEL'
end
return 'OK'
