-- Accepts jobs under fresh ids and gives each its hint: register, create and push in one, where one
-- server has all their keys.
-- KEYS: 1 live, 2 callbacks, 3 seq, 4-9 of each mode its pending and its queue, then of each job its
--       record and its control hash
-- ARGV: of each job 1-10 of begin.lua, 11 id, 12 ms until it must have ended, 13 number of its mode from 1
-- Returns: how many hints there are in all queues, of each job CREATED | EXISTS | CONFLICT, with
-- spaces between them: a client reads one text sooner than a list
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
    -- It comes twice in this call, and its job is not there yet.
    known = digests[id] == digest and 'EXISTS' or 'CONFLICT'
  end
  if not known then
    digests[id] = digest
    note(live, now + ARGV[given + 8], id)
    if ARGV[given + 9] ~= '' then
      -- `forget` brings it forward when the job ends; this time is the net under that.
      note(callbacks, now + ARGV[given + 12], id)
    end
    table.insert(fresh[tonumber(ARGV[given + 13])], id)
  end
  outcomes[#outcomes + 1] = known or 'CREATED'
end
-- The lists before the jobs: where a key of a list is damaged, this ends here, and is done again from
-- its beginning once the key is out of the way.
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
