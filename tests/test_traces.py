"""Traces: what the sources tell, how they are chosen, and what "filter trace" prints and holds back."""
import re

import pytest

from harness import Answer, eventually

FRONT = """
    global
        stats socket @dir@/cli level admin
        {extra}
    ring r1
        description "mine"
        format timed
        maxlen 1200
    traces
        {traces}
    defaults
        mode http
        timeout connect 5s
        timeout client 5s
        timeout server 5s
    frontend fe
        bind @fe@
        default_backend be
    backend be
        server s @s@
"""


def begin(start, web, traces, extra=""):
    return start(FRONT.format(traces=traces, extra=extra), s=web("hello"))


def lines(text, source):
    return [line for line in text.splitlines() if f"|{source}|" in line]


def test_messages_are_told_at_the_level_of_users(start, web):
    proxy = begin(start, web, "trace h1 sink stderr level user start now")
    proxy.get("/")
    proxy.wait_output(r"^\[\d\d\|h1\|1\|[^]]{1,13}\] rcvd H1 request headers : \[F")
    proxy.wait_output(r"\|h1\|1\|.*sending request headers : \[B")
    proxy.wait_output(r"\|h1\|1\|.*rcvd H1 response headers : \[B")
    proxy.wait_output(r"\|h1\|1\|.*H1 response fully xferred : \[F")
    assert all("|h1|1|" in line for line in lines(proxy.output(), "h1"))


def test_a_ring_keeps_what_a_source_tells(start, web):
    proxy = begin(start, web, "trace session sink r1 level state start now")
    proxy.get("/")
    told = eventually(lambda: lines(proxy.cli("show events r1"), "session"))
    assert re.match(r"<0>\d{4}-\d\d-\d\dT\S+ \[\d\d\|session\|3\|.*\] new session", told[0])
    assert "-> r1 [drp 0]  [client session management]" in proxy.cli("show trace")


def test_errors_alone(start, web):
    proxy = begin(start, web, "trace h1 sink buf0 level error start now")
    proxy.get("/")
    with proxy.connect() as wire:
        wire.send("GET / HTTP/1.1\r\nBad Header: x\r\n\r\n")
        assert wire.response().status == 400
    told = eventually(lambda: lines(proxy.cli("show events buf0"), "h1"))
    assert "|h1|0|" in told[0] and "parsing error, reject H1 message" in told[0]
    assert all("|h1|0|" in line for line in told)


def test_commands_move_a_source(start, web):
    proxy = begin(start, web, "")
    assert " [.] h1         : HTTP/1 multiplexer" in proxy.cli("trace")
    assert proxy.cli("trace h1 start +h1c_new") == ""
    assert " [w] h1 " in proxy.cli("show trace")
    assert proxy.cli("trace h1 start now sink buf0 level proto") == ""
    assert " [R] h1         -> buf0" in proxy.cli("show trace")
    assert "  * proto      : " in proxy.cli("trace h1 level")
    assert proxy.cli("trace h1 pause now") == ""
    assert " [w] h1 " in proxy.cli("trace")
    assert proxy.cli("trace 0") == "All traces now stopped"
    assert " [.] h1 " in proxy.cli("trace")


def test_events_are_chosen_one_by_one(start, web):
    proxy = begin(start, web, "trace h1 sink buf0 event none event +tx_headers start now")
    proxy.get("/")
    told = eventually(lambda: lines(proxy.cli("show events buf0"), "h1"))
    assert any("sending request headers" in line for line in told)
    assert not any("rcvd H1 request headers" in line for line in told)
    status = proxy.cli("show trace h1")
    assert "    tx_headers   :        +        -        -       -" in status
    assert "    rx_headers   :        -        -        -       -" in status


def test_stop_ends_a_trace(start, web):
    proxy = begin(start, web, "trace session sink buf0 level state start sess_new stop sess_end")
    proxy.get("/")
    eventually(lambda: " [.] session " in proxy.cli("show trace"))
    told = lines(proxy.cli("show events buf0"), "session")
    assert sum("new session" in line for line in told) >= 1
    proxy.get("/")
    assert lines(proxy.cli("show events buf0"), "session") == told


@pytest.mark.beyond
def test_a_source_follows_what_another_is_locked_on(start, web):
    proxy = begin(start, web, "trace session lock session start sess_new pause sess_end\n"
                              "        trace h1 sink buf0 verbosity simple follow session")
    with proxy.connect() as first:
        assert first.ask("GET", "/early").status == 200  # it is there before the other comes
        with proxy.connect() as second:
            assert second.ask("GET", "/second").status == 200
        assert first.ask("GET", "/first").status == 200
        told = "\n".join(lines(proxy.cli("show events buf0"), "h1"))
    assert "GET /first" in told and "GET /second" not in told


@pytest.mark.parametrize("command, answer", [
    ("trace nosuch", "No such trace source 'nosuch'"),
    ("show trace nosuch", "No such trace source"),
    ("trace h1 event nosuch", "No such trace event 'nosuch'"),
    ("trace h1 lock bad", "Unsupported lock-on criterion 'bad'"),
    ("trace h1 sink bad", "No such trace sink 'bad'"),
    ("trace h1 bad", "Unknown trace keyword 'bad'"),
    ("trace h1 level bad", "No such trace level 'bad'. Supported trace levels for source h1:"),
    ("trace all start now", "'start' not applicable to meta-source 'all'"),
    ("trace h1 follow bad", "No such trace source 'bad'"),
])
def test_mistakes_are_named(start, web, command, answer):
    assert begin(start, web, "").cli(command).startswith(answer)


@pytest.mark.parametrize("line, said", [
    ("trace nosuch sink stderr", "No such trace source 'nosuch'"),
    ("trace h1 level bad", "No such trace level 'bad'"),
    ("foo bar", "unknown keyword 'foo'"),
])
def test_mistakes_of_the_section_end_the_start(check, line, said):
    code, text = check(f"traces\n    {line}\n")
    assert code != 0 and said in text


FILTER = """
    defaults
        mode {mode}
        timeout connect 5s
        timeout client 5s
        timeout server 5s
    frontend fe
        bind @fe@
        filter trace name F {words}
        filter trace name Q quiet
        default_backend be
    backend be
        filter trace name B
        server s @s@
"""


def of(text, name):
    """What a filter's calls were, without time and stream."""
    found = re.findall(rf"^[\d.]+ \[{name}/\w+ *\] \[strm [^]]*\] (.*)$", text, re.M)
    return [re.sub(r"offset=\d+", "offset=N", line.rstrip()) for line in found if "trace_chn_analyze" not in line]


def test_a_filter_tells_of_a_request_with_a_body(start, web):
    proxy = start(FILTER.format(mode="http", words="hexdump"), s=web(Answer(200, "hello")))
    proxy.get("/p", {"x-in": "1"}, "POST", "0123456789abcdefg")
    proxy.wait_output(r"\[F/fe +\].*trace_detach             : filter-type=frontend")
    told = of(proxy.output(), "F")
    assert told[:3] == ["trace_attach             : filter-type=frontend", "trace_stream_start",
                        "trace_chn_start_analyze  : channel=REQUEST    - mode=HTTP  (frontend)"]
    assert "trace_stream_set_backend : backend=be" in told
    assert "trace_http_headers       : channel=REQUEST    - mode=HTTP  (backend)\tPOST /p HTTP/1.1" in told
    assert "\tx-in: 1" in told
    assert ("trace_http_payload       : channel=REQUEST    - mode=HTTP  (backend) - offset=N - len=17 - forward=17"
            in told)
    assert "trace_http_end           : channel=RESPONSE   - mode=HTTP  (backend)" in told
    assert told[-2:] == ["trace_stream_stop", "trace_detach             : filter-type=frontend"]
    assert of(proxy.output(), "B")[0] == "trace_attach             : filter-type=backend"
    assert not of(proxy.output(), "Q")
    output = proxy.output()
    assert "\t0x000000: 30 31 32 33 34 35 36 37   38 39 61 62 63 64 65 66   |0123456789abcdef|\n" in output
    assert f"\t0x000010: 67 {' ' * 47}  |g|\n" in output


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_filter_holds_back(start, web, mode):
    proxy = start(FILTER.format(mode=mode, words="random-forwarding max-fwd 100"),
                  s=web(lambda request: Answer(200, request.body)))
    body = "0123456789" * 50
    assert proxy.get("/", {}, "POST", body).text == body
    kind = "trace_http_payload" if mode == "http" else "trace_tcp_payload"
    forwards = [int(n) for n in re.findall(rf"\[F/fe .*{kind} .* - forward=(\d+)", proxy.output())]
    assert max(forwards) <= 100 and sum(forwards) >= 1000


LUA = """
local F = {flags = filter.FLT_CFG_FL_HTX}
F.__index = F
function F:new() return setmetatable({}, F) end
function F:start_analyze(txn, chn) filter.register_data_filter(self, chn) end
function F:http_payload(txn, m) if m:input() > 0 then m:set(m:body():upper()) end end
core.register_filter("up", F, function(flt, args) return flt end)
"""


def test_filters_stand_in_the_order_of_their_lines(start, web):
    proxy = start("""
        global
            lua-load @dir@/f.lua
        frontend fe
            bind @fe@
            filter trace name A hexdump
            filter lua.up
            filter trace name Z hexdump
            default_backend be
        backend be
            server s @s@
    """, s=web("hello"), files={"f.lua": LUA})
    assert proxy.get("/").text == "HELLO"
    output = proxy.output()
    assert output.index("|hello|") < output.index("|HELLO|")
    before = [line[:2] for line in re.findall(r"\[(\w/fe) .*trace_http_end .*RESPONSE", output)]
    assert before == ["A/", "Z/"]


@pytest.mark.parametrize("words, said", [
    ("foo", "unknown keyword 'foo'"),
    ("name", "'name' option without value"),
    ("max-fwd", "'max-fwd' option without value"),
    ("max-fwd -1", "'max-fwd' expect unsigned integer"),
])
def test_mistakes_of_a_filter(check, words, said):
    code, text = check(f"listen l\n    bind @l@\n    filter trace {words}\n    server s @l@\n")
    assert code != 0 and said in text


def test_traces_from_the_start(start, web):
    proxy = start(FRONT.format(traces="", extra=""), args=("-dt", "session:state,h1:user"), s=web("hello"))
    proxy.get("/")
    proxy.wait_output(r"\|session\|3\|.*new session")
    proxy.wait_output(r"\|h1\|1\|.*rcvd H1 request headers")
    assert not lines(proxy.output(), "stream")


def test_wrong_words_behind_dt(check, web):
    for words, said in (("h1:loud", "level"), ("nothing", "source"), ("h1:user:much", "verbosity")):
        code, text = check(FRONT.format(traces="", extra=""), args=("-dt", words), s=web("hello"))
        assert code == 1
        assert said in text
