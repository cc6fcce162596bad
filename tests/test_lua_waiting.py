"""Scripts may wait wherever they run: in rules, samples, callbacks of Lua's own library, C modules."""
import subprocess
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
    "two coroutines deep": '''
        local inner = coroutine.create(function() core.msleep(1) coroutine.yield("a") core.msleep(1) error("b", 0) end)
        local outer = coroutine.wrap(function()
          for i = 1, 2 do core.msleep(1) coroutine.yield(select(2, coroutine.resume(inner))) end
        end)
        return outer() .. outer() .. coroutine.status(inner)''',
    "coroutine.close": '''
        local s = ""
        local co = coroutine.create(function()
          local x <close> = setmetatable({}, {__close = function() core.msleep(1) s = s .. "closed" end})
          coroutine.yield()
        end)
        coroutine.resume(co)
        return tostring(coroutine.close(co)) .. s''',
    "closing iterator": '''
        local s = ""
        for i in function(_, i) i = (i or 0) + 1 if i < 5 then return i end end, nil, nil,
            setmetatable({}, {__close = function() core.msleep(1) s = s .. "!" end}) do
          if i == 3 then break end
          s = s .. i
        end
        return s''',
    "finalizer": '''
        local s
        setmetatable({}, {__gc = function() core.msleep(1) s = "collected" end})
        while not s do collectgarbage() core.msleep(1) end
        return s''',
    "table library": '''
        local t = setmetatable({}, {__index = function(_, k) core.msleep(1) if k < 4 then return k end end,
                                    __newindex = function(_, k, v) core.msleep(1) rawset(_, k, v * 2) end,
                                    __len = function() core.msleep(1) return 3 end})
        local s = table.concat(t, "-") .. " " .. table.concat({table.unpack(t)}, "+") .. " "
        for _, v in ipairs(t) do s = s .. v end
        return s .. " " .. table.concat(table.move(t, 1, 3, 1, {})) .. string.format(" %s", table.move({5}, 1, 1, 1, t)[1])''',
    "required file": 'package.path = "@dir@/?.lua;" .. package.path package.loaded.slow = nil return require("slow").v',
    "require": 'package.preload["later"] = function() core.msleep(1) return {v = "loaded"} end return require("later").v',
    "load": 'local parts, i = {"return ", "\\"chunk\\""}, 0 return load(function() i = i + 1 core.msleep(1) return parts[i] end)()',
}
EXPECTED = {"gsub": "A B C", "sort": "123", "tostring": "text", "two coroutines deep": "abdead", "coroutine.close": "trueclosed",
            "closing iterator": "12!", "finalizer": "collected", "table library": "1-2-3 1+2+3 123 123 10", "required file": "slow",
            "pcall": "false7", "xpcall": "xy", "coroutine": "26", "iterator": "123", "close": "open closed",
            "pairs": "a1", "require": "loaded", "load": "chunk"}

OPERATORS = {"__add": "+", "__sub": "-", "__mul": "*", "__div": "/", "__mod": "%", "__pow": "^", "__idiv": "//", "__band": "&", "__bor": "|",
             "__bxor": "~", "__shl": "<<", "__shr": ">>", "__concat": ".."}
METAMETHODS = {name: ("return 'done'", f"return t {sign} 1") for name, sign in OPERATORS.items()} | {
    "__index": ("return 'done'", "return t.x"),
    "__newindex": ("rawset(a, 'y', c)", "t.x = 'done' return t.y"),
    "__call": ("return b", "return t('done')"),
    "__eq": ("return true", "return t == u and 'done'"),
    "__lt": ("return true", "return t < u and 'done'"),
    "__le": ("return true", "return t <= u and 'done'"),
    "__len": ("return 'done'", "return #t"),
    "__unm": ("return 'done'", "return -t"),
    "__bnot": ("return 'done'", "return ~t"),
    "__tostring": ("return 'done'", "return tostring(t)"),
    "__pairs": ("return next, {done = 1}", "for k in pairs(t) do return k end"),
    "__close": ("said = 'done'", "said = nil do local x <close> = t end return said"),
}

FETCH = 'core.register_fetches("fetch", function(txn) return run() end)\n'
ACTION = 'core.register_action("act", {"http-req", "http-res", "tcp-req"}, function(txn) txn:set_var("txn.out", run()) end)\n'


@pytest.mark.beyond
@pytest.mark.parametrize("name", METAMETHODS)
def test_a_wait_in_a_metamethod(start, name):
    body, use = METAMETHODS[name]
    script = f"""
local meta = {{{name} = function(a, b, c) core.msleep(2) {body} end}}
local function run()
  local t, u, said = setmetatable({{}}, meta), setmetatable({{}}, meta)
  {use}
end
"""
    if name == "__close":  # which is given the value and the error
        script = script.replace(body, "a.say()").replace("said = nil do", "t.say = function() said = 'done' end do")
    proxy = start(PROXY.format(load="lua-load", rules="http-request lua.act"), files={"w.lua": script + FETCH + ACTION})
    for answer in at_once(4, lambda _: proxy.get("/")):
        assert (answer.text, answer.headers["x-sample"]) == ("done", "done")


@pytest.mark.beyond
@pytest.mark.parametrize("load", ["lua-load", "lua-load-per-thread"])
@pytest.mark.parametrize("place", PLACES)
def test_a_wait_inside_the_language(start, place, load):
    script = f"local function run()\n{PLACES[place]}\nend\n{FETCH}{ACTION}"
    slow = "core.msleep(1)\nreturn {v = 'slow'}\n"
    proxy = start(PROXY.format(load=load, rules="http-request lua.act"), files={"w.lua": script, "slow.lua": slow})
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


CALLER = r"""
#include <lua.h>
#include <lauxlib.h>

static int each(lua_State *L) { /* f(1), f(2), f(3) between two strings of a buffer */
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (int i = 1; i <= 3; i++) {
    lua_pushvalue(L, 1);
    lua_pushinteger(L, i);
    lua_call(L, 1, 1);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
  return 1;
}
static int guard(lua_State *L) { /* the error of f() */
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 0, 0, 0) == LUA_OK) lua_pushliteral(L, "none");
  return 1;
}
static const char *piece(lua_State *L, void *unused, size_t *size) {
  (void)unused;
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  lua_replace(L, 2);
  return lua_tolstring(L, 2, size);
}
static int compile(lua_State *L) { /* the value of the chunk whose pieces f() gives */
  lua_settop(L, 2);
  if (lua_load(L, piece, NULL, "chunk", NULL) != LUA_OK) return lua_error(L);
  lua_call(L, 0, 1);
  return 1;
}
int luaopen_caller(lua_State *L) {
  static const luaL_Reg all[] = {{"each", each}, {"guard", guard}, {"compile", compile}, {NULL, NULL}};
  luaL_newlib(L, all);
  return 1;
}
"""


@pytest.mark.beyond
@pytest.mark.parametrize("load", ["lua-load", "lua-load-per-thread"])
def test_waits_under_functions_of_a_c_module(start, tmp_path, load):
    (tmp_path / "caller.c").write_text(CALLER)
    subprocess.run(["cc", "-shared", "-fPIC", "-fexceptions", "-I/usr/include/lua5.4", "-o", tmp_path / "caller.so", tmp_path / "caller.c"],
                   check=True)
    script = f"""
package.cpath = "{tmp_path}/?.so;" .. package.cpath
local caller = require("caller")
local function run()
  local pieces, i = {{"return ", "'compiled'"}}, 0
  return caller.each(function(n) core.msleep(1) return n * 2 end)
    .. caller.guard(function() core.msleep(1) error("caught", 0) end)
    .. caller.compile(function() core.msleep(1) i = i + 1 return pieces[i] end)
end
"""
    proxy = start(PROXY.format(load=load, rules="http-request lua.act"), files={"w.lua": script + FETCH + ACTION})
    for answer in at_once(8, lambda _: proxy.get("/")):
        assert (answer.text, answer.headers["x-sample"]) == ("246caughtcompiled", "246caughtcompiled")


@pytest.mark.beyond
def test_tasks_commands_services_and_events_wait(start, web, syslog):
    log = syslog()
    script = """
local function slow(text) return (text:gsub(".", function(c) core.msleep(1) return c:upper() end)) end
core.register_task(function(a, b) core.Info("NOTE " .. slow(a) .. slow(b)) end, "task", "s")
core.register_cli({"say", "slowly"}, "", function(applet, _, _, word) applet:send(slow(word) .. "\\n") end)
core.register_service("svc", "http", function(applet) local s = slow(applet.path) applet:start_response() applet:send(s) end)
core.register_service("tcp", "tcp", function(applet) applet:send(slow(applet:getline())) end)
core.event_sub({"SERVER_ADMIN"}, function(event) core.Info("NOTE " .. slow("event")) end)
"""
    proxy = start(GLOBAL.format(load="lua-load") + """
            stats socket @dir@/cli level admin
            log @log@ local0
        frontend fe
            bind @fe@
            http-request use-service lua.svc
        frontend ft
            mode tcp
            bind @ft@
            tcp-request content use-service lua.tcp
        backend be
            server s @web@
    """, web=web("x"), log=log, files={"w.lua": script})
    log.next("NOTE TASKS")
    assert [a.text for a in at_once(4, lambda i: proxy.get(f"/path{i}"))] == [f"/PATH{i}" for i in range(4)]
    with proxy.connect("ft") as wire:
        assert wire.send("line\n").read_all() == b"LINE\n"
    assert proxy.cli("say slowly word").strip() == "WORD"
    proxy.cli("set server be/s state maint")
    log.next("NOTE EVENT")
