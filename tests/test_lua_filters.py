"""Filters that scripts register: what they see, what they change, what they hold up."""
import pytest

from harness import Answer, Closed

SCRIPT = """
local F = {id = "test", flags = filter.FLT_CFG_FL_HTX}
F.__index = F
function F:new() return setmetatable({args = self.args}, F) end
local function side(chn) return chn:is_resp() and "res" or "req" end
local function mine(self, chn) return self.args[2] == nil or self.args[2] == side(chn) end
local act = {}

function act.upper(m) if m:input() > 0 then m:set(m:body():upper()) end end
function act.number(m) m:set(tostring(#m:body())) end
function act.hold(m) if not m:eom() then return filter.WAIT end m:append("!") end
function act.two(m) return 2 end
function act.raise() error("boom") end
function act.strip(m) m:remove(0, 1) end
function act.shorten(m) m:remove(2, math.maxinteger) end

function F:start_analyze(txn, chn)
  core.Info(self.args[1] .. " start " .. side(chn))
  if mine(self, chn) and self.args[1] ~= "headers" then filter.register_data_filter(self, chn) end
  if self.args[1] == "refuse" and mine(self, chn) then return filter.ERROR end
end
function F:http_headers(txn, m)
  local what, chn = self.args[1], m.channel
  if not mine(self, chn) then return end
  if what == "hold" or what == "number" then m:set_body_len("chunked") end
  if what == "three" then m:set_body_len(3) end
  if what ~= "headers" then return end
  local line = m:get_stline()
  if chn:is_resp() then
    m:set_status(tonumber(line.code) + 1, "More")
    m:add_header("x-was", line.code .. " " .. line.version)
  else
    m:set_method("PUT") m:set_uri("/new?a=1") m:rep_header("x-in", "(.)(.)", "\\\\2\\\\1")
    m:set_header("x-was", line.method .. " " .. line.uri .. " " .. line.version)
  end
end
function F:http_payload(txn, m)
  local f = act[self.args[1]]
  if f then return f(m) end
end
function F:tcp_payload(txn, chn)
  if chn:input() > 0 then chn:set(chn:data():upper()) end
end
function F:end_analyze(txn, chn) core.Info(self.args[1] .. " end " .. side(chn)) end
core.register_filter("f", F, function(flt, args) flt.args = args return flt end)
"""

HTTP = """
global
    tune.lua.bool-sample-conversion normal
    lua-load @dir@/f.lua
    {extra}
defaults
    mode http
    timeout connect 5s
    timeout client 3s
    timeout server 3s
frontend fe
    bind @fe@
    {filters}
    default_backend be
backend be
    server s @s1@
"""


def proxy_with(start, server, filters, **settings):
    return start(HTTP.format(filters=filters, extra=settings.pop("extra", "")), s1=server,
                 files={"f.lua": SCRIPT}, **settings)


def test_heads_are_read_and_rewritten(start, web):
    server = web("x")
    proxy = proxy_with(start, server, "filter lua.f headers")
    answer = proxy.get("/old", {"x-in": "ab"}, method="POST", body=b"b")
    assert (answer.status, answer.reason) == (201, "More")
    assert answer.headers["x-was"] == "200 HTTP/1.1"
    request = server.requests[0]
    assert (request.method, request.target) == ("PUT", "/new?a=1")
    assert request.headers["x-in"] == "ba"
    assert request.headers["x-was"] == "POST /old HTTP/1.1"


@pytest.mark.parametrize("side", ["req", "res"])
def test_a_body_of_the_same_length_is_changed(start, web, side):
    server = web(lambda r: Answer(200, r.body if r.body else "answer"))
    proxy = proxy_with(start, server, f"filter lua.f upper {side}")
    assert proxy.get("/", method="POST", body=b"hello").text == "HELLO"
    assert server.requests[0].text == ("HELLO" if side == "req" else "hello")


def test_a_large_body_passes_in_pieces(start, web):
    body = bytes(range(97, 123)) * 20000
    server = web(lambda r: Answer(200, r.body))
    proxy = proxy_with(start, server, "filter lua.f upper req\n    filter lua.f two res")
    assert proxy.get("/", method="POST", body=body[:3000]).body == body[:3000].upper()
    proxy = proxy_with(start, server, "filter lua.f upper")
    assert proxy.get("/", method="POST", body=body).body == body.upper()


def test_a_body_is_held_until_it_is_whole(start, web):
    server = web(lambda r: Answer(200, r.body))
    proxy = proxy_with(start, server, "filter lua.f hold res")
    assert proxy.get("/", method="POST", body=b"a" * 5000).body == b"a" * 5000 + b"!"


def test_filters_see_what_the_one_before_passed_on(start, web):
    server = web(lambda r: Answer(200, r.body))
    proxy = proxy_with(start, server, "filter lua.f hold res\n    filter lua.f number res")
    assert proxy.get("/", method="POST", body=b"12345").text == "6"


def test_a_refusal_before_the_server_is_an_answer(start, web):
    server = web("x")
    proxy = proxy_with(start, server, "filter lua.f refuse req")
    assert proxy.get("/").status == 400
    assert server.requests == []
    proxy = proxy_with(start, server, "filter lua.f raise req")
    assert proxy.get("/", method="POST", body=b"x").status == 400
    proxy.wait_output(r"Lua filter 'f' : .*boom")


def test_a_refused_response(start, web):
    proxy = proxy_with(start, web("x"), "filter lua.f refuse res")
    assert proxy.get("/").status == 502


def test_a_range_beyond_all_numbers(start, web):
    proxy = proxy_with(start, web("hello"), "filter lua.f shorten res")
    with proxy.connect() as wire:
        wire.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        assert wire.read_all().endswith(b"\r\n\r\nhe")


def test_a_short_body_does_not_shift_the_next_message(start, web):
    """The head promises more than the filter left: nothing after it may be taken for the rest."""
    proxy = proxy_with(start, web("hello"), "filter lua.f strip res")
    with proxy.connect() as wire:
        wire.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        with pytest.raises(Closed):
            wire.response()


@pytest.mark.parametrize("sequence, expected", [
    ("", ["a start req", "b start req", "a start res", "b start res"]),
    ("filter-sequence request lua.f2,lua.f\n    filter-sequence response lua.f2",
     ["b start req", "a start req", "b start res"]),
])
def test_the_sequence_decides_the_order(start, web, syslog, sequence, expected):
    log = syslog()
    script = SCRIPT + '\ncore.register_filter("f2", F, function(flt, args) flt.args = args return flt end)\n'
    proxy = start(HTTP.format(filters=f"filter lua.f a\n    filter lua.f2 b\n    {sequence}",
                              extra="log @log@ local0"),
                  s1=web("x"), log=log, files={"f.lua": script})
    assert proxy.get("/").text == "x"
    for line in expected:
        assert line in log.next(r" start r").string


def test_a_service_and_its_response_are_filtered(start):
    script = SCRIPT + """
core.register_service("echo", "http", function(applet)
  local body = applet:receive()
  applet:set_status(200) applet:start_response() applet:send("got " .. body)
end)
"""
    proxy = start("""
        global
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/f.lua
        frontend fe
            bind @fe@
            filter lua.f upper
            http-request use-service lua.echo
    """, files={"f.lua": script})
    assert proxy.get("/", method="POST", body=b"abc").text == "GOT ABC"


def test_tcp_streams_are_filtered_both_ways(start, tcp):
    def echo(wire):
        while True:
            wire.fill()
            wire.send(b"Server:" + wire.buffer)
            wire.buffer = b""

    proxy = start("""
        global
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/f.lua
        listen fe
            mode tcp
            bind @fe@
            filter lua.f tcp
            server s @s1@
    """, s1=tcp(echo), files={"f.lua": SCRIPT})
    with proxy.connect() as wire:
        assert wire.send("hello").read(12) == b"SERVER:HELLO"
        assert wire.send("more").read(11) == b"SERVER:MORE"


@pytest.mark.parametrize("line, text", [
    ("filter", "missing argument for 'filter'"),
    ("filter lua.nothing", "unknown keyword 'lua.nothing'"),
    ("filter-sequence sideways x", "expected either 'request' or 'response'"),
    ("filter-sequence request foo", "'foo' is not defined on the proxy"),
])
def test_wrong_lines(check, line, text):
    code, output = check(f"frontend fe\n    bind @fe@\n    {line}\n")
    assert code == 1
    assert text in output


@pytest.mark.beyond
def test_callbacks_may_wait(start, web):
    script = SCRIPT + """
local W = {flags = filter.FLT_CFG_FL_HTX}
W.__index = W
function W:new() return setmetatable({}, W) end
function W:start_analyze(txn, chn) core.msleep(5) filter.register_data_filter(self, chn) end
function W:http_headers(txn, m) core.msleep(5) m:add_header("x-waited", "yes") end
function W:http_payload(txn, m)
  local body = m:body():gsub("%w+", function(w) core.msleep(2) return w:upper() end)
  m:set(body)
end
function W:http_end() core.msleep(5) end
core.register_filter("wait", W, function(flt) return flt end)
"""
    proxy = start(HTTP.format(filters="filter lua.wait", extra=""), s1=web(lambda r: Answer(200, r.body)),
                  files={"f.lua": script})
    answer = proxy.get("/", method="POST", body=b"one two three")
    assert answer.text == "ONE TWO THREE"
    assert answer.headers["x-waited"] == "yes"


WAITING = """
local W = {flags = filter.FLT_CFG_FL_HTX}
W.__index = W
local function slow(what, chn)
  what = what:gsub("%w", function(c) core.msleep(1) return c end)
  core.Info("STEP " .. what .. (chn and (chn:is_resp() and " res" or " req") or ""))
end
function W:new() slow("new") return setmetatable({}, W) end
function W:start_analyze(txn, chn) slow("start", chn) filter.register_data_filter(self, chn) end
function W:http_headers(txn, m) slow("headers", m.channel) end
function W:http_payload(txn, m) slow("payload", m.channel) end
function W:http_end(txn, m) slow("end", m.channel) end
function W:tcp_payload(txn, chn) if chn:input() > 0 then slow("data", chn) end end
function W:end_analyze(txn, chn) slow("over", chn) end
core.register_filter("wait", W, function(flt) return flt end)
"""


@pytest.mark.beyond
def test_every_callback_may_wait(start, web, tcp, syslog):
    def echo(wire):
        wire.send(wire.read(2).upper())

    log = syslog()
    proxy = start("""
        global
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/f.lua
            log @log@ local0
        listen fe
            bind @fe@
            filter lua.wait
            server s @s1@
        listen ft
            mode tcp
            bind @ft@
            filter lua.wait
            server s @s2@
    """, s1=web(lambda r: Answer(200, r.body)), s2=tcp(echo), log=log, files={"f.lua": WAITING})
    assert proxy.get("/", method="POST", body=b"x").text == "x"
    for step in ("new", "start req", "headers req", "payload req", "start res", "headers res", "payload res", "end res"):
        log.next(f"STEP {step}")
    assert {log.next("STEP over (re.)")[1] for _ in range(2)} == {"req", "res"}
    assert any("STEP end req" in line for line in log.lines)
    with proxy.connect("ft") as wire:
        assert wire.send("hi").read_all() == b"HI"
    for step in ("new", "start req", "data req", "data res"):
        log.next(f"STEP {step}")
    assert {log.next("STEP over (re.)")[1] for _ in range(2)} == {"req", "res"}


@pytest.mark.beyond
def test_a_filter_may_hold_the_head_of_a_service(start):
    script = """
local H = {flags = filter.FLT_CFG_FL_HTX}
H.__index = H
function H:new() return setmetatable({}, H) end
function H:http_headers(txn, m)
  if not m.channel:is_resp() or self.asked then return end
  self.asked = true
  filter.wake_time(30)
  return filter.WAIT
end
core.register_filter("hold", H, function(flt) return flt end)
core.register_service("hello", "http", function(applet)
  applet:set_status(200) applet:start_response() applet:send("hello")
end)
"""
    proxy = start("""
        global
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/f.lua
        frontend fe
            bind @fe@
            filter lua.hold
            http-request use-service lua.hello
    """, files={"f.lua": script})
    assert proxy.get("/").text == "hello"


@pytest.mark.beyond
def test_messages_and_channels_that_outlive_their_call(start, web):
    script = """
local F = {flags = filter.FLT_CFG_FL_HTX}
F.__index = F
local kept
function F:new() return setmetatable({}, F) end
function F:http_headers(txn, m)
  if m.channel:is_resp() then return end
  local said = {}
  if kept then
    for name, use in pairs{headers = function() kept.m:get_headers() end, line = function() kept.m:get_stline() end,
                           set = function() kept.m:set_header("a", "b") end, body = function() kept.m:body() end,
                           input = function() kept.channel:input() end, side = function() kept.channel:is_resp() end,
                           member = function() return kept.txn.f end, register = function() filter.register_data_filter(kept.self, kept.channel) end} do
      local ok, e = pcall(use)
      if ok or not e:find("ended") then said[#said + 1] = name .. ": " .. tostring(e) end
    end
  end
  kept = {m = m, channel = m.channel, txn = txn, self = self}
  m:set_header("x-said", "said " .. table.concat(said, ", "))
end
core.register_filter("f", F, function(flt) return flt end)
"""
    server = web("x")
    proxy = start(HTTP.format(filters="filter lua.f", extra=""), s1=server, files={"f.lua": script})
    for _ in range(3):
        assert proxy.get("/").text == "x"
    assert [r.headers["x-said"].strip() for r in server.requests] == ["said"] * 3
