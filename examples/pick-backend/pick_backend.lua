-- lua.pick_backend <prefix> <port>: asks the server of every backend whose name begins with <prefix>
-- for its number of viewers ("GET /viewers" on <port>) and leaves the least busy one's name in
-- txn.backend. All that is found out stays in locals: other connections run this at the same time,
-- each waiting for its own answers.
local function viewers(server, port)
  local address = server:get_addr():match("^(.+):%d+$")
  local socket = core.tcp()
  socket:settimeout(1)
  if not socket:connect(address, port) then return nil end
  socket:send("GET /viewers HTTP/1.0\r\n\r\n")
  local answer = socket:receive("*a")
  socket:close()
  return answer and tonumber(answer:match("(%d+)%s*$"))
end

core.register_action("pick_backend", { "tcp-req", "http-req" }, function(txn, prefix, port)
  local best, least = nil, math.huge
  for name, backend in pairs(core.backends) do
    if name:sub(1, #prefix) == prefix then
      for _, server in pairs(backend.servers) do
        local count = server:get_stats()["status"] ~= "DOWN" and viewers(server, tonumber(port))
        if count and (count < least or count == least and name < best) then best, least = name, count end
      end
    end
  end
  if best then txn:set_var("txn.backend", best) end
end, 2)
