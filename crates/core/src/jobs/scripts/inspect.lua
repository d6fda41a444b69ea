-- Checks a job for the sweeper: recovers it when its lease has expired (processing → pending), and
-- ends it when it has crashed too often or has no time left (→ failed).
--
-- A job that was alone in a lost worker has crashed it. Of several jobs each is a suspect: its
-- control hash keeps in `company` which others are suspected beside it. When it is lost again with
-- none of them, that loss counts as a crash, too.
--
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- ARGV:  1 most crashes
--        2 rest of the outage grace (ms); 0: expired leases count
--        3 error of a job whose workers were lost (JSON string)
--        4 further members of its record
--        5 error of a job that waited too long (JSON string)
--        6 further members of its record
--        7 error of a cancelled job (JSON string)
--        8 further members of its record
--        9 channel search:changed
--       10 id
--       11 most losses of any kind
--       12 nonce of the attempt that 13 is about, or empty
--       13 short names of the jobs that were lost together with that attempt, joined by spaces;
--          `+` stands for unnamed ones
-- Returns: {ABSENT} | {ENDED, mode}
--        | {FAILED, mode, cancelled | lost | last_error | expired} (this call has ended it)
--        | {WAIT, mode, ms until the next check}
--        | {DUE, mode, ms until it has waited too long} (pending and due: needs a queue entry)
--        | {EXPIRED, mode, nonce, holder, worker} (the lease has expired: call again with 12 and 13)
--        | {LOST, mode, ms until its deadline, crashes, losses, 1 | 0 (this loss is a crash or not)}
--          (recovered: needs a queue entry)
--        | {UNKNOWN} (in a state of another version)
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

-- Whether a loss together with the jobs `lost` is a crash of this job, and which jobs are suspected
-- beside it from now on.
local function charge(lost, suspects)
  if lost == '' then
    return true, suspects or ''
  end
  if not suspects or suspects == '' then
    return false, lost
  end
  local some_unknown, others_unknown = string.find(lost, '+', 1, true), string.find(suspects, '+', 1, true)
  if some_unknown or others_unknown then
    -- The cause may be one of the unnamed jobs.
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
