-- Credit checks for wrk, each with a key and an order of its own.
-- wrk … -s check.lua <url> -- <path> <api key> <customer prefix> <customers> <run>

local path, prefix, customers, run
local headers, sent = {}, 0

function init(args)
  path, prefix, customers, run = args[1], args[3], tonumber(args[4]), args[5]
  math.randomseed(20260302)
  headers["Authorization"] = "Bearer " .. args[2]
  headers["Content-Type"] = "application/json"
end

function request()
  sent = sent + 1
  headers["Idempotency-Key"] = run .. "-" .. sent
  return wrk.format("POST", path, headers, string.format(
    '{"customer_id":"%s%d","order_ref":"%s-%d","amount":"100.00","currency":"CNY"}',
    prefix, math.random(1, customers), run, sent))
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.6f, "p50": %.1f, "p99": %.1f, "errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
