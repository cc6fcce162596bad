"""Scripts in operation: events, policies for faults, blocking calls, what they cost, binary modules."""
import time

import pytest

from harness import Answer, at_once, eventually

GLOBAL = """
global
    tune.lua.bool-sample-conversion normal
    stats socket @dir@/cli level admin
    {extra}
    lua-load @dir@/o.lua
"""

EVENTS = """
local function text(v)
  if type(v) ~= "table" then return tostring(v) end
  local keys = {}
  for k in pairs(v) do keys[#keys + 1] = tostring(k) end
  table.sort(keys)
  local out = {}
  for _, k in ipairs(keys) do out[#out + 1] = k .. "=" .. text(v[k]) end
  return "{" .. table.concat(out, ",") .. "}"
end
core.event_sub({"SERVER_UP", "SERVER_DOWN", "SERVER_STATE", "SERVER_ADMIN", "SERVER_CHECK"}, function(event, data, sub, when)
  local of = data.reference and data.reference:get_name()
  data.reference = nil
  core.Info("EVENT " .. event .. " of " .. tostring(of) .. " " .. text(data.state or data.admin or data.check or {}) .. " " .. type(when))
end)
"""


def test_events_of_servers(start, web, syslog):
    log = syslog()
    proxy = start(GLOBAL.format(extra="log @log@ local0") + """
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@
            server s2 @s1@ track s3
            server s3 @s1@ check inter 100ms fall 1 rise 1
    """, s1=web("x"), log=log, files={"o.lua": EVENTS})
    log.next("EVENT SERVER_CHECK of s3 .*result=PASSED")
    proxy.cli("set server be/s1 state maint")
    assert "FMAINT=true" in log.next("EVENT SERVER_ADMIN of s1").string
    log.next("EVENT SERVER_DOWN of s1 .* number")
    assert "{admin=true,cause=,new_state=STOPPED,old_state=RUNNING,requeued=0}" in log.next("EVENT SERVER_STATE of s1").string
    proxy.cli("set server be/s1 state ready")
    log.next("EVENT SERVER_ADMIN of s1 .*new_admin={.*FMAINT=false.*old_admin={.*FMAINT=true")
    log.next("EVENT SERVER_UP of s1")
    proxy.cli("set server be/s1 state drain")
    log.next("EVENT SERVER_ADMIN of s1 .*new_admin={.*FDRAIN=true.*old_admin={.*FDRAIN=false")
    proxy.cli("set server be/s3 health down")
    log.next("EVENT SERVER_DOWN of s3")
    assert "{admin=false,cause=changed from CLI,new_state=STOPPED" in log.next("EVENT SERVER_STATE of s3").string
    log.next("EVENT SERVER_DOWN of s2")


def test_events_of_one_server_end_with_the_subscription(start, web, syslog):
    log = syslog()
    script = """
core.register_task(function()
  core.backends.be.servers.s1:event_sub({"SERVER_DOWN"}, function(event, data, sub)
    core.Info("EVENT " .. event .. " " .. data.name)
    sub:unsub()
  end)
  core.backends.be.servers.s2:event_sub({"SERVER"}, function(event, data) core.Info("EVENT " .. event .. " " .. data.name) end)
  core.Info("EVENT ready")
end)
"""
    proxy = start(GLOBAL.format(extra="log @log@ local0") + """
        backend be
            server s1 @s1@
            server s2 @s1@
    """, wait=False, s1=web("x"), log=log, files={"o.lua": script})
    log.next("EVENT ready")
    eventually(lambda: proxy.cli("set server be/s1 state maint") is not None)
    log.next("EVENT SERVER_DOWN s1")
    for state in ("ready", "maint"):
        proxy.cli(f"set server be/s1 state {state}")
    proxy.cli("set server be/s2 state maint")
    log.next("EVENT SERVER_ADMIN s2")
    assert sum("EVENT SERVER_DOWN s1" in line for line in log.lines) == 1


def test_events_of_servers_that_come_and_go(start, web, syslog):
    log = syslog()
    script = """
local function tell(whose, event, data)
  core.Info("EVENT " .. whose .. " " .. event .. " " .. data.name .. " " .. (data.reference and data.reference:get_name() or "gone"))
end
core.event_sub({"SERVER"}, function(event, data)
  tell("all", event, data)
  if event == "SERVER_ADD" then
    data.reference:event_sub({"SERVER_UP", "SERVER_DEL"}, function(own, of) tell("own", own, of) end)
  end
end)
"""
    proxy = start(GLOBAL.format(extra="log @log@ local0") + """
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("x"), log=log, files={"o.lua": script})
    heard = {"all": [], "own": []}
    for command, count in (("add server be/new 127.0.0.1:1", 1), ("set server be/new state ready", 4),
                           ("set server be/new state maint", 3), ("del server be/new", 2)):
        proxy.cli(command)
        for _ in range(count):
            whose, event = log.next("EVENT (.*)")[1].strip().split(" ", 1)
            heard[whose].append(event)
    assert heard == {"all": ["SERVER_ADD new new", "SERVER_ADMIN new new", "SERVER_UP new new", "SERVER_STATE new new",
                             "SERVER_ADMIN new new", "SERVER_DOWN new new", "SERVER_STATE new new", "SERVER_DEL new gone"],
                     "own": ["SERVER_UP new new", "SERVER_DEL new gone"]}


def test_events_come_to_the_states_that_subscribed(start, web, syslog):
    log = syslog()
    script = """
local function subscribe(how)
  core.event_sub({"SERVER_ADMIN"}, function(event, data)
    local busy = {}
    for i = 1, 2000 do busy[i] = {i} end
    core.Info("EVENT in state " .. core.thread .. " " .. #busy .. " " .. how)
  end)
end
subscribe("body")
core.register_task(function()
  subscribe("task")
  core.Info("SUBSCRIBED")
end)
core.register_task(function()
  while true do
    local busy = {}
    for i = 1, 2000 do busy[i] = {i} end
    core.msleep(1)
  end
end)
"""
    proxy = start(GLOBAL.format(extra="log @log@ local0").replace("global", "global\n    nbthread 4").replace("lua-load", "lua-load-per-thread") + """
        defaults
            mode http
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("x"), log=log, files={"o.lua": script})
    for _ in range(4):
        log.next("SUBSCRIBED")
    for state in ("maint", "ready", "maint", "ready"):
        proxy.cli(f"set server be/s1 state {state}")
    wanted = [f"{state} 2000 task" for state in (1, 2, 3, 4)] + ["1 2000 body"]
    heard = [log.next("EVENT in state (.*)")[1] for _ in range(4 * len(wanted))]
    assert sorted(heard) == sorted(4 * wanted)


def test_events_of_pattern_references(start, syslog):
    log = syslog()
    script = """
core.register_init(function()
  core.get_patref("@dir@/m.map"):event_sub({"PAT_REF"}, function(event, sub, when) core.Info("EVENT " .. event .. " " .. type(when)) end)
end)
"""
    proxy = start(GLOBAL.format(extra="log @log@ local0") + """
        frontend fe
            bind @fe@
            http-request return status 200 lf-string "%[path,map(@dir@/m.map,none)]" content-type text/plain
    """, log=log, files={"o.lua": script, "m.map": "/a 1\n"})
    proxy.cli(f"add map {proxy.path('m.map')} /b 2")
    log.next("EVENT PAT_REF_ADD number")
    proxy.cli(f"set map {proxy.path('m.map')} /b 3")
    log.next("EVENT PAT_REF_SET number")
    proxy.cli(f"del map {proxy.path('m.map')} /b")
    log.next("EVENT PAT_REF_DEL number")
    proxy.cli(f"clear map {proxy.path('m.map')}")
    log.next("EVENT PAT_REF_CLEAR number")


POLICY = """
core.register_action("fail", {"http-req", "http-res"}, function(txn) error("no") end)
core.register_action("slow", {"http-req"}, function(txn) core.sleep(30) end)
core.register_action("busy", {"http-req"}, function(txn) while true do end end)
core.register_action("word", {"http-req"}, function(txn, w) txn:set_var("txn.w", w) end, 1)
"""


@pytest.mark.beyond
@pytest.mark.parametrize("rule, status, text", [
    ("http-request lua.fail", 200, "one"),
    ("http-request lua.fail on-error continue", 200, "one"),
    ("http-request lua.fail on-error deny", 403, None),
    ("http-request lua.fail on-error deny 429", 429, None),
    ("http-request lua.fail on-error backend two", 200, "two"),
    ("http-request lua.slow timeout 50ms", 200, "one"),
    ("http-request lua.slow timeout 50ms on-error deny 503", 503, None),
    ("http-request lua.busy on-error backend two timeout 50ms", 200, "two"),
    ("http-request lua.word x on-error deny timeout 1s if TRUE", 200, "one"),
    ("http-response lua.fail on-error deny", 502, None),
])
def test_faults_by_policy(start, web, rule, status, text):
    proxy = start(GLOBAL.format(extra="") + f"""
        frontend fe
            bind @fe@
            {rule}
            default_backend one
        backend one
            server s @one@
        backend two
            server s @two@
    """, one=web("one"), two=web("two"), files={"o.lua": POLICY})
    begin = time.monotonic()
    for answer in at_once(3, lambda _: proxy.get("/")):
        assert answer.status == status
        assert text is None or answer.text == text
    assert time.monotonic() - begin < 5


@pytest.mark.beyond
@pytest.mark.parametrize("line, text", [
    ("http-request lua.fail on-error", "'on-error' expects"),
    ("http-request lua.fail on-error stop", "'on-error' expects"),
    ("http-request lua.fail on-error deny 9000", "on-error deny"),
    ("http-request lua.fail on-error backend nowhere", "unable to find the backend 'nowhere'"),
    ("http-request lua.fail timeout soon", "timeout"),
])
def test_wrong_policies(check, line, text):
    code, output = check(GLOBAL.format(extra="") + f"frontend fe\n    bind @fe@\n    {line}\n", files={"o.lua": POLICY})
    assert code == 1
    assert text in output


BLOCKING = """
core.register_action("act", {"http-req"}, function(txn)
  local out = {}
  local f = assert(io.open("@dir@/data.txt", "w"))
  f:write("line one\\nline two\\n")
  f:close()
  for line in io.lines("@dir@/data.txt") do out[#out + 1] = line end
  local p = io.popen("echo popen")
  out[#out + 1] = p:read("l")
  p:close()
  os.rename("@dir@/data.txt", "@dir@/data2.txt")
  out[#out + 1] = tostring(os.execute("exit 3"))
  out[#out + 1] = tostring(os.remove("@dir@/data2.txt"))
  out[#out + 1] = tostring(os.remove("@dir@/data2.txt"))
  local g = io.tmpfile()
  g:write("first\\n", "second\\n")
  g:seek("set")
  for line in g:lines() do collectgarbage("step") out[#out + 1] = line end
  g:close()
  io.output("@dir@/data3.txt")
  io.write("written")
  io.close()
  io.output(io.stdout)
  io.input("@dir@/data3.txt")
  out[#out + 1] = io.read("a")
  io.close(io.input())
  io.input(io.stdin)
  os.remove("@dir@/data3.txt")
  txn:set_var("txn.out", table.concat(out, ","))
end)
core.register_action("sleep", {"http-req"}, function(txn) os.execute("sleep 1") end)
core.register_fetches("quick", function() return "q" end)
"""
FILES = GLOBAL + """
frontend fe
    bind @fe@
    http-request lua.act if {{ path /act }}
    http-request lua.sleep if {{ path /sleep }}
    http-request return status 200 content-type text/plain lf-string "%[lua.quick] %[var(txn.out)]"
"""


@pytest.mark.beyond
@pytest.mark.parametrize("mode", ["offload", "allow"])
def test_files_and_commands(start, mode):
    proxy = start(FILES.format(extra=f"tune.lua.blocking-io {mode}"), files={"o.lua": BLOCKING})
    for _ in range(3):
        assert proxy.get("/act").text == "q line one,line two,popen,nil,true,nil,first,second,written"


DENIED = {"io.open": "io.open('@dir@/o.lua')", "io.popen": "io.popen('echo')", "io.lines": "io.lines('@dir@/o.lua')", "io.read": "io.read('l')",
          "io.write": "io.write('')", "io.tmpfile": "io.tmpfile()", "io.input": "io.input('@dir@/o.lua')", "file:read": "opened:read('l')",
          "file:lines": "opened:lines()", "next line": "next_line()", "os.execute": "os.execute('true')", "os.remove": "os.remove('@dir@/none')",
          "os.rename": "os.rename('@dir@/none', '@dir@/none2')"}


@pytest.mark.beyond
def test_files_and_commands_denied(start):
    script = """
opened = io.open("@dir@/o.lua")
next_line = io.lines("@dir@/o.lua")
assert(next_line() == "")
local first = opened:read("l")
core.register_action("try", {"http-req"}, function(txn)
  local calls = {""" + ",".join(f'["{name}"] = function() {call} end' for name, call in DENIED.items()) + """}
  local ok, e = pcall(calls[txn.sf:req_hdr("x-name")])
  txn:set_var("txn.out", tostring(ok) .. " " .. tostring(e))
end)
"""
    proxy = start(GLOBAL.format(extra="tune.lua.blocking-io deny") + """
        frontend fe
            bind @fe@
            http-request lua.try
            http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]"
    """, files={"o.lua": script})
    for name in DENIED:
        answer = proxy.get("/", {"x-name": name}).text
        assert answer.startswith("false ") and "is denied while the proxy runs" in answer, name


@pytest.mark.beyond
def test_mistakes_with_files_name_what_was_called(start):
    script = """
core.register_action("act", {"http-req"}, function(txn)
  local out = {}
  local function note(f) local _, e = pcall(f) out[#out + 1] = tostring(e) end
  note(function() io.open({}) end)
  note(function() io.lines("/nowhere/x") end)
  note(function() local f = io.tmpfile() f:close() f:read("l") end)
  note(function() io.write({}) end)
  note(function() os.rename("x") end)
  txn:set_var("txn.out", table.concat(out, "|"))
end)
core.register_fetches("quick", function() return "q" end)
core.register_action("sleep", {"http-req"}, function() end)
"""
    proxy = start(FILES.format(extra=""), files={"o.lua": script})
    told = proxy.get("/act").text.split("|")
    for text, wanted in zip(told, ("bad argument #1 to 'open'", "cannot open file '/nowhere/x'", "attempt to use a closed file", "bad argument #1 to 'write'",
                                   "bad argument #2 to 'rename'"), strict=True):
        assert wanted in text


@pytest.mark.beyond
@pytest.mark.parametrize("call", [
    "os.execute('sleep 1')",
    "assert(io.popen('sleep 1; echo x'):read('l') == 'x')",
    "assert(io.popen('sleep 1; echo x'):read('a') == 'x\\n')",
    "for line in io.popen('sleep 1; echo x'):lines() do assert(line == 'x') end",
    "io.input(io.popen('sleep 1; echo x')) assert(io.read('n', 'l') == nil) io.input(io.stdin)",
    "io.popen('sleep 1') collectgarbage() core.msleep(900)",
])
def test_a_blocking_command_stops_nobody(start, call):
    script = BLOCKING.replace("os.execute('sleep 1')", call).replace('os.execute("sleep 1")', call)
    proxy = start(FILES.format(extra="nbthread 1"), files={"o.lua": script})
    with proxy.connect() as slow:
        slow.send("GET /sleep HTTP/1.1\r\nhost: x\r\n\r\n")
        begin = time.monotonic()
        for _ in range(10):
            assert proxy.get("/").text == "q "
        assert time.monotonic() - begin < 0.8
        assert slow.response().status == 200
        assert time.monotonic() - begin > 0.8
    assert "runtime error" not in proxy.output()


@pytest.mark.beyond
@pytest.mark.parametrize("load", ["lua-load", "lua-load-per-thread"])
def test_nobody_enters_a_state_that_a_helper_works_on(start, load):
    script = """
local closing = false
core.register_action("act", {"http-req"}, function()
  local command = io.popen("sleep 0.3")
  closing = true
  command:close()
  closing = false
end)
core.register_action("sleep", {"http-req"}, function() end)
core.register_fetches("quick", function() return tostring(closing) end)
"""
    proxy = start(FILES.format(extra="nbthread 1").replace("lua-load", load), files={"o.lua": script})
    with proxy.connect() as slow:
        for _ in range(2):
            slow.send("GET /act HTTP/1.1\r\nhost: x\r\n\r\n")
            for _ in range(30):
                assert proxy.get("/").text == "false "
            assert slow.response().text == "false "


@pytest.mark.beyond
def test_a_command_that_says_nothing_can_be_given_up(start):
    script = BLOCKING.replace('os.execute("sleep 1")', "io.popen('sleep 20'):read('a')")
    proxy = start(FILES.format(extra="nbthread 1").replace("lua.sleep", "lua.sleep timeout 50ms on-error deny 503"), files={"o.lua": script})
    begin = time.monotonic()
    for _ in range(3):
        assert proxy.get("/sleep").status == 503
    assert time.monotonic() - begin < 3


@pytest.mark.beyond
@pytest.mark.parametrize("wait", ["core.msleep(math.maxinteger)", "core.sleep(math.maxinteger)", "core.wait(math.maxinteger)"])
def test_a_wait_for_ages(start, wait):
    script = BLOCKING.replace('os.execute("sleep 1")', wait)
    proxy = start(FILES.format(extra="").replace("lua.sleep", "lua.sleep timeout 50ms on-error deny 503"), files={"o.lua": script})
    assert proxy.get("/sleep").status == 503


@pytest.mark.beyond
def test_what_scripts_cost(start):
    script = """
core.register_action("act", {"http-req"}, function(txn) core.msleep(5) local t = {} for i = 1, 1000 do t[i] = i end end)
core.register_fetches("bad", function() error("x") end)
core.register_converters("twice", function(s) core.msleep(2) return s .. s end)
core.register_service("svc", "http", function(applet) applet:start_response() applet:send("x") end)
core.register_cli({"say", "it"}, "", function(applet) applet:send("it") end)
local F = {flags = filter.FLT_CFG_FL_HTX}
F.__index = F
function F:new() return setmetatable({}, F) end
function F:http_headers(txn, m) core.msleep(1) end
core.register_filter("sieve", F, function(f) return f end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            filter lua.sieve
            http-request use-service lua.svc if { path /svc }
            http-request lua.act
            http-request set-header x-y %[str(a),lua.twice]
            http-request return status 200 string "-" content-type text/plain if { lua.bad -m found }
            http-request return status 204
    """, files={"o.lua": script})
    for _ in range(3):
        assert proxy.get("/").status == 204
    assert proxy.get("/svc").text == "x"
    assert proxy.cli("say it") == "it"
    lines = {f[0]: f[1:] for f in map(str.split, proxy.cli("show lua").splitlines()) if f and f[0] != "#"}
    kind, calls, errors, time_us, waits, wait_us, *_, allocated = lines["act"]
    assert (kind, calls, errors, waits) == ("action", "3", "0", "3")
    assert int(wait_us) >= 15000 and int(allocated) > 3 * 16000
    assert lines["bad"][:3] == ["fetch", "3", "3"]
    assert lines["twice"][:3] == ["converter", "3", "0"] and lines["twice"][4] == "3"
    assert lines["svc"][:3] == ["service", "1", "0"]
    assert lines["say.it"][:3] == ["command", "1", "0"]
    assert lines["sieve"][0] == "filter" and int(lines["sieve"][1]) >= 4 and int(lines["sieve"][4]) == 2
    assert int(lines["shared"][0]) > 10000


MODULES = """
package.cpath = "/usr/lib/x86_64-linux-gnu/lua/5.4/?.so;" .. package.cpath
package.path = "/usr/share/lua/5.4/?.lua;" .. package.path
local cjson = require("cjson")
local socket = require("socket")
local digest = require("openssl.digest")
core.register_action("act", {"http-req"}, function(txn)
  local data = cjson.decode('{"a": [1, 2, {"b": "x"}], "n": null}')
  local sum = digest.new("sha256"):final("abc"):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  txn:set_var("txn.out", data.a[3].b .. " " .. tostring(data.n == cjson.null) .. " " .. cjson.encode({1, 2}) .. " " ..
    sum:sub(1, 8) .. " " .. tostring(socket.gettime() > 1e9))
  local ok, e = pcall(cjson.decode, "{")
  txn:set_var("txn.err", tostring(ok))
end)
"""


@pytest.mark.parametrize("load", ["lua-load", "lua-load-per-thread"])
def test_binary_modules(start, load):
    proxy = start(f"""
        global
            tune.lua.bool-sample-conversion normal
            {load} @dir@/o.lua
        frontend fe
            bind @fe@
            http-request lua.act
            http-request return status 200 content-type text/plain lf-string "%[var(txn.out)] %[var(txn.err)]"
    """, files={"o.lua": MODULES})
    for answer in at_once(4, lambda _: proxy.get("/")):
        assert answer.text == "x true [1,2] ba7816bf true false"


NESTED = """
local function work()
  local t = {}
  for i = 1, 200 do t[i] = { tostring(i), {} } end
  collectgarbage("step")
  return #t
end
core.register_service("long", "http", function(applet)
  applet:start_response()
  for i = 1, 4 do work() applet:send(("x"):rep(20000)) end
end)
core.register_action("response", { "http-res" }, function(txn)
  local before = work()
  core.yield()
  txn.http:res_set_header("x-work", tostring(before + work()))
end)
"""


def test_rules_on_the_response_of_a_service_take_the_state_for_themselves(start):
    """The service waits while its response is sent: what rules run then is another call."""
    proxy = start(
        """
        global
            nbthread 4
            lua-load @dir@/nested.lua
        defaults
            mode http
            timeout connect 5s
            timeout client 10s
            timeout server 10s
        frontend fe
            bind @fe@
            http-request use-service lua.long
            http-response lua.response
        """, files={"nested.lua": NESTED})
    answers = at_once(24, lambda i: [proxy.get("/") for _ in range(8)])
    for answer in (a for some in answers for a in some):
        assert (answer.status, answer.headers["x-work"], len(answer.text)) == (200, "400", 80000)
