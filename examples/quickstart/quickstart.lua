-- The demo servers, the action that picks among them, and the facts the page draws.

local load_of = { amber = 20, birch = 50, cedar = 80 }  -- per cent, wanders about
local served = { amber = 0, birch = 0, cedar = 0 }

core.register_task(function()
  while true do
    for name, load in pairs(load_of) do
      load_of[name] = math.max(1, math.min(99, load + math.random(-15, 15)))
    end
    core.msleep(700)
  end
end)

local function answer(applet, content_type, body)
  applet:set_status(200)
  applet:add_header("content-type", content_type)
  applet:add_header("content-length", #body)
  applet:start_response()
  applet:send(body)
end

-- One service plays all three servers: the frontend it runs in is the server's name.
core.register_service("demo_server", "http", function(applet)
  local name = applet.f:fe_name()
  if applet.path == "/load" then
    return answer(applet, "text/plain", tostring(load_of[name]))
  end
  served[name] = served[name] + 1
  core.msleep(load_of[name])  -- a busy server is a slow one
  answer(applet, "text/plain", "hello from " .. name .. ", which is " .. load_of[name] .. " % busy\n")
end)

-- Asks every live server of a backend for its load and leaves the idlest one's name in a variable.
core.register_action("pick_idlest", { "http-req" }, function(txn, backend)
  local best, least, seen = nil, math.huge, {}
  for name, server in pairs(core.backends[backend].servers) do
    if server:get_stats()["status"] ~= "DOWN" then
      local response = core.httpclient():get {
        url = "http://" .. name .. "/load",
        dst = "abns@moongate-quickstart-" .. name,
        timeout = 500,
      }
      local load = response and tonumber(response.body)
      if load then
        seen[#seen + 1] = name .. "=" .. load
        if load < least then best, least = name, load end
      end
    end
  end
  table.sort(seen)
  if best then txn:set_var("txn.server", best) end
  txn:set_var("txn.why", table.concat(seen, " "))
end, 1)

-- What the page shows: load, requests served and sessions of every server.
core.register_service("facts", "http", function(applet)
  local rows = {}
  for name, server in pairs(core.backends["shop"].servers) do
    local stats = server:get_stats()
    rows[#rows + 1] = string.format('{"name":"%s","load":%d,"served":%d,"sessions":%d,"status":"%s"}',
      name, load_of[name], served[name], stats["scur"], stats["status"])
  end
  table.sort(rows)
  answer(applet, "application/json", "[" .. table.concat(rows, ",") .. "]\n")
end)
