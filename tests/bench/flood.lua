-- More credit checks than a server can decide, for wrk: each connection waits before it asks again, and less long while
-- all together have asked for less than they should.
-- wrk … -s flood.lua <url> -- <path> <api key> <customer prefix> <customers> <run> <per second> <connections>

local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds; long nanoseconds; } instant; int clock_gettime(int clock, instant *now);")

local MONOTONIC = 1
local threads, now = {}, ffi.new("instant")

local function seconds()
  ffi.C.clock_gettime(MONOTONIC, now)
  return tonumber(now.seconds) + tonumber(now.nanoseconds) / 1e9
end

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  path, prefix, customers, run = args[1], args[3], tonumber(args[4]), args[5]
  rate, wait, began = tonumber(args[6]), tonumber(args[7]) / tonumber(args[6]), seconds()
  headers, sent = { ["Authorization"] = "Bearer " .. args[2], ["Content-Type"] = "application/json" }, 0
  served, refused, others, untold = 0, 0, 0, 0
  math.randomseed(20260302)
end

function delay()
  local behind = seconds() - began - sent / rate
  return math.max(0, (2 * wait * math.random() - behind) * 1000)
end

function request()
  sent = sent + 1
  headers["Idempotency-Key"] = run .. "-" .. sent
  return wrk.format("POST", path, headers, string.format(
    '{"customer_id":"%s%d","order_ref":"%s-%d","amount":"100.00","currency":"CNY"}',
    prefix, math.random(1, customers), run, sent))
end

function response(status, headers)
  if status == 201 then
    served = served + 1
  elseif status == 503 then
    refused = refused + 1
    if not headers["retry-after"] then untold = untold + 1 end
  else
    others = others + 1
  end
end

function done(summary)
  local seconds, errors = summary.duration / 1e6, summary.errors
  local total = { sent = 0, served = 0, refused = 0, others = errors.connect + errors.read + errors.write + errors.timeout, untold = 0 }
  for _, thread in ipairs(threads) do
    for name in pairs(total) do total[name] = total[name] + (thread:get(name) or 0) end
  end
  io.write(string.format(
    'RESULT {"offered": %.1f, "served": %.1f, "refused": %d, "others": %d, "without_retry_after": %d}\n',
    total.sent / seconds, total.served / seconds, total.refused, total.others, total.untold))
end
