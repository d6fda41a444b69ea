-- A call with the outcome of a job has failed. Counts only while there is somebody to be told: a
-- hash that has expired must not come back without an expiry.
-- Returns: calls that failed so far | 0
if redis.call('HEXISTS', KEYS[2], 'callback') == 0 then
  return 0
end
return redis.call('HINCRBY', KEYS[2], 'failed_calls', 1)
