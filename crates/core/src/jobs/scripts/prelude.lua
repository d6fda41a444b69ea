-- Shared by the job scripts. KEYS[1] = record, KEYS[2] = control hash, KEYS[3] = event stream; but for
-- accept.lua, which has keys of its own and uses nothing here that names KEYS.
-- JSON is never decoded here: fragments arrive ready-made and are only joined.

local function field(name)
  return redis.call('HGET', KEYS[2], name)
end

-- How long what is kept beside the record lives.
local function keep_for(seconds)
  redis.call('EXPIRE', KEYS[2], seconds)
  redis.call('EXPIRE', KEYS[3], seconds)
end

-- The record of a job that has no result (yet). `error` is a JSON string or null, `extra` is empty
-- or more members, each with a comma before it.
local function record_of(status, error, echo, attempt, extra)
  return '{"status":"' .. status .. '","result":null,"error":' .. error .. ',' .. echo
    .. ',"attempt":' .. attempt .. extra .. ',"version":1}'
end

-- Writes it, to live for so many seconds.
local function write_record(status, error, extra, seconds)
  local known = redis.call('HMGET', KEYS[2], 'echo', 'attempt')
  redis.call('SET', KEYS[1], record_of(status, error, known[1], known[2], extra), 'EX', seconds)
end

local function append_event(kind, data)
  return redis.call('XADD', KEYS[3], 'MAXLEN', '~', 8192, '*', 'type', kind, 'data', data)
end

-- Appends an event of the job's own life. `members` is empty or JSON members, each with a comma
-- before it.
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
