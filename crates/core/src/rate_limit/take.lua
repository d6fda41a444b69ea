-- Counts one request of one caller, by the virtual scheduling form of the generic cell rate
-- algorithm (ITU-T Recommendation I.371, annex A). Needs clock.lua in front of it.
--
-- KEYS[1]  search_limit:<digest>: due time of the caller's next request at an even rate (ms)
-- ARGV[1]  requests in a window
-- ARGV[2]  the window (ms)
-- Returns  {whether the request may pass (1 or 0), requests that may still be sent at once,
--           ms until the whole allowance is back, ms until the next may pass (0 if this one may)}

local now = now_ms()
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2])
local interval = window / limit

-- At most one window ahead: otherwise a clock that is set back would lock the caller out.
local due = tonumber(redis.call('GET', KEYS[1])) or now
due = math.min(math.max(due, now), now + window)

-- All requests of a window may come at once; the last is then due `window - interval` from now.
local early = due - now - (window - interval)
-- Less than the resolution of the clock is a rounding error.
if early > 0.5 then
  return { 0, 0, math.ceil(due - now), math.ceil(early) }
end

due = due + interval
-- Lua's default format has 14 digits; the time needs 16.
redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.max(1, math.ceil(due - now)))
local left = math.floor((now + window - due) / interval + 0.001)
return { 1, math.max(0, left), math.ceil(due - now), 0 }
