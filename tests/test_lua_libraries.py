"""What libraries written for the API lean on: objects as they look, clients of their own over sockets, modules."""
import pytest

GLOBAL = """
global
    tune.lua.bool-sample-conversion normal
    stats socket @dir@/cli level admin
    {extra}
    lua-prepend-path @dir@/?.lua
    lua-load @dir@/main.lua
"""

OBJECTS = """
local function members(t)
  local out = {}
  for k, v in next, t do
    if type(k) == "string" then out[#out + 1] = k .. "=" .. type(v) end
  end
  table.sort(out)
  return table.concat(out, " ")
end
core.register_service("members", "http", function(applet)
  local body = members(applet)
  applet:set_status(200)
  applet:add_header("content-length", #body)
  applet:start_response()
  applet:send(body)
end)
core.register_service("members_tcp", "tcp", function(applet) applet:send(members(applet)) end)
core.register_cli({"show", "members"}, "", function(applet) applet:send(members(applet) .. "\\n") end)
core.register_service("lists", "http", function(applet)
  local out = {}
  for _, list in ipairs{core.proxies, core.backends, core.frontends, core.backends.be.servers} do
    local names = {}
    for name in pairs(list) do names[#names + 1] = name end
    table.sort(names)
    out[#out + 1] = table.concat(names, ",") .. " " .. #list .. " " .. type(next(list))
    for key in next, list do assert(key == 0) end
  end
  out[#out + 1] = tostring(core.concat()):match("^Concat object")
  local body = table.concat(out, ";")
  applet:start_response()
  applet:send(body)
end)
"""


def test_raw_members_of_applets(start):
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request use-service lua.members if { path / }
            http-request use-service lua.lists
        frontend ft
            mode tcp
            bind @ft@
            tcp-request content use-service lua.members_tcp
        backend be
            server s1 127.0.0.1:1
    """, files={"main.lua": OBJECTS})
    names = proxy.get("/").text.split()
    for name in ("headers=table", "response=table", "method=string", "path=string", "qs=string", "length=number"):
        assert name in names
    assert proxy.get("/lists").text == "be,fe,ft 0 number;be 0 number;fe,ft 0 number;s1 0 number;Concat object"
    assert proxy.cli("show members").strip() == "c=table f=table sc=table sf=table"
    wire = proxy.connect("ft")
    wire.send("x")
    assert wire.read_all() == b"c=table f=table sc=table sf=table"


RESPONSE = """
core.register_service("edit", "http", function(applet)
  local how = applet.path:sub(2)
  local log = {}
  applet:add_header("x-a", "1")
  applet:add_header("x-a", "2")
  applet:add_header("x-b", "3")
  local response = applet.response
  if how == "read" then
    for name, values in pairs(applet.response) do log[#log + 1] = name .. "=" .. table.concat(values, ",") end
    table.sort(log)
  elseif how == "set" then
    response["x-b"] = {"new"}
    response["x-c"] = {[0] = "zero"}
    applet:add_header("x-c", "more")
  elseif how == "delete" then
    applet.response["x-a"] = nil
  elseif how == "change" then
    applet.response["x-a"][1] = "one"
    log[1] = response["x-a"][1]
  elseif how == "replace" then
    log[1] = applet.response["x-a"][2]
    applet.response = {["x-n"] = {[0] = "n"}}
  elseif how == "wrong" then
    response["x-w"] = "text"
    log[1] = select(2, pcall(applet.start_response, applet))
    response["x-w"] = {[0] = 5}
    log[2] = select(2, pcall(applet.start_response, applet))
    response["x-w"] = {a = "v"}
    log[3] = select(2, pcall(applet.start_response, applet))
    response["x-w"] = nil
    applet.response = nil
    log[4] = select(2, pcall(applet.start_response, applet))
    log[5] = select(2, pcall(applet.add_header, applet, "x", "y"))
    applet.response = {}
  elseif how == "late" then
    applet:start_response()
    assert(applet:add_header("x-late", "1"))
    assert(applet:set_status(404))
  end
  if how ~= "late" then applet:start_response() end
  applet:send(table.concat(log, "|"))
end)
"""


def test_the_headers_of_an_answer_may_be_edited(start):
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request use-service lua.edit
    """, files={"main.lua": RESPONSE})

    def ask(how):
        answer = proxy.get("/" + how)
        assert answer.status == 200
        return sorted((k, v) for k, v in answer.headers if k.startswith("x-")), answer.text.replace("\n", "")

    usual = [("x-a", "1"), ("x-a", "2"), ("x-b", "3")]
    assert ask("plain") == (usual, "")
    assert ask("read") == (usual, "x-a=1,2|x-b=3")
    assert ask("set") == ([("x-a", "1"), ("x-a", "2"), ("x-b", "new"), ("x-c", "more"), ("x-c", "zero")], "")
    assert ask("delete") == ([("x-b", "3")], "")
    assert ask("change") == ([("x-a", "2"), ("x-a", "one"), ("x-b", "3")], "one")
    assert ask("replace") == ([("x-n", "n")], "2")
    assert ask("late") == (usual, "")


@pytest.mark.beyond  # the reference sends half a head when the response is started again
def test_headers_that_are_none(start):
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request use-service lua.edit
    """, files={"main.lua": RESPONSE})
    text = proxy.get("/wrong").text
    for wrong in ("['response']['x-w'] element must be an table. got string", "['x-w'][0] element must be a string. got number",
                  "['x-w'][] element must be a number. got string", "AppletHTTP['response'] missing",
                  "AppletHTTP['response'] is expected as an array. nil found"):
        assert wrong in text
    assert proxy.get("/plain").headers["x-b"] == "3"


FRAMING = """
core.register_service("framing", "http", function(applet)
  applet:add_header("content-length", "3")
  if applet.path == "/chunks" then applet:add_header("transfer-encoding", "chunked") end
  if applet.path == "/close" then applet:add_header("connection", "close") end
  applet:start_response()
  applet:send("abc")
end)
core.register_action("empty", {"http-req"}, function(txn) txn:done(txn:reply{status = 204}) end)
"""


def test_the_framing_a_service_asks_for(start):
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request lua.empty if { path /empty }
            http-request use-service lua.framing
    """, files={"main.lua": FRAMING})
    wire = proxy.connect()
    answer = wire.ask("GET", "/chunks")
    assert (answer.text, answer.headers["transfer-encoding"], "content-length" in answer.headers) == ("abc", "chunked", False)
    answer = wire.ask("GET", "/")
    assert (answer.text, answer.headers["content-length"]) == ("abc", "3")
    assert wire.ask("GET", "/empty").headers["content-length"] == "0"
    answer = wire.ask("GET", "/close")
    assert (answer.text, answer.headers["connection"]) == ("abc", "close")
    assert wire.is_closed()
