-- lua.assign <backend> <users> <expiry>: gives every client address a server of <backend>, at most
-- <users> of them each, for as long as the address was seen within <expiry> seconds. Sets txn.server;
-- leaves it unset when all are full. A user whose server is down moves.
local server_of, seen, users_of = {}, {}, {}

local function release(client)
  local server = server_of[client]
  users_of[server] = users_of[server] - 1
  server_of[client], seen[client] = nil, nil
end

local function is_up(backend, name)
  local server = core.backends[backend].servers[name]
  return server ~= nil and server:get_stats()["status"] ~= "DOWN"
end

local function idlest(backend, limit)
  local best, least
  for name in pairs(core.backends[backend].servers) do
    local count = users_of[name] or 0
    if count < limit and is_up(backend, name) and (not least or count < least or count == least and name < best) then
      best, least = name, count
    end
  end
  return best
end

core.register_action("assign", { "tcp-req" }, function(txn, backend, limit, expiry)
  local now, client = core.now().sec, txn.sf:src()
  for other, last in pairs(seen) do
    if now - last > tonumber(expiry) then release(other) end
  end
  if server_of[client] and not is_up(backend, server_of[client]) then release(client) end
  if not server_of[client] then
    local server = idlest(backend, tonumber(limit))
    if not server then
      core.Warning("all servers are full, " .. client .. " is turned away")
      return
    end
    server_of[client] = server
    users_of[server] = (users_of[server] or 0) + 1
    core.Info(client .. " is assigned to " .. server)
  end
  seen[client] = now
  txn:set_var("txn.server", server_of[client])
end, 3)
