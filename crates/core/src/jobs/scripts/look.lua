-- Somebody has to look at a job: is its worker lost, is it due, has it waited too long?
--
-- Whoever was alone in a worker that was lost has crashed it. Of several, each is a suspect, and what
-- was lost with it is kept; once no other was there both times, that counts as a crash, too.
--
-- ARGV: 1 most crashes, 2 ms for which expired leases are still spared (0: they count), 3 error of a job whose
--       workers were lost (JSON string), 4 its members, 5 error of a job that waited too long,
--       6 its members, 7 error of a cancelled job, 8 its members, 9 changed channel, 10 id,
--       11 how often it may be lost at all, 12 nonce of the attempt that 13 is about, or empty,
--       13 what was lost with it: names with spaces between, `+` for more than those
-- Returns: {ABSENT} | {ENDED, mode} | {FAILED, mode, why} (just now: cancelled, lost, last_error, expired)
--        | {WAIT, mode, ms} (nothing to do until then)
--        | {DUE, mode, ms} (needs a hint; ms until it has waited too long)
--        | {EXPIRED, mode, nonce, holder, worker} (its worker is lost: look again with its company)
--        | {LOST, mode, ms, crashes, losses, whether this one is a crash (1, 0)} (needs a hint)
--        | {UNKNOWN} (another version's)
local known = redis.call('HMGET', KEYS[2], 'state', 'mode', 'lease', 'not_before', 'expires', 'deadline',
  'cancel', 'last_error', 'last_members', 'nonce', 'holder', 'worker', 'crashes', 'losses', 'company')
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

-- Whether a loss together with `lost` is a crash of its own, and who is still suspected beside it.
local function charge(lost, suspects)
  if lost == '' then
    return true, suspects or ''
  end
  if not suspects or suspects == '' then
    return false, lost
  end
  local some_unknown, others_unknown = string.find(lost, '+', 1, true), string.find(suspects, '+', 1, true)
  if some_unknown or others_unknown then
    -- The culprit may be one of those that are not named.
    return false, some_unknown and suspects or lost
  end
  local both = {}
  for name in string.gmatch(lost, '%S+') do
    if string.find(suspects, name, 1, true) then
      both[#both + 1] = name
    end
  end
  if #both == 0 then
    return true, lost
  end
  return false, table.concat(both, ' ')
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
  if not known[7] and known[10] and ARGV[12] ~= known[10] then
    return { 'EXPIRED', mode, known[10], known[11] or '', known[12] or '' }
  end
  local crashes, losses = tonumber(known[13] or 0), tonumber(known[14] or 0)
  local is_crash, company = charge(ARGV[13], known[15])
  if is_crash then
    crashes = crashes + 1
  else
    losses = losses + 1
  end
  redis.call('HSET', KEYS[2], 'crashes', crashes, 'losses', losses, 'company', company)
  redis.call('HDEL', KEYS[2], 'nonce', 'worker', 'lease', 'holder', 'budget_end')
  if known[7] then
    return failed(ARGV[7], ARGV[8], 'cancelled')
  end
  if crashes > tonumber(ARGV[1]) or crashes + losses > tonumber(ARGV[11]) or now >= tonumber(known[6]) then
    return failed(ARGV[3], ARGV[4], 'lost')
  end
  redis.call('HSET', KEYS[2], 'state', 'pending', 'not_before', 0)
  write_record('pending', 'null', '', field('live_ttl'))
  append_turn('retry', ',"error":' .. ARGV[3] .. ',"pause_ms":0')
  keep_for(field('live_ttl'))
  redis.call('PUBLISH', ARGV[9], ARGV[10] .. ' pending')
  return { 'LOST', mode, known[6] - now, crashes, losses, is_crash and 1 or 0 }
end
if state == 'completed' or state == 'failed' then
  return { 'ENDED', mode }
end
if state ~= 'pending' then
  return { 'UNKNOWN' }
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
