-- Writes a new job: absent → pending.
-- KEYS: of the prelude.
-- ARGV: 1 mode, 2 request, 3 digest of the request, 4 echo (JSON members that every record repeats),
--       5 ttl of an ended record (s), 6 ttl until then (s), 7 running time (ms), 8 longest wait (ms),
--       9 changed channel, 10 id, 11 whom to tell the outcome, or empty,
--       12 whose it is, or empty
local function begin(now)
  local fields = { 'state', 'pending', 'attempt', 0, 'crashes', 0, 'not_before', 0, 'mode', ARGV[1],
    'request', ARGV[2], 'digest', ARGV[3], 'echo', ARGV[4], 'ttl', ARGV[5], 'live_ttl', ARGV[6],
    'running_time', ARGV[7], 'created', now, 'expires', now + ARGV[8] }
  local function add(name, value)
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  add('callback', ARGV[11])
  add('owner', ARGV[12])
  redis.call('HSET', KEYS[2], unpack(fields))
  redis.call('SET', KEYS[1], record_of('pending', 'null', ARGV[4], 0, ''), 'EX', ARGV[6])
  append_turn('queued', '')
  keep_for(ARGV[6])
  redis.call('PUBLISH', ARGV[9], ARGV[10] .. ' pending')
end

-- What an id that is known already says to a request; nil for a fresh one.
local function known_as()
  local digest = field('digest')
  return digest and (digest == ARGV[3] and 'EXISTS' or 'CONFLICT')
end
