-- Writes a new job: absent → pending. It has no events yet: that it is queued is what their reader
-- makes of its being there, as a stream would be two thirds of what a job takes that waits. Nor is it
-- announced: who waits for a job has seen it, and every API would hear of every other's.
-- ARGV, behind the first `given`:
--       1 mode, 2 request, 3 digest of the request, 4 echo (JSON members that every record repeats),
--       5 ttl of an ended record (s), 6 ttl until then (s), 7 running time (ms), 8 longest wait (ms),
--       9 whom to tell the outcome, or empty, 10 whose it is, or empty
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

-- What an id that is known already says to a request; nil for a fresh one.
local function known_as(control, given)
  local digest = redis.call('HGET', control, 'digest')
  return digest and (digest == ARGV[given + 3] and 'EXISTS' or 'CONFLICT')
end
