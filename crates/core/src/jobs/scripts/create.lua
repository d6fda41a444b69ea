-- Accepts a job: absent → pending.
-- KEYS: 4 the note that an earlier job of this id was erased.  ARGV: of begin.lua
-- Returns: CREATED | EXISTS (same id, same request) | CONFLICT (same id, other request)
local known = known_as()
if known then
  return known
end
redis.call('DEL', KEYS[4])
begin(now_ms())
return 'CREATED'
