-- Sends the requests of the file named in LOAD_REQUESTS (each ended by a zero byte), one at random each time.
local requests = {}

init = function()
  local file = assert(io.open(os.getenv("LOAD_REQUESTS"), "rb"))
  local text = file:read("*a")
  file:close()
  local start = 1
  while true do
    local stop = text:find("\0", start, true)
    if not stop then break end
    requests[#requests + 1] = text:sub(start, stop - 1)
    start = stop + 1
  end
  math.randomseed(os.time())
end

request = function()
  return requests[math.random(#requests)]
end

done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("\nFIGURES %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
