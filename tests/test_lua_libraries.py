"""What libraries written for the API lean on: objects as they look, clients of their own over sockets, modules."""
import base64
import hashlib
import hmac
import json
import subprocess

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
  local names = {}
  for name, value in pairs(applet) do
    if type(name) == "string" then names[#names + 1] = name .. "=" .. type(value) end
  end
  local body = table.concat(names, " ")
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


def test_members_of_applets(start):
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


@pytest.mark.beyond  # where the length is always 0
def test_the_length_of_a_body(start):
    script = """
core.register_service("length", "http", function(applet)
  local length = applet.length
  local body = applet:receive()
  applet:start_response()
  applet:send(length .. " " .. #body)
end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request wait-for-body time 5s unless { path /at-once }
            http-request use-service lua.length
    """, files={"main.lua": script})
    assert proxy.get("/").text == "0 0"
    assert proxy.get("/at-once", method="POST", body=b"x" * 100000).text == "100000 100000"
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", "4\r\nabcd\r\n0\r\n\r\n")
        assert wire.response().text == "7 7"


@pytest.mark.parametrize("loop", ["pairs(applet)", "next, applet"])
@pytest.mark.parametrize("extra", [0, 12])
def test_all_members_are_seen_however_many_headers_there_are(start, extra, loop):
    script = """
core.register_service("members", "http", function(applet)
  local out = {}
  for k, v in LOOP do if type(k) == "string" then out[#out + 1] = k end end
  table.sort(out)
  local count = 0
  for _ in pairs(applet.headers) do count = count + 1 end
  local body = table.concat(out, " ") .. " " .. count .. " " .. tostring(applet.headers == applet.headers)
  applet:start_response()
  applet:send(body)
end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request use-service lua.members
    """, files={"main.lua": script.replace("LOOP", loop)})
    answer = proxy.get("/", {f"x-{i}": "v" for i in range(extra)}).text
    assert answer == f"c f headers length method path qs response sc sf version {extra + 1} true"


def test_the_error_page_of_a_service_counts_as_its_answer(start, syslog):
    log = syslog()
    proxy = start(GLOBAL.format(extra="log @log@ local0") + """
        frontend fe
            bind @fe@
            log global
            log-format "LINE %ST %ts %B"
            http-request use-service lua.fail if { path /fail }
            http-request return status 200
    """, log=log, files={"main.lua": 'core.register_service("fail", "http", function(applet) error("no") end)'})
    assert proxy.get("/fail").status == 500
    assert 150 < int(log.next(r"LINE 500 LR (\d+)")[1]) < 300
    assert proxy.get("/").status == 200
    assert log.next(r"LINE 200 LR (\d+)")[1] == "0"


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
    assert wire.ask("GET", "/empty").headers.all("content-length") == ["0"]
    answer = wire.ask("GET", "/close")
    assert (answer.text, answer.headers["connection"]) == ("abc", "close")
    assert wire.is_closed()


CLIENT = """
local M = {}
function M.ask(method, address, target, body)
  local host, port = address:match("^(.*):(%d+)$")
  local s = core.tcp()
  s:settimeout(1)
  local connect = s.connect
  local fine, why = connect(s, host, port)
  if not fine then s:close() return nil, "connect: " .. tostring(why) end
  local head = {method .. " " .. target .. " HTTP/1.1", "host: " .. address, "connection: close"}
  if body then head[#head + 1] = "content-length: " .. tostring(#body) end
  fine, why = s:send(table.concat(head, "\\r\\n") .. "\\r\\n\\r\\n" .. (body or ""))
  if not fine then s:close() return nil, "send: " .. tostring(why) end
  local answer = {headers = {}}
  while true do
    local line
    line, why = s:receive("*l")
    if not line then s:close() return nil, "head: " .. tostring(why) end
    if line == "" then break end
    if not answer.status then
      answer.status = tonumber(line:match("^HTTP/1%.[01] (%d%d%d)"))
      if not answer.status then s:close() return nil, "head: no status" end
    else
      local name, value = line:match("^(.-):%s*(.-)%s*$")
      answer.headers[name:lower()] = value
    end
  end
  if method ~= "HEAD" then
    if answer.headers["transfer-encoding"] == "chunked" then
      local pieces = {}
      while true do
        local size = tonumber(s:receive("*l") or "", 16)
        if not size then s:close() return nil, "chunk: no size" end
        if size == 0 then break end
        local piece = s:receive(size + 2)
        if not piece then s:close() return nil, "chunk: cut" end
        pieces[#pieces + 1] = piece:sub(1, -3)
      end
      answer.body = table.concat(pieces)
    else
      answer.body = s:receive("*a")
    end
  end
  s:close()
  return answer
end
return M
"""

GATE = """
local client = require("client")
core.register_action("gate", {"http-req"}, function(txn, backend, target, method)
  txn:set_var("txn.allowed", false)
  if core.backends[backend] == nil then txn:set_var("txn.why", "no backend") return end
  local address
  for _, server in pairs(core.backends[backend].servers) do
    local status = server:get_stats()["status"]
    if status == "no check" or status:find("UP") == 1 then address = server:get_addr() break end
  end
  if not address then txn:set_var("txn.why", "no server") return end
  if method == "*" then method = txn.sf:method() end
  local answer, why = client.ask(method, address, target, method == "POST" and "question" or nil)
  if not answer then txn:set_var("txn.why", why) return end
  txn:set_var("txn.status", answer.status)
  for name, value in pairs(answer.headers) do
    if name:match("^x%-") then
      pcall(txn.set_var, txn, "req.answer_" .. name:gsub("[^a-zA-Z0-9]", "_"), value, true)
      txn.http:req_set_header(name, value)
    end
  end
  if answer.status == 403 then
    local reply = txn:reply()
    reply:set_status(answer.status)
    reply:add_header("x-from", "gate")
    if answer.body then reply:set_body(answer.body) end
    txn:done(reply)
  end
  txn:set_var("txn.why", answer.body)
  txn:set_var("txn.allowed", answer.status == 200)
end, 3)
"""

GATE_CONFIGURATION = """
        frontend fe
            bind @fe@
            http-request lua.gate auth /ok GET if { path /ok }
            http-request lua.gate auth /ok HEAD if { path /head }
            http-request lua.gate auth /ok * if { path /post }
            http-request lua.gate auth /chunked GET if { path /chunked }
            http-request lua.gate auth /cut GET if { path /cut }
            http-request lua.gate auth /junk GET if { path /junk }
            http-request lua.gate auth /empty GET if { path /empty }
            http-request lua.gate auth /no GET if { path /no }
            http-request lua.gate dead /ok GET if { path /dead }
            http-request lua.gate down /ok GET if { path /down }
            http-request lua.gate nowhere /ok GET if { path /nowhere }
            http-request return status 200 content-type text/plain lf-string "%[var(txn.allowed)] %[var(txn.status)] %[var(txn.why)] %[req.hdr(x-user)] %[var(req.answer_x_user)]"
        backend auth
            server away 127.0.0.1:1 check inter 50ms fall 1 init-state down
            server s @auth@
        backend dead
            server s 127.0.0.1:1
        backend down
            server s 127.0.0.1:1 disabled
"""


def answer_for_gate(wire):
    asked = wire.request()
    body = {
        "/ok": "HTTP/1.1 200 OK\r\nX-User: joe\r\nContent-Length: 4\r\n\r\n" + ("" if asked.method == "HEAD" else asked.method[:4].ljust(4)),
        "/chunked": "HTTP/1.1 200 OK\r\nX-User: ann\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        "/cut": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "/junk": "junk\r\n\r\n",
        "/empty": "",
        "/no": "HTTP/1.1 403 No\r\nContent-Length: 4\r\n\r\nstop",
    }[asked.target]
    if asked.method == "POST":
        assert asked.body == b"question"
    wire.send(body)


@pytest.mark.parametrize("path, method, expected", [
    ("/ok", "GET", "1 200 GET  joe joe"),
    ("/head", "GET", "1 200 0 joe joe"),
    ("/post", "POST", "1 200 POST joe joe"),
    ("/chunked", "GET", "1 200 abcde ann ann"),
    ("/cut", "GET", "0  chunk: no size  "),
    ("/junk", "GET", "0  head: no status  "),
    ("/empty", "GET", "0  head: connection closed.  "),
    ("/dead", "GET", "0  connect: Can't connect  "),
    ("/down", "GET", "0  no server  "),
    ("/nowhere", "GET", "0  no backend  "),
])
def test_a_gate_asks_a_server_of_a_backend(start, tcp, path, method, expected):
    proxy = start(GLOBAL.format(extra="") + GATE_CONFIGURATION, auth=tcp(answer_for_gate),
                  files={"main.lua": GATE, "client.lua": CLIENT})
    assert proxy.get(path, method=method).text == expected


def test_a_gate_that_refuses(start, tcp):
    proxy = start(GLOBAL.format(extra="") + GATE_CONFIGURATION, auth=tcp(answer_for_gate),
                  files={"main.lua": GATE, "client.lua": CLIENT})
    answer = proxy.get("/no")
    assert (answer.status, answer.headers["x-from"], answer.text) == (403, "gate", "stop")


TOKENS = """
local json = require("cjson")
local mime = require("mime")
local openssl = {hmac = require("openssl.hmac"), digest = require("openssl.digest"), pkey = require("openssl.pkey")}
local key
core.register_init(function()
  local file = assert(io.open(os.getenv("KEY"), "rb"))
  key = file:read("*all")
  file:close()
end)
local function decode(text)
  return (mime.unb64(text:gsub("-", "+"):gsub("_", "/") .. ("="):rep(3 - (#text - 1) % 4)))
end
local function verify(header, payload, signature, alg)
  if alg == "HS256" then return openssl.hmac.new("secret", "SHA256"):final(header .. "." .. payload) == signature end
  if alg ~= "RS256" then return false end
  local digest = openssl.digest.new("SHA256")
  digest:update(header .. "." .. payload)
  return openssl.pkey.new(key):verify(signature, digest)
end
core.register_action("token", {"http-req"}, function(txn)
  local words = core.tokenize(txn.sf:req_hdr("authorization"), " .")
  if #words ~= 4 or words[1] ~= "Bearer" then goto bad end
  do
    local claims = json.decode(decode(words[3]))
    for name, value in pairs(claims) do txn:set_var("txn.claim." .. name, tostring(value)) end
    if not verify(words[2], words[3], decode(words[4]), json.decode(decode(words[2])).alg) then goto bad end
    if os.difftime(claims.exp, core.now().sec) <= 0 then goto bad end
    txn.set_var(txn, "txn.authorized", true)
    return
  end
  ::bad::
  txn.set_var(txn, "txn.authorized", false)
end)
"""


def token(folder, alg="HS256", exp=4000000000, secret=b"secret"):
    encode = lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")
    text = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": alg}, {"sub": "joe", "exp": exp}))
    if alg == "RS256":
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", folder / "key.pem"], input=text, capture_output=True, check=True).stdout
    else:
        signature = hmac.new(secret, text, hashlib.sha256).digest()
    return (text + b"." + encode(signature)).decode()


def test_tokens_are_verified_by_binary_modules(start, tmp_path):
    subprocess.run(["openssl", "genrsa", "-out", tmp_path / "key.pem", "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", tmp_path / "key.pem", "-pubout", "-out", tmp_path / "pub.pem"], check=True, capture_output=True)
    proxy = start(GLOBAL.format(extra=f"setenv KEY {tmp_path}/pub.pem") + """
        frontend fe
            bind @fe@
            http-request lua.token
            http-request deny deny_status 401 unless { var(txn.authorized) -m bool }
            http-request return status 200 content-type text/plain lf-string "%[var(txn.claim.sub)]"
    """, files={"main.lua": TOKENS})

    def ask(value):
        answer = proxy.get("/", {"authorization": value} if value is not None else {})
        return answer.status

    good = token(tmp_path)
    assert proxy.get("/", {"authorization": "Bearer " + good}).text == "joe"
    assert ask("Bearer " + token(tmp_path, "RS256")) == 200
    for wrong in (None, "", "Basic x", good, "Bearer a.b", "Bearer a.b.c", "Bearer " + token(tmp_path, secret=b"other"),
                  "Bearer " + token(tmp_path, exp=1000), "Bearer " + token(tmp_path, "RS256", exp=1000), "Bearer " + token(tmp_path, "none"),
                  "Bearer " + token(tmp_path, "RS256").rsplit(".", 1)[0] + "." + good.rsplit(".", 1)[1]):
        assert ask(wrong) == 401, wrong
    assert ask("Bearer " + good) == 200


UNUSUAL = """
core.register_action("done", { "http-req" }, function(txn)
  local reply = txn:reply()
  local took = reply:set_status(tonumber(txn.sf:req_hdr("x-status")))
  reply:set_body(("took " .. tostring(took)):gsub("x", "y"))
  txn:done(reply)
end)
core.register_action("plain", { "http-req" }, function(txn) txn:done{ status = 999 } end)
core.register_service("status", "http", function(applet)
  local first, second = applet:set_status(299, "Pre"), applet:set_status(999)
  applet:add_header("content-length", "10")
  applet:start_response()
  applet:send(string.format("%-5s%-5s", first, second))
end)
"""


def test_a_status_that_cannot_be_lets_nothing_through(start, web):
    """Who answers in place of a server has answered, whatever the number."""
    server = web("the server")
    proxy = start(
        GLOBAL.format(extra="")
        + """
        frontend fe
            bind @fe@
            http-request lua.done if { path /done }
            http-request lua.plain if { path /plain }
            default_backend be
        backend be
            server s @server@
        """, server=server, files={"main.lua": UNUSUAL})
    answers = [(r.status, r.text) for r in (proxy.get("/done", {"x-status": n}) for n in ("403", "999", "600"))]
    assert answers == [(403, "took true"), (200, "took false"), (200, "took false")]
    assert proxy.get("/plain").text != "the server"
    assert server.requests == []


def test_services_keep_a_good_status_and_speak_the_version_of_the_request(start):
    proxy = start(
        GLOBAL.format(extra="")
        + """
        frontend fe
            bind @fe@
            http-request use-service lua.status
        """, files={"main.lua": UNUSUAL})
    answer = proxy.get("/")
    assert (answer.status, answer.text) == (299, "true false")
    wire = proxy.connect()
    wire.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
    assert wire.read_all().startswith(b"HTTP/1.0 299 Pre\r\n")


ACTION = """
global
    tune.lua.bool-sample-conversion normal
    lua-load @dir@/s.lua
frontend fe
    bind @fe@
    http-request lua.act
    {rule}
    http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]"
"""


def test_samples_that_give_their_arguments(start):
    script = """
core.register_action("act", {"http-req"}, function(txn)
  local function long(c) return c:rep(40) end
  local out = {txn.f:str(long("a")), txn.sf:str(long("b")), txn.f:bin("63636363636363636363636363636363636363636363"),
               txn.f:var("txn.none", long("d")), txn.c:iif(true, long("e"), long("f")), txn.sc:iif(false, long("e"), long("f"))}
  txn:set_var("txn.out", table.concat(out, ","))
end)
"""
    proxy = start(ACTION.format(rule=""), files={"s.lua": script})
    for _ in range(20):
        assert proxy.get("/").text == ",".join(("a" * 40, "b" * 40, "c" * 22, "d" * 40, "e" * 40, "f" * 40))


@pytest.mark.beyond  # where a script looks up no map at all this way
def test_maps_of_converters_are_those_of_the_configuration(start):
    script = """
core.register_action("act", {"http-req"}, function(txn)
  local out = {txn.c:map("key", "@dir@/used.map")}
  for _, name in ipairs{"@dir@/unused.map", "virt@unused"} do
    local ok, e = pcall(function() return txn.c:map("key", name) end)
    out[#out + 1] = tostring(ok) .. " " .. tostring(e):match("cannot load '.*' at run time")
  end
  txn:set_var("txn.out", table.concat(out, ","))
end)
"""
    proxy = start(ACTION.format(rule="http-request set-header x-used %[path,map(@dir@/used.map)]"), files={"s.lua": script, "used.map": "key value\n", "unused.map": "key value\n"})
    used, *unused = proxy.get("/").text.split(",")
    assert used == "value"
    assert [answer.replace(proxy.path(""), "") for answer in unused] == [
        f"false cannot load '{name}' at run time" for name in ("unused.map", "virt@unused")]
