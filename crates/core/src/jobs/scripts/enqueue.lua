-- Stores jobs under fresh ids, indexes them and pushes their queue entries: absent → pending. Only
-- where one server holds all keys; elsewhere register, create and push do the same.
-- KEYS: 1 index of unfinished jobs   {search}:live
--       2 index of callbacks         {search}:callbacks
--       3 last sequence number       {search}:seq
--       4, 6, 8 sequence numbers     {search}:pending:<mode>   for each mode
--       5, 7, 9 queue                {search}:queue:<mode>     for each mode
--       10, 12 … record              search_job:<id>           for each job
--       11, 13 … control hash        {search_job:<id>}:ctl     for each job
-- ARGV, for each job:
--       1-10 as new_job.lua
--       11 id
--       12 upper bound of the job's lifetime (ms)
--       13 number of its mode, from 1
-- Returns: entries in all queues, and one text: for each job CREATED | EXISTS (same id, same
--          request) | CONFLICT (same id, other request), joined by spaces, as clients parse one text
--          faster than a list
local EACH = 13
local now = now_ms()
local outcomes, live, callbacks, fresh, digests = {}, {}, {}, { {}, {}, {} }, {}

local function note(list, score, id)
  list[#list + 1] = score
  list[#list + 1] = id
end

for given = 0, #ARGV - 1, EACH do
  local id, digest = ARGV[given + 11], ARGV[given + 3]
  local known = known_as(KEYS[11 + 2 * given / EACH], given)
  if not known and digests[id] then
    -- The id occurs twice in this call, and its job is not stored yet.
    known = digests[id] == digest and 'EXISTS' or 'CONFLICT'
  end
  if not known then
    digests[id] = digest
    note(live, now + ARGV[given + 8], id)
    if ARGV[given + 9] ~= '' then
      -- update_index.lua brings this forward when the job ends.
      note(callbacks, now + ARGV[given + 12], id)
    end
    table.insert(fresh[tonumber(ARGV[given + 13])], id)
  end
  outcomes[#outcomes + 1] = known or 'CREATED'
end
-- The index and the queues before the jobs: if one of these keys is damaged, the script ends here
-- with no job stored, and the call is repeated once the key is set aside.
if #live > 0 then
  redis.call('ZADD', KEYS[1], unpack(live))
end
if #callbacks > 0 then
  redis.call('ZADD', KEYS[2], unpack(callbacks))
end
local depth = 0
for mode, ids in ipairs(fresh) do
  local pending, queue = KEYS[2 + 2 * mode], KEYS[3 + 2 * mode]
  if #ids > 0 then
    local numbers, last = {}, redis.call('INCRBY', KEYS[3], #ids)
    for place, id in ipairs(ids) do
      note(numbers, last - #ids + place, id)
    end
    redis.call('ZADD', pending, unpack(numbers))
    redis.call('LPUSH', queue, unpack(ids))
  end
  depth = depth + redis.call('LLEN', queue)
end
for place, outcome in ipairs(outcomes) do
  if outcome == 'CREATED' then
    begin(now, KEYS[8 + 2 * place], KEYS[9 + 2 * place], (place - 1) * EACH)
  end
end
return { depth, table.concat(outcomes, ' ') }
