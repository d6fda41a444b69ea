-- Stores a new job: absent → pending.
-- KEYS: 1 record                   search_job:<id>
--       2 control hash             {search_job:<id>}:ctl
--       3 event stream             {search_job:<id>}:ev   (not used)
--       4 mark of an erased job    {search_job:<id>}:erased
-- ARGV: 1-10 as new_job.lua
-- Returns: CREATED | EXISTS (same id, same request) | CONFLICT (same id, other request)
local known = known_as(KEYS[2], 0)
if known then
  return known
end
redis.call('DEL', KEYS[4])
begin(now_ms(), KEYS[1], KEYS[2], 0)
return 'CREATED'
