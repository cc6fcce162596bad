-- One HTTP service for each node: forwards the request, answers with the node's response, and with
-- 503 where the body tells of a fault that another node may not have.
local overloaded = "<faultCode>.-<i4>%s*1007%s*</i4>"
local nodes = {
  checked_node1 = os.getenv("NODE1") or "127.0.0.1:8001",
  checked_node2 = os.getenv("NODE2") or "127.0.0.1:8002",
}
local hop_by_hop = { connection = true, ["transfer-encoding"] = true, ["content-length"] = true, ["keep-alive"] = true }

local function forward(address)
  return function(applet)
    local target = applet.path .. (applet.qs ~= "" and "?" .. applet.qs or "")
    local headers = {}
    for name, values in pairs(applet.headers) do
      if not hop_by_hop[name] then headers[name] = values end
    end
    local client = core.httpclient()
    local call = client[applet.method:lower()] or client.get
    local response = call(client, {
      url = "http://" .. address .. target,
      headers = headers,
      body = applet:receive(),
    })
    local status = response.status
    if status == 0 or status == nil then
      status = 503
    elseif response.body:find(overloaded) then
      core.Warning(address .. " is overloaded")
      status = 503
    end
    applet:set_status(status)
    for name, values in pairs(response.headers or {}) do
      if not hop_by_hop[name] then
        for _, value in pairs(values) do applet:add_header(name, value) end
      end
    end
    applet:add_header("content-length", #(response.body or ""))
    applet:start_response()
    applet:send(response.body or "")
  end
end

for name, address in pairs(nodes) do
  core.register_service(name, "http", forward(address))
end
