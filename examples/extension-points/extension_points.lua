-- One example of each extension point.

-- Fetch: is the number in one variable greater than the number in another?
core.register_fetches("greater_than", function(txn, first, second)
  local a, b = tonumber(txn:get_var(first)), tonumber(txn:get_var(second))
  return a ~= nil and b ~= nil and a > b
end)

-- Fetch: of the backends whose names begin with the frontend's, the one with the fewest sessions.
core.register_fetches("least_sessions", function(txn)
  local prefix = txn.f:fe_name() .. "_"
  local best, least = nil, math.huge
  for name, backend in pairs(core.backends) do
    if name:sub(1, #prefix) == prefix then
      local sessions = 0
      for _, server in pairs(backend.servers) do sessions = sessions + server:get_stats()["scur"] end
      if sessions < least or sessions == least and name < best then best, least = name, sessions end
    end
  end
  return best
end)

-- Converter: percent-encoding, with + for a blank.
core.register_converters("url_encode", function(text)
  local encoded = text:gsub("[^%w%-_%.~ ]", function(c) return string.format("%%%02X", c:byte()) end)
  return (encoded:gsub(" ", "+"))
end)

-- Action: asks a service "may this address come in?" and keeps the answer in txn.allowed.
core.register_action("check_ip", { "http-req" }, function(txn, checker)
  local response = core.httpclient():get { url = "http://" .. checker .. "/" .. txn.sf:src(), timeout = 2000 }
  txn:set_var("txn.allowed", response ~= nil and response.status == 200 and response.body:find("allow") ~= nil)
end, 1)

-- HTTP service: answers by itself.
local answers = { "Reply hazy", "Yes", "No", "Ask again later" }
core.register_service("magic8ball", "http", function(applet)
  local question = applet:receive()
  local body = string.format("%s %s\n", question ~= "" and question or "(no question)", answers[math.random(#answers)])
  applet:set_status(200)
  applet:add_header("content-type", "text/plain")
  applet:add_header("content-length", #body)
  applet:start_response()
  applet:send(body)
end)

-- TCP service: says every line again in capitals, until an empty one.
core.register_service("shout", "tcp", function(applet)
  while true do
    local line = applet:getline()
    if line == nil or line == "" or line == "\n" or line == "\r\n" then return end
    applet:send(line:upper())
  end
end)

-- Task: works beside the traffic from the start on.
local ticks = 0
core.register_task(function()
  while true do
    ticks = ticks + 1
    core.msleep(100)
  end
end)
core.register_fetches("ticks", function() return ticks end)
