-- Shared by the job scripts. JSON is never decoded: scripts only join ready-made fragments.
-- KEYS: 1 record         search_job:<id>
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev
-- enqueue.lua has other KEYS and uses only the functions that read none.

local function field(name)
  return redis.call('HGET', KEYS[2], name)
end

-- Sets the TTL of the control hash and the events.
local function keep_for(seconds)
  redis.call('EXPIRE', KEYS[2], seconds)
  redis.call('EXPIRE', KEYS[3], seconds)
end

-- The record of a job without a result. `error` is a JSON string or null; `extra` is empty or JSON
-- members, each after a comma.
local function record_of(status, error, echo, attempt, extra)
  return '{"status":"' .. status .. '","result":null,"error":' .. error .. ',' .. echo
    .. ',"attempt":' .. attempt .. extra .. ',"version":1}'
end

-- Writes such a record with a TTL in seconds.
local function write_record(status, error, extra, seconds)
  local known = redis.call('HMGET', KEYS[2], 'echo', 'attempt')
  redis.call('SET', KEYS[1], record_of(status, error, known[1], known[2], extra), 'EX', seconds)
end

local function append_event(kind, data)
  return redis.call('XADD', KEYS[3], 'MAXLEN', '~', 8192, '*', 'type', kind, 'data', data)
end

-- Appends a lifecycle event. `members` is empty or JSON members, each after a comma.
local function append_turn(kind, members)
  return append_event(kind, '{"type":"' .. kind .. '"' .. members .. '}')
end

-- Ends a job without a result.
local function end_failed(error, extra)
  redis.call('HSET', KEYS[2], 'state', 'failed')
  redis.call('HDEL', KEYS[2], 'lease')
  local ttl = field('ttl')
  write_record('failed', error, extra .. ',"ended_ms":' .. now_ms(), ttl)
  append_turn('failed', ',"error":' .. error .. extra)
  keep_for(ttl)
end
