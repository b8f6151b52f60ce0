-- Requests for one coupon. Arguments after `--`: path, prefix of the user ids, number of different users (0: each request a new one).
local path, prefix, users = nil, nil, 0
local sent = 0

function init(args)
  path, prefix, users = args[1], args[2], tonumber(args[3])
  wrk.method = 'POST'
  wrk.headers['Content-Type'] = 'application/json'
end

function request()
  sent = sent + 1
  local number = users > 0 and sent % users or sent
  return wrk.format(nil, path, nil, '{"userId":"' .. prefix .. number .. '"}')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"p50Us":%d,"p99Us":%d,"refused":%d,"failed":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
