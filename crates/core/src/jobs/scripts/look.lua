-- Somebody has to look at a job: is its worker lost, is it due, has it waited too long?
-- ARGV: 1 most crashes, 2 ms for which expired leases are still spared (0: they count), 3 error of a job whose
--       workers were lost (JSON string), 4 its members, 5 error of a job that waited too long,
--       6 its members, 7 error of a cancelled job, 8 its members, 9 changed channel, 10 id
-- Returns: {ABSENT} | {ENDED, mode} | {FAILED, mode, why} (just now: cancelled, lost, last_error, expired)
--        | {WAIT, mode, ms} (nothing to do until then)
--        | {DUE, mode, ms} (needs a hint; ms until it has waited too long)
--        | {LOST, mode, ms} (its worker was lost: needs a hint, before all others)
local known = redis.call('HMGET', KEYS[2], 'state', 'mode', 'lease', 'not_before', 'expires', 'deadline',
  'cancel', 'last_error', 'last_members')
local state, mode = known[1], known[2]
if not state then
  return { 'ABSENT' }
end
local now = now_ms()

local function failed(error, members, why)
  end_failed(error, members)
  redis.call('PUBLISH', ARGV[9], ARGV[10] .. ' failed')
  return { 'FAILED', mode, why }
end

if state == 'processing' then
  local left = known[3] - now
  if left > 0 then
    return { 'WAIT', mode, left }
  end
  local spared = tonumber(ARGV[2])
  if spared > 0 then
    return { 'WAIT', mode, math.min(1000, spared) }
  end
  local crashes = redis.call('HINCRBY', KEYS[2], 'crashes', 1)
  redis.call('HDEL', KEYS[2], 'nonce', 'worker', 'lease', 'budget_end')
  if known[7] then
    return failed(ARGV[7], ARGV[8], 'cancelled')
  end
  if crashes > tonumber(ARGV[1]) or now >= tonumber(known[6]) then
    return failed(ARGV[3], ARGV[4], 'lost')
  end
  redis.call('HSET', KEYS[2], 'state', 'pending', 'not_before', 0)
  write_record('pending', 'null', '', field('live_ttl'))
  append_turn('retry', ',"error":' .. ARGV[3] .. ',"pause_ms":0')
  keep_for(field('live_ttl'))
  redis.call('PUBLISH', ARGV[9], ARGV[10] .. ' pending')
  return { 'LOST', mode, known[6] - now }
end
if state ~= 'pending' then
  return { 'ENDED', mode }
end
local started = known[6]
local limit = tonumber(started or known[5])
if now >= limit then
  if known[8] then
    return failed(known[8], known[9], 'last_error')
  end
  if started then
    return failed(ARGV[3], ARGV[4], 'lost')
  end
  return failed(ARGV[5], ARGV[6], 'expired')
end
local pause = known[4] - now
if pause > 0 then
  return { 'WAIT', mode, pause }
end
return { 'DUE', mode, limit - now }
