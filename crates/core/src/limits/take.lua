-- Behind clock.lua. One request of one caller, by the virtual scheduling form of the generic cell
-- rate algorithm (ITU-T Recommendation I.371, annex A).
--
-- KEYS[1]  the caller: when their next request would be due if they came evenly (ms)
-- ARGV[1]  requests a window
-- ARGV[2]  the window (ms)
-- Returns  {whether the request may pass (1 or 0), requests that may follow at once,
--           ms until the whole allowance is there again, ms until one may pass (0: this one may)}

local now = now_ms()
local limit = tonumber(ARGV[1])
local window = tonumber(ARGV[2])
local interval = window / limit

-- Never further ahead than the rules allow: a clock that was set back would lock the caller out.
local due = tonumber(redis.call('GET', KEYS[1])) or now
due = math.min(math.max(due, now), now + window)

-- All requests of a window may come at once: the last of them is then due `window - interval` from now.
local early = due - now - (window - interval)
-- Less than the clock can tell apart is rounding.
if early > 0.5 then
  return { 0, 0, math.ceil(due - now), math.ceil(early) }
end

due = due + interval
-- Lua would write fourteen digits, and the time has sixteen.
redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.max(1, math.ceil(due - now)))
local left = math.floor((now + window - due) / interval + 0.001)
return { 1, math.max(0, left), math.ceil(due - now), 0 }
