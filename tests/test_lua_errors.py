"""What scripts do wrong is logged with its place and disturbs nothing else."""
import re
import subprocess

import pytest

from harness import BINARY, IS_REFERENCE, Ports, at_once, eventually

GLOBAL = """
global
    tune.lua.bool-sample-conversion normal
    {extra}
    lua-load @dir@/e.lua
"""

HTTP = GLOBAL + """
frontend fe
    bind @fe@
    http-request lua.act if {{ path /act }}
    http-request set-header x-f %[lua.fetch] if {{ path /fetch }}
    http-request set-header x-c %[str(a),lua.conv] if {{ path /conv }}
    http-request use-service lua.svc if {{ path /svc }}
    http-request return status 200 content-type text/plain string fine
"""

ALL = """
core.register_action("act", {{"http-req"}}, function(txn) {body} end)
core.register_fetches("fetch", function(txn) {body} end)
core.register_converters("conv", function(s) {body} end)
core.register_service("svc", "http", function(applet) {body} end)
"""

MISTAKES = {
    "runtime": ("local t = nil\n t.x = 1", r"e\.lua:\d+: attempt to index a nil value"),
    "argument": ("core.msleep({})", r"bad argument #1"),
    "count": ("core.msleep(1, 2, 3)", r"'msleep' needs 1 arguments"),
    "string": ("error('plain')", r"e\.lua:\d+: plain"),
    "without a position": ("error('plain', 0)", r"runtime error: plain"),
    "table": ("error({code = 1})", r"runtime error.*e\.lua:\d+"),
    "tostring": ("error(setmetatable({}, {__tostring = function() return 'a thing' end}))", r"runtime error.*e\.lua:\d+"),
    "nil": ("error(nil)", r"runtime error.*e\.lua:\d+"),
    "gsub": ("string.gsub('a', 'a', function() error('deep') end)", r"deep"),
    "pattern": ("string.find('a', '[')", r"malformed pattern"),
    "unknown fetch": ("return nil + 1", r"attempt to perform arithmetic on a nil value"),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_ends_only_its_call(start, kind):
    body, pattern = MISTAKES[kind]
    proxy = start(HTTP.format(extra=""), files={"e.lua": ALL.format(body=body)})
    assert proxy.get("/act").text == "fine"
    assert proxy.get("/fetch").text == "fine"
    assert proxy.get("/conv").text == "fine"
    assert proxy.get("/svc").status == 500
    assert proxy.get("/").text == "fine"
    proxy.wait_output(pattern)


RECURSIONS = {
    "calls": ("local function f() return 1 + f() end f()", "stack overflow"),
    "arguments": ("local function f(...) return 1 + f(1, ...) end f()", "stack overflow"),
    "gsub": ("local function f() return (('x'):gsub('x', f)) end f()", "C stack overflow"),
    "sort": ("local function f() table.sort({3, 1, 2}, f) return true end f()", "C stack overflow"),
    "__index": ("local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 'x'] end return t.x", "C stack overflow"),
    "__tostring": ("local t = setmetatable({}, {}) getmetatable(t).__tostring = tostring tostring(t)", "C stack overflow"),
    "pcall": ("local function f() local ok, e = pcall(f) error(e, 0) end f()", "C stack overflow"),
    "coroutines": ("local function f() return coroutine.wrap(f)() end f()", "C stack overflow"),
    "message handler": ("local function f(e) error(e) end local ok, e = xpcall(error, f, 'x') error(tostring(ok) .. ' ended', 0)", "false ended"),
    "load": ("local function f() return load(f)() end f()", "C stack overflow|attempt to call a nil value"),
}


@pytest.mark.beyond  # which ends by a signal
@pytest.mark.parametrize("kind", RECURSIONS)
def test_recursion_without_end(start, kind):
    body, pattern = RECURSIONS[kind]
    proxy = start(HTTP.format(extra=""), files={"e.lua": ALL.format(body=body)})
    for path in ("/act", "/fetch", "/conv", "/"):
        assert proxy.get(path).text == "fine"
    assert proxy.get("/svc").status == 500
    proxy.wait_output(pattern)
    assert proxy.get("/").text == "fine"


@pytest.mark.parametrize("script, pattern", [
    ("local = 3\n", r"e\.lua:1: .*expected"),
    ("local x = 1\nfoo(\n", r"e\.lua:\d+: unexpected symbol"),
    ("error('at load')\n", r"e\.lua:1: at load"),
    ("core.register_task('x')\n", r"e\.lua:1: .*bad argument #1"),
    ("core.register_converters('x')\n", r"'register_converters' needs 2 arguments"),
    ("core.register_cli('x', 'y', function() end)\n", r"1st argument must be a table|table expected"),
    ("local f <close> = 3\n", r"e\.lua:1: variable 'f' got a non-closable value"),
    ("goto nowhere\n", r"e\.lua:\d: no visible label 'nowhere'"),
    ("x = 'no end\n", r"e\.lua:1: unfinished string"),
    ("core.register_action('x', {'nowhere'}, function() end)\n", r"'nowhere' is unknown"),
    ("core.register_service('x', 'udp', function() end)\n", r"'udp' is unknown"),
    ("core.register_fetches('x', 3)\n", r"function expected"),
    ("core.register_filter('x', {})\n", r"'register_filter' needs 3 arguments"),
])
def test_a_script_that_does_not_load(check, script, pattern):
    code, output = check(GLOBAL.format(extra="") + "frontend fe\n    bind @fe@\n", files={"e.lua": script})
    assert code == 1
    assert re.search(pattern, output)


def test_a_fetch_of_a_script_is_at_home_in_http(check):
    script = 'core.register_fetches("fetch", function(txn) return "a" end)'
    code, output = check(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request set-header x-f %[lua.fetch] if { lua.fetch a }
            tcp-request content accept if { lua.fetch a }
            http-request return status 200
    """, files={"e.lua": script})
    assert code == 0
    assert "L6" not in output


@pytest.mark.beyond
def test_a_script_that_does_not_load_shows_how_it_came_there(check):
    for script, pattern in [
        ("error({code = 1})\n", r"error object is a table value.* from .*e\.lua:1: in main chunk"),
        ("local function f() error('deep') end\nlocal function g() f() end\ng()\n", r"e\.lua:1: deep.*e\.lua:2.*e\.lua:3"),
    ]:
        code, output = check(GLOBAL.format(extra="") + "frontend fe\n    bind @fe@\n", files={"e.lua": script})
        assert code == 1
        assert re.search(pattern, output)


def test_a_script_that_is_not_there(check):
    code, output = check("global\n    lua-load /nowhere/x.lua\nfrontend fe\n    bind @fe@\n")
    assert code == 1
    assert "/nowhere/x.lua" in output


@pytest.mark.parametrize("body, text", [("error('in init')", "in init"), ("error({})", "e.lua"), ("local t = nil\nt.x = 1", "e.lua:2: attempt to index")])
def test_errors_in_init_end_the_start(tmp_path, body, text):
    (tmp_path / "e.lua").write_text(f"core.register_init(function() {body} end)")
    (tmp_path / "x.cfg").write_text(f"""
        global
            lua-load {tmp_path}/e.lua
        frontend fe
            bind 127.0.0.1:{Ports.take()}
""")
    done = subprocess.run([BINARY, "-f", str(tmp_path / "x.cfg")], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1
    assert text in done.stderr + done.stdout


PLACED = """
local function inner(what) error(what) end
local function outer(what) inner(what) return 1 end
core.register_action("act", {"http-req", "http-res", "tcp-req"}, function(txn) outer("in an action") end)
core.register_fetches("fetch", function(txn) outer("in a fetch") end)
core.register_converters("conv", function(s) outer("in a converter") end)
core.register_service("svc", "http", function(applet) outer("in a service") end)
core.register_service("tcp", "tcp", function(applet) outer("in a stream") end)
core.register_task(function() outer("in a task") end)
core.register_cli({"break", "it"}, "", function(applet) outer("in a command") end)
core.event_sub({"SERVER_ADMIN"}, function() outer("in an event") end)
local F = {flags = filter.FLT_CFG_FL_HTX}
F.__index = F
function F:new() return setmetatable({}, F) end
function F:http_headers() outer("in a filter") end
core.register_filter("f", F, function(f) return f end)
"""


def test_every_error_is_logged_with_its_place_and_trace(start, web, syslog):
    log = syslog()
    proxy = start(GLOBAL.format(extra="stats socket @dir@/cli level admin\n    log @log@ local0") + """
        defaults
            mode http
            timeout connect 5s
            timeout client 5s
            timeout server 5s
            log global
        frontend fe
            bind @fe@
            http-request lua.act
            http-request set-header x-f %[lua.fetch]
            http-request set-header x-c %[str(a),lua.conv]
            http-request use-service lua.svc if { path /svc }
            default_backend be
        frontend ff
            bind @ff@
            filter lua.f
            default_backend be
        frontend ft
            mode tcp
            bind @ft@
            tcp-request content use-service lua.tcp
        backend be
            server s @web@
    """, web=web("web"), log=log, files={"e.lua": PLACED})
    assert proxy.get("/").text == "web"
    assert proxy.get("/svc").status == 500
    assert proxy.get("/", to="ff").status == 400
    stream = proxy.connect("ft").send("x")
    proxy.cli("break it")
    proxy.cli("set server be/s weight 10")
    proxy.cli("set server be/s state drain")
    wanted = {"in an action", "in a fetch", "in a converter", "in a service", "in a stream", "in a task", "in a command", "in an event", "in a filter"}
    while wanted:
        line = log.next(r"e\.lua:2: (in an? \w+)")
        assert re.search(r"e\.lua:2: (in an? \w+).*e\.lua:2: .*'inner'.*e\.lua:3: .*'outer'.*e\.lua:\d+: ", line.string), line.string
        wanted.discard(line[1])
    stream.close()
    proxy.cli("set server be/s state ready")
    assert proxy.get("/").text == "web"


@pytest.mark.parametrize("value, shown", [("{}", "table"), ("nil", "nil"), ("42", "number"), ("true", "boolean"), ("print", "function"),
                                          ("coroutine.create(print)", "thread"), ("io.stdout", "userdata|file")])
def test_an_error_that_is_no_text(start, value, shown):
    proxy = start(HTTP.format(extra=""), files={"e.lua": ALL.format(body=f"error({value})")})
    for path in ("/act", "/fetch", "/conv"):
        assert proxy.get(path).text == "fine"
    assert proxy.get("/svc").status == 500
    proxy.wait_output(r"runtime error.*e\.lua:\d+")
    if not IS_REFERENCE:
        proxy.wait_output(rf"runtime error: .*({shown}).* from .*e\.lua:\d+")
    assert proxy.get("/").text == "fine"


def test_errors_in_tasks_commands_and_filters(start):
    script = """
core.register_task(function() error("in a task") end)
core.register_cli({"break", "it"}, "breaks", function(applet) error("in a command") end)
core.register_cli({"say", "it"}, "says", function(applet) applet:send("said\\n") end)
local F = {flags = filter.FLT_CFG_FL_HTX}
F.__index = F
function F:new() return setmetatable({}, F) end
function F:http_headers() error("in a filter") end
core.register_filter("f", F, function(f) return f end)
"""
    proxy = start(GLOBAL.format(extra="stats socket @dir@/cli level admin") + """
        frontend fe
            bind @fe@
            http-request return status 200 string fine content-type text/plain if !{ path /filtered }
            filter lua.f
            default_backend be
        backend be
            server s 127.0.0.1:1
    """, files={"e.lua": script})
    proxy.wait_output("in a task")
    proxy.cli("break it")
    proxy.wait_output("in a command")
    assert "said" in proxy.cli("say it")
    assert proxy.get("/filtered").status == 400
    proxy.wait_output("in a filter")
    assert proxy.get("/").text == "fine"


MEMORY = {
    "table": "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
    "text": "local s = 'x' while true do s = s .. s end",
    "rep": "return ('x'):rep(1 << 40)",
    "coroutines": "local t = {} while true do t[#t + 1] = coroutine.wrap(print) end",
    "handler": "xpcall(function() local t = {} while true do t[#t + 1] = {} end end, function(e) local t = {} while true do t[#t + 1] = {} end end) error('x', 0)",
}


@pytest.mark.beyond  # where the machine is busy its watchdog ends the reference
@pytest.mark.parametrize("kind", MEMORY)
def test_memory_without_end(start, kind):
    script = ALL.format(body=MEMORY[kind])
    proxy = start(HTTP.format(extra="tune.lua.maxmem 20"), files={"e.lua": script})
    for path in ("/act", "/fetch", "/conv"):
        assert proxy.get(path).text == "fine"
    assert proxy.get("/svc").status == 500
    proxy.wait_output("memory|resulting string too large|message handler error|runtime error: x")
    assert proxy.get("/").text == "fine"


@pytest.mark.beyond  # its watchdog ends the reference
@pytest.mark.parametrize("where", ["act", "fetch", "conv"])
def test_a_loop_without_end(start, where):
    script = ALL.format(body="while true do end")
    proxy = start(HTTP.format(extra="tune.lua.burst-timeout 200\n    tune.lua.session-timeout 500"),
                  files={"e.lua": script})
    assert proxy.get(f"/{where}").text == "fine"
    proxy.wait_output("timeout")
    assert proxy.get("/").text == "fine"


@pytest.mark.beyond
@pytest.mark.parametrize("loop", [
    "while true do pcall(function() while true do end end) end",
    "local co = coroutine.wrap(function() while true do end end) co()",
    "string.gsub(('a'):rep(10), '.', function() while true do end end)",
    "setmetatable({}, {__gc = function() end}) while true do pcall(error) end",
])
def test_a_loop_that_hides(start, loop):
    proxy = start(HTTP.format(extra="tune.lua.burst-timeout 200\n    tune.lua.session-timeout 500"),
                  files={"e.lua": ALL.format(body=loop)})
    assert proxy.get("/act").text == "fine"
    proxy.wait_output("timeout")
    assert proxy.get("/").text == "fine"


@pytest.mark.beyond
@pytest.mark.parametrize("member", ["f", "sc", "req", "http", "none"])
def test_members_of_a_transaction_that_another_call_has(start, member):
    """A call that was given no transaction of its own, such as a task, makes no members of others'."""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request lua.keep
            http-request return status 200 hdr x-seen %[var(txn.seen)]
    """, files={"e.lua": f"""
local kept, seen
core.register_task(function()
  while not kept do core.msleep(1) end
  local ok, e = pcall(function() return kept.{member} end)
  seen = tostring(ok) .. " " .. tostring(e)
end)
core.register_action("keep", {{"http-req"}}, function(txn)
  kept = txn
  while not seen do core.msleep(1) end
  txn:set_var("txn.seen", seen)
end)
"""})
    seen = proxy.get("/").headers["x-seen"]
    assert seen.startswith("false") and "used while another call has it" in seen


@pytest.mark.beyond
@pytest.mark.parametrize("register, holds", [
    ('core.register_service("%s", "http", function(object) local say = function(text) object:start_response() object:send(text) end', "path"),
    ('core.register_action("%s", {"http-req"}, function(object) local say = function(text) object:set_var("txn.said", text) end', "f"),
])
def test_members_that_another_call_asks_for(start, register, holds):
    """What was there already may be read, as in the reference; nobody is given the members of his own call instead."""
    keyword = "use-service lua." if "service" in register else "lua."
    proxy = start(GLOBAL.format(extra="") + f"""
        frontend fe
            bind @fe@
            http-request {keyword}hold if {{ path /hold }}
            http-request {keyword}try unless {{ path /hold }}
            http-request return status 200 content-type text/plain lf-string "%[var(txn.said)]"
    """, files={"e.lua": "local kept, seen\n" + register % "hold" + f"""
  local _ = object.{holds}
  kept = object
  while not seen do core.msleep(1) end
  kept = nil
  assert(object.c and object.{"headers" if holds == "path" else "req"})
  say("held")
end)
""" + register % "try" + f"""
  if not kept then say("") return end
  local out = {{type(kept.{holds})}}
  for _, member in ipairs{{"c", "headers", "response", "req", "http"}} do
    local ok, e = pcall(function() return kept[member] end)
    out[#out + 1] = tostring(not ok and e:find("used while another call has it", 1, true) ~= nil)
  end
  seen = true
  say(table.concat(out, " "))
end)
"""})
    with proxy.connect() as holder:
        holder.send("GET /hold HTTP/1.1\r\nhost: x\r\n\r\n")
        kind = "string" if holds == "path" else "table"
        eventually(lambda: proxy.get("/").text == kind + " true" * 5)
        assert holder.response().text == "held"


@pytest.mark.beyond
def test_objects_that_outlive_their_call(start):
    """Whatever a script kept of another transaction says so, and never dangles."""
    script = """
local kept = {}
local function try(name, f) local ok, e = pcall(f) if ok then kept.bad = name .. " worked" elseif not e:find("ended") then kept.bad = name .. ": " .. e end end
core.register_action("act", {"http-req"}, function(txn)
  if not kept.txn then
    kept.txn, kept.http, kept.f, kept.sf, kept.c, kept.req, kept.reply = txn, txn.http, txn.f, txn.sf, txn.c, txn.req, txn:reply()
    return
  end
  try("txn", function() kept.txn:get_var("txn.x") end)
  try("set_var", function() kept.txn:set_var("txn.x", 1) end)
  try("priv", function() kept.txn:set_priv({}) end)
  try("done", function() kept.txn:done() end)
  try("headers", function() kept.http:req_get_headers() end)
  try("set", function() kept.http:req_set_header("a", "b") end)
  try("fetch", function() kept.f:path() end)
  try("string fetch", function() kept.sf:path() end)
  try("converter", function() kept.c:lower("A") end)
  try("channel", function() kept.req:input() end)
  txn:set_var("txn.bad", kept.bad or "none")
end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request lua.act
            http-request return status 200 content-type text/plain lf-string "%[var(txn.bad)]"
    """, files={"e.lua": script})
    proxy.get("/")
    assert proxy.get("/").text == "none"


@pytest.mark.beyond
def test_sockets_misused(start, tcp):
    server = tcp(lambda wire: wire.send("line\n"))
    host, port = server.address.split(":")
    script = f"""
core.register_action("act", {{"http-req"}}, function(txn)
  local out = {{}}
  local function note(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]) end out[#out + 1] = table.concat(t, ",") end
  local s = core.tcp()
  note(pcall(s.close, s))
  s = core.tcp()
  note(s:receive("*l"))
  note(s:send("x"))
  s = core.tcp()
  note(s:connect("127.0.0.1", 1))
  s = core.tcp()
  s:connect("{host}", {port})
  note(s:receive("*l"))
  note(s:receive("*l"))
  s:close()
  note(s:receive("*l"))
  note(pcall(s.close, s))
  note(pcall(s.settimeout, s, -1))
  note(pcall(s.receive, s, "*z"))
  note(pcall(s.connect, s, "999.1.1.1.1", "x"))
  txn:set_var("txn.out", table.concat(out, " | "))
end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request lua.act
            http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]"
    """, files={"e.lua": script})
    for _ in range(2):
        assert proxy.get("/").text.split(" | ") == [
            "true", "nil,connection closed.", "nil,closed,0", "nil,Can't connect", "line", "nil,connection closed.", "nil,connection closed.",
            "true", "false,settimeout: cannot set negatives values", "false,Unsupported pattern.",
            "false,bad argument #3 to '?' (number expected, got string)"]


@pytest.mark.beyond
def test_objects_of_a_call_that_goes_on_elsewhere(start):
    """A transaction is in the hands of one call: what another kept of it is refused while it lasts, too."""
    script = """
local kept
core.register_action("hold", {"http-req"}, function(txn) kept = txn core.sleep(1) kept = nil end)
core.register_action("try", {"http-req"}, function(txn)
  local ok, e = pcall(function() return kept:get_var("txn.x") end)
  txn:set_var("txn.bad", ok and "worked" or e)
end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request lua.hold if { path /hold }
            http-request lua.try
            http-request return status 200 content-type text/plain lf-string "%[var(txn.bad)]"
    """, files={"e.lua": script})
    with proxy.connect() as holder:
        holder.send("GET /hold HTTP/1.1\r\nhost: x\r\n\r\n")
        eventually(lambda: "another call" in proxy.get("/").text)
        assert holder.response().status == 200


@pytest.mark.beyond
def test_coroutines_of_calls_that_are_over(start):
    """A call runs on a coroutine that later calls use again: who kept it can do nothing to it."""
    script = """
local kept, tried
core.register_action("keep", {"http-req"}, function(txn)
  kept = coroutine.running()
  while not tried do core.msleep(1) end
end)
core.register_action("try", {"http-req"}, function(txn)
  while not kept do core.msleep(1) end
  tried = true
  while coroutine.status(kept) == "normal" do core.msleep(1) end
  local out = {coroutine.resume(kept, "x")}
  out[3], out[4] = coroutine.close(kept), coroutine.resume(kept)
  for i, v in ipairs(out) do out[i] = tostring(v) end
  txn:set_var("txn.out", table.concat(out, ","))
end)
core.register_action("fail", {"http-req"}, function(txn) core.msleep(1) error("told") end)
"""
    proxy = start(GLOBAL.format(extra="") + """
        frontend fe
            bind @fe@
            http-request lua.keep if { path /keep }
            http-request lua.try if { path /try }
            http-request lua.fail if { path /fail }
            http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]"
    """, files={"e.lua": script})
    answers = at_once(2, lambda i: proxy.get(("/keep", "/try")[i]).text)
    assert answers == ["", "false,cannot resume dead coroutine,true,false"]
    for answer in at_once(4, lambda _: proxy.get("/fail")):  # on the same coroutines
        assert answer.status == 200
    assert len(re.findall(r"runtime error: .*told from ", proxy.output())) == 4


@pytest.mark.beyond
def test_applets_that_outlive_their_call(start):
    script = """
local kept
core.register_service("svc", "http", function(applet)
  local said = {}
  if kept then
    for name, use in pairs{send = function() kept:send("x") end, receive = function() kept:receive() end, getline = function() kept:getline() end,
                           headers = function() return kept.headers.host end, f = function() return kept.f end,
                           var = function() kept:set_var("txn.x", 1) end, head = function() kept:add_header("a", "b") end,
                           status = function() kept:set_status(404) end, start = function() kept:start_response() end} do
      local ok, e = pcall(use)
      if ok or not e:find("used after its transaction ended") then said[#said + 1] = name .. ": " .. tostring(e) end
    end
  end
  kept = applet
  applet:start_response()
  applet:send("said " .. table.concat(said, ", "))
end)
core.register_cli({"keep", "it"}, "", function(applet)
  local ok, e = pcall(function() kept:send("x") end)
  kept = applet
  applet:send(tostring(e))
end)
"""
    proxy = start(GLOBAL.format(extra="stats socket @dir@/cli level admin") + """
        frontend fe
            bind @fe@
            http-request use-service lua.svc
    """, files={"e.lua": script})
    many = {f"x-{i}": str(i) for i in range(12)}
    for _ in range(3):
        assert proxy.get("/", many).text == "said "
    for _ in range(2):
        assert "used after its transaction ended" in proxy.cli("keep it")
