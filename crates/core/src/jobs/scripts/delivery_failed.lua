-- Counts a failed delivery of a callback. Only while the job has an address: HINCRBY would create an
-- expired hash anew, without a TTL.
-- KEYS: 1 record         search_job:<id>         (not used)
--       2 control hash   {search_job:<id>}:ctl
--       3 event stream   {search_job:<id>}:ev    (not used)
-- ARGV: none
-- Returns: failed deliveries so far | 0 (no address)
if redis.call('HEXISTS', KEYS[2], 'callback') == 0 then
  return 0
end
return redis.call('HINCRBY', KEYS[2], 'failed_calls', 1)
