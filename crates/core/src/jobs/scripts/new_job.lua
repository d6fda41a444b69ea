-- Shared by the scripts that store a new job: absent → pending.
-- It writes no event: a stream would be two thirds of the memory of a waiting job, so readers add
-- `queued` themselves. It publishes nothing: subscribers have read the job already, and every API
-- would receive the jobs of all others.
-- KEYS: none by number; the caller passes the names of record and control hash.
-- ARGV, after the first `given`:
--        1 mode
--        2 request
--        3 digest of the request
--        4 JSON members that every record of the job contains
--        5 TTL of the record of an ended job (s)
--        6 TTL until then (s)
--        7 running time (ms)
--        8 longest wait for a worker (ms)
--        9 callback address, or empty
--       10 owner, or empty
local function begin(now, record, control, given)
  local mode, request, digest, echo, ttl, live_ttl, running_time, longest_wait, callback, owner =
    unpack(ARGV, given + 1, given + 10)
  local fields = { 'state', 'pending', 'attempt', '0', 'crashes', '0', 'not_before', '0', 'mode', mode,
    'request', request, 'digest', digest, 'echo', echo, 'ttl', ttl, 'live_ttl', live_ttl,
    'running_time', running_time, 'created', now, 'expires', now + longest_wait }
  local function add(name, value)
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  add('callback', callback)
  add('owner', owner)
  redis.call('HSET', control, unpack(fields))
  redis.call('EXPIRE', control, live_ttl)
  redis.call('SET', record, record_of('pending', 'null', echo, '0', ''), 'EX', live_ttl)
end

-- EXISTS or CONFLICT for an id that is stored already; nil for a fresh one.
local function known_as(control, given)
  local digest = redis.call('HGET', control, 'digest')
  return digest and (digest == ARGV[given + 3] and 'EXISTS' or 'CONFLICT')
end
