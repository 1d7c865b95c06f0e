-- wrk's script: POSTs the lines of BODIES in turn (a batch: the whole file), and says on its last line what came of it.

local requests, next_request = {}, 0

function init(_)
  local headers = { ["X-API-Key"] = os.getenv("API_KEY"), ["Content-Type"] = "application/json" }
  local file = assert(io.open(os.getenv("BODIES"), "rb"))
  if os.getenv("WHOLE") then
    requests[1] = wrk.format("POST", nil, headers, file:read("*a"))
  else
    for line in file:lines() do
      requests[#requests + 1] = wrk.format("POST", nil, headers, line)
    end
  end
  file:close()
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "p50_seconds": %f, "p99_seconds": %f, "failed": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
