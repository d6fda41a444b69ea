-- Accepts a job: absent → pending.
-- KEYS: 4 the note that an earlier job of this id was erased.  ARGV: of begin.lua
-- Returns: CREATED | EXISTS (same id, same request) | CONFLICT (same id, other request)
local known = known_as(KEYS[2], 0)
if known then
  return known
end
redis.call('DEL', KEYS[4])
begin(now_ms(), KEYS[1], KEYS[2], 0)
return 'CREATED'
