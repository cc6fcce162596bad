"""Scripts may wait wherever they run: in rules, samples, callbacks of Lua's own library, C modules."""
import time

import pytest

from harness import Answer, at_once

GLOBAL = """
global
    tune.lua.bool-sample-conversion normal
    {load} @dir@/w.lua
"""

PROXY = GLOBAL + """
frontend fe
    bind @fe@
    {rules}
    http-request return status 200 content-type text/plain lf-string "%[var(txn.out)]" hdr x-sample "%[lua.fetch]"
"""

# Each entry waits in the middle of something that the language's own C code has called.
PLACES = {
    "gsub": 'return (("a b c"):gsub("%w", function(w) core.msleep(1) return w:upper() end))',
    "sort": 'local t = {3, 1, 2} table.sort(t, function(a, b) core.msleep(1) return a < b end) return table.concat(t)',
    "metamethods": '''
        local t = setmetatable({}, {__index = function(_, k) core.msleep(1) return k .. "!" end,
                                    __add = function() core.msleep(1) return "sum" end,
                                    __lt = function() core.msleep(1) return true end,
                                    __concat = function() core.msleep(1) return "cat" end,
                                    __eq = function() core.msleep(1) return true end,
                                    __len = function() core.msleep(1) return 7 end,
                                    __call = function() core.msleep(1) return "called" end})
        local u = setmetatable({}, getmetatable(t))
        return t.x .. (t + 1) .. tostring(t < u) .. (t .. "") .. tostring(t == u) .. #t .. t()''',
    "tostring": 'return tostring(setmetatable({}, {__tostring = function() core.msleep(1) return "text" end}))',
    "pcall": 'local ok, e = pcall(function() core.msleep(1) error({code = 7}) end) return tostring(ok) .. e.code',
    "xpcall": 'return select(2, xpcall(function() core.msleep(1) error("x", 0) end, function(e) core.msleep(1) return e .. "y" end))',
    "coroutine": '''
        local co = coroutine.wrap(function(a) core.msleep(1) local b = coroutine.yield(a + 1) core.msleep(1) return b + 1 end)
        return co(1) .. co(5)''',
    "iterator": 'local s = "" for w in function(_, i) i = (i or 0) + 1 core.msleep(1) if i < 4 then return i end end do s = s .. w end return s',
    "close": '''
        local s = ""
        do local x <close> = setmetatable({}, {__close = function() core.msleep(1) s = s .. "closed" end}) s = s .. "open " end
        return s''',
    "pairs": 'local s = "" for k, v in pairs(setmetatable({}, {__pairs = function() core.msleep(1) return next, {a = 1} end})) do s = s .. k .. v end return s',
    "require": 'package.preload["later"] = function() core.msleep(1) return {v = "loaded"} end return require("later").v',
    "load": 'local parts, i = {"return ", "\\"chunk\\""}, 0 return load(function() i = i + 1 core.msleep(1) return parts[i] end)()',
}
EXPECTED = {"gsub": "A B C", "sort": "123", "metamethods": "x!sumtruecattrue7called", "tostring": "text",
            "pcall": "false7", "xpcall": "xy", "coroutine": "26", "iterator": "123", "close": "open closed",
            "pairs": "a1", "require": "loaded", "load": "chunk"}

FETCH = 'core.register_fetches("fetch", function(txn) return run() end)\n'
ACTION = 'core.register_action("act", {"http-req", "http-res", "tcp-req"}, function(txn) txn:set_var("txn.out", run()) end)\n'


@pytest.mark.beyond
@pytest.mark.parametrize("load", ["lua-load", "lua-load-per-thread"])
@pytest.mark.parametrize("place", PLACES)
def test_a_wait_inside_the_language(start, place, load):
    script = f"local function run()\n{PLACES[place]}\nend\n{FETCH}{ACTION}"
    proxy = start(PROXY.format(load=load, rules="http-request lua.act"), files={"w.lua": script})
    for answer in at_once(8, lambda _: proxy.get("/")):
        assert (answer.text, answer.headers["x-sample"]) == (EXPECTED[place], EXPECTED[place])


def test_an_action_waits(start):
    script = "local function run() core.yield() core.msleep(20) return 'slept' end\n" + ACTION + \
        'core.register_fetches("fetch", function() return "-" end)'
    proxy = start(PROXY.format(load="lua-load", rules="http-request lua.act"), files={"w.lua": script})
    assert [a.text for a in at_once(4, lambda _: proxy.get("/"))] == ["slept"] * 4


@pytest.mark.beyond
def test_fetches_and_converters_wait_wherever_they_stand(start, web, syslog):
    log = syslog()
    script = """
core.register_fetches("slow", function(txn, x) core.msleep(3) return "v" .. (x or "") end)
core.register_converters("slow", function(s, x) core.msleep(3) return s .. (x or "") end)
core.register_fetches("where", function(txn) core.msleep(3) return "two" end)
"""
    proxy = start("""
        global
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/w.lua
        frontend fe
            bind @fe@
            log @log@ local0
            log-format "logged %[lua.slow(1)] %[str(c),lua.slow(2)]"
            acl slow lua.slow -m str v
            http-request set-header x-in %[lua.slow(a),lua.slow(b)]
            http-request deny if !slow
            http-request set-var(txn.x) lua.slow(q)
            use_backend %[lua.where]
            default_backend one
        backend one
            server s @s1@
        backend two
            http-response set-header x-out %[lua.slow(r)]%[var(txn.x)]
            http-after-response set-header x-after %[lua.slow(s)]
            server s @s2@
    """, s1=web("one"), s2=web("two"), log=log, files={"w.lua": script})
    for answer in at_once(6, lambda _: proxy.get("/")):
        assert answer.text == "two"
        assert (answer.headers["x-out"], answer.headers["x-after"]) == ("vrvq", "vs")
        assert "logged v1 c2" in log.next("logged").string


@pytest.mark.beyond
def test_a_fetch_asks_a_server(start, web):
    """Sockets and the HTTP client within a sample, as an action could always do it."""
    directory = web(lambda r: Answer(200, "blue" + r.target))
    script = """
core.register_fetches("ask", function(txn, host, port)
  local answer = core.httpclient():get{url = "http://" .. host .. ":" .. port .. "/x", timeout = 2000}
  local s = core.tcp()
  s:settimeout(2)
  s:connect(host, port)
  s:send("GET /raw HTTP/1.0\\r\\n\\r\\n")
  local status = s:receive("*l")
  s:close()
  return answer.body .. "|" .. status
end)
"""
    host, port = directory.address.split(":")
    proxy = start(GLOBAL.format(load="lua-load") + f"""
        frontend fe
            bind @fe@
            http-request return status 200 lf-string "%[lua.ask({host},{port})]" content-type text/plain
    """, files={"w.lua": script})
    for answer in at_once(4, lambda _: proxy.get("/")):
        assert answer.text.startswith("blue/x|HTTP/1.")


def test_a_wait_gives_the_shared_state_to_others(start):
    """A hundred scripts that each sleep 50 ms do not sleep one after the other."""
    script = "local function run() core.msleep(50) return 'x' end\n" + ACTION + \
        'core.register_fetches("fetch", function() return "-" end)'
    proxy = start(PROXY.format(load="lua-load", rules="http-request lua.act"), files={"w.lua": script})
    proxy.get("/")
    begin = time.monotonic()
    at_once(60, lambda _: proxy.get("/"))
    assert time.monotonic() - begin < 1.5


@pytest.mark.beyond
def test_a_busy_script_delays_nobody_but_itself(start):
    script = """
core.register_action("burn", {"http-req"}, function(txn)
  local till = core.now().sec + 2
  while core.now().sec < till do for i = 1, 10000 do end end
end)
core.register_fetches("quick", function() return "q" end)
"""
    proxy = start(GLOBAL.format(load="lua-load") + """
        frontend fe
            bind @fe@
            http-request lua.burn if { path /burn }
            http-request return status 200 content-type text/plain lf-string %[lua.quick]
    """, files={"w.lua": script})
    with proxy.connect() as busy:
        busy.send("GET /burn HTTP/1.1\r\nhost: x\r\n\r\n")
        worst = 0
        for _ in range(50):
            begin = time.monotonic()
            assert proxy.get("/").text == "q"
            worst = max(worst, time.monotonic() - begin)
        assert worst < 0.5
        assert busy.response().status == 200


@pytest.mark.beyond
def test_a_wait_in_a_c_module_that_calls_back(start):
    """lua-socket's protect() is C code that calls a Lua function."""
    script = """
package.cpath = "/usr/lib/x86_64-linux-gnu/lua/5.4/?.so;" .. package.cpath
package.path = "/usr/share/lua/5.4/?.lua;" .. package.path
local ok, socket = pcall(require, "socket.core")
local function run()
  if not ok then return "none" end
  local f = socket.protect(function() core.msleep(2) return "called back" end)
  return f()
end
""" + FETCH + ACTION
    proxy = start(PROXY.format(load="lua-load", rules="http-request lua.act"), files={"w.lua": script})
    answer = proxy.get("/")
    if answer.text == "none":
        pytest.skip("lua-socket is not installed")
    assert answer.text == "called back"
