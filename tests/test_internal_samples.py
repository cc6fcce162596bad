"""Samples that show the inside: blocks of messages, streams of connections, what fibers cost."""
import re

import pytest
from harness import Answer, eventually

# One line for each question, in the order of the blocks.
KINDS = [f"%[internal.htx_blk.type({i})]:%[internal.htx_blk.size({i})]" for i in range(9)]
SUMS = " ".join(f"%[internal.htx.{name}]" for name in ("nbblks", "size", "data", "used", "free", "free_data", "has_eom"))
CONFIG = """
    global
        tune.bufsize 32768
    defaults
        mode http
        timeout client 5s
        timeout server 5s
        timeout connect 5s
    frontend fe
        bind @fe@
        option http-buffer-request
        http-request set-var-fmt(txn.before) "{dump}"
        http-request set-header x-new value
        http-request replace-header host .* h.example.org
        http-request set-method PUT
        http-request set-path /changed
        http-request set-var-fmt(txn.after) "{dump}"
        http-response wait-for-body time 1s
        http-response set-var-fmt(txn.response) "{dump}"
        http-after-response set-header x-before %[var(txn.before)]
        http-after-response set-header x-after %[var(txn.after)]
        http-after-response set-header x-response %[var(txn.response)]
        default_backend be
    backend be
        server s @s@
"""


def dumped(text):
    """The blocks before those that are not there, and the sums behind them."""
    blocks, sums = text.split(" | ")
    return [b.removeprefix("HTX_BLK_") for b in blocks.split() if b != "HTX_BLK_UNUSED:0"], [int(n) for n in sums.split()]


@pytest.fixture
def blocks(start, web):
    """Sends bytes; gives the blocks before and after the rules and those of the response."""
    def ask(request, answer=None):
        server = web(lambda _: answer or Answer(headers=[("X-A", "b")], body="answer text"))
        proxy = start(CONFIG.format(dump=" ".join(KINDS) + " | " + SUMS), s=server)
        wire = proxy.connect()
        wire.send(request)
        response = wire.response()
        return [dumped(response.headers[name]) for name in ("x-before", "x-after", "x-response")]
    return ask


def sums(sizes, whole=1):
    data, used, size = sum(sizes), sum(sizes) + 8 * len(sizes), 32768 - 40
    return [len(sizes), size, data, used, size - used, size - used - 8, whole]


def expect(got, expected, whole=1):
    assert got == (expected, sums([int(b.split(":")[1]) for b in expected], whole))


def test_blocks_of_a_request_without_body(blocks):
    before, after, response = blocks("GET /p HTTP/1.1\r\nHost:  a \r\nConnection: close\r\nX-Empty:\r\n\r\n")
    expect(before, ["REQ_SL:33", "HDR:5", "HDR:7", "EOH:1"])
    expect(after, ["REQ_SL:39", "HDR:17", "HDR:7", "HDR:10", "EOH:1"])
    kinds = [b.split(":")[0] for b in response[0]]
    assert kinds[0] == "RES_SL" and kinds[-2:] == ["EOH", "DATA"] and set(kinds[1:-2]) == {"HDR"}
    assert response[0][-1] == "DATA:11" and "HDR:4" in response[0]
    expect(response, response[0])


def test_blocks_of_bodies(blocks):
    before, _, _ = blocks("POST /p HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde")
    expect(before, ["REQ_SL:34", "HDR:5", "HDR:15", "EOH:1", "DATA:5"])


@pytest.mark.parametrize("end, last", [("", []), ("A: bc\r\nDe: f\r\n", ["TLR:3", "TLR:3"])])
def test_blocks_of_chunks_and_trailers(blocks, end, last):
    before, _, _ = blocks("POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                          f"3\r\nabc\r\n2\r\nde\r\n0\r\n{end}\r\n")
    expect(before, ["REQ_SL:34", "HDR:5", "HDR:24", "EOH:1", "DATA:5", *last, "EOT:1"])


def test_a_message_that_is_not_whole(start, web):
    proxy = start("""
        frontend fe
            bind @fe@
            http-request return status 200 hdr x-whole %[internal.htx.has_eom] hdr x-data <%[internal.htx_blk.data(tail)]>
    """)
    wire = proxy.connect()
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
    response = wire.response()
    assert (response.headers["x-whole"], response.headers["x-data"]) == ("0", "<ab>")


def test_trailers_have_names_and_values(start):
    proxy = start("""
        frontend fe
            bind @fe@
            option http-buffer-request
            http-request return status 200 hdr x-trailer %[internal.htx_blk.hdrname(5)]=%[internal.htx_blk.hdrval(5)]
    """)
    wire = proxy.connect()
    wire.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nEnd: yes\r\n\r\n")
    assert wire.response().headers["x-trailer"] == "end=yes"


def test_own_answers_have_blocks(start):
    proxy = start("""
        frontend fe
            bind @fe@
            http-after-response set-header x-tail %[internal.htx_blk.type(tail)],%[internal.htx_blk.data(tail)]
            http-after-response set-header x-line %[internal.htx_blk.start_line(0)]
            http-request return status 202 content-type text/plain string hello
    """)
    response = proxy.get("/")
    assert response.headers["x-tail"] == "HTX_BLK_DATA,hello"
    assert response.headers["x-line"] == "HTTP/1.1 202 Accepted"


@pytest.mark.parametrize("argument", ["(-1)", "(foo)", "()", "", "(1.5)", "(Head)"])
def test_wrong_positions_are_named(check, argument):
    code, text = check(f"""
        frontend fe
            bind @fe@
            http-request set-var(txn.a) internal.htx_blk.type{argument}
    """)
    assert code != 0 and "internal.htx_blk.type" in text


def test_streams_are_requests_of_their_connections(start, web, syslog):
    log = syslog()
    proxy = start("""
        defaults
            mode http
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            bind @fe@
            log @log@ format raw local0
            log-format "%HU <%[fs.id]> <%[bs.id]> %[fs.aborted] %[bs.aborted] <%[fs.rst_code]> <%[bs.rst_code]> %[internal.strm.is_htx]"
            http-request set-var(txn.early) internal.strm.is_htx
            http-request return status 200 if { path /own }
            http-after-response set-header x-fs %[fs.debug_str(1),length]
            default_backend be
        backend be
            http-reuse always
            server s @s@
    """, s=web("x"), log=log)
    wire = proxy.connect()
    for target in ("/a", "/b", "/own"):
        response = wire.ask("GET", target)
        assert int(response.headers["x-fs"]) > 0
    assert log.next("/a").string.strip() == "/a <0> <0> 0 0 <-> <-> 1"
    assert log.next("/b").string.strip() == "/b <1> <1> 0 0 <-> <-> 1"
    assert log.next("/own").string.strip() == "/own <2> <-> 0 0 <-> <-> 1"


def test_tcp_has_one_stream(start, tcp, syslog):
    log = syslog()
    proxy = start("""
        defaults
            mode tcp
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            bind @fe@
            log @log@ format raw local0
            log-format "<%[fs.id]> <%[bs.id]> %[fs.aborted] <%[fs.debug_str]> %[internal.strm.is_htx] calls %[cpu_calls]"
            default_backend be
        backend be
            server s @s@
    """, s=tcp(lambda wire: wire.send(wire.read_until(b"hello"))), log=log)
    wire = proxy.connect()
    wire.send("hello")
    wire.read_until(b"hello")
    wire.close()
    assert re.fullmatch(r"<0> <0> 0 <-> 0 calls [1-9]\d*", log.next("calls").string.strip())


LUA_LOOP = """
core.register_action("compute", { "http-req" }, function(txn)
    local sum = 0
    for i = 1, 200000 do sum = sum + i end
    txn:set_var("txn.sum", sum)
end)
"""
COST_LINE = ('log-format "%HU calls=%[cpu_calls] avg=%[cpu_ns_avg] tot=%[cpu_ns_tot] lat=%[lat_ns_avg] lattot=%[lat_ns_tot] '
             'use=%[cpu_usage_thr],%[cpu_usage_grp],%[cpu_usage_proc]"')


def cost_config(profiling):
    return f"""
        global
            lua-load @dir@/loop.lua
            {profiling}
        defaults
            mode http
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            bind @fe@
            log @log@ format raw local0
            {COST_LINE}
            http-request lua.compute if {{ path /much }}
            default_backend be
        backend be
            server s @s@
    """


def costs(log, path):
    return {k: v for k, v in re.findall(r"(\w+)=(\S+)", log.next(path + " ").string)}


@pytest.mark.beyond  # the reference counts the time of some configurations only
def test_what_a_request_costs(start, web, syslog):
    log = syslog()
    proxy = start(cost_config("profiling.tasks on"), files={"loop.lua": LUA_LOOP}, s=web("x"), log=log)
    wire = proxy.connect()

    def ask(path):
        wire.ask("GET", path)
        cost = costs(log, path)
        calls = int(cost["calls"])
        assert 1 <= calls < 50
        assert 0 < int(cost["avg"]) <= int(cost["tot"]) // calls  # the clock goes on between the two
        assert int(cost["lattot"]) // calls == int(cost["lat"])
        assert all(0 <= int(u) <= 100 for u in cost["use"].split(","))
        return cost

    # 200,000 turns of a loop take some 500 microseconds.
    much = ask("/much")
    assert int(much["tot"]) > 200_000
    # The next request starts anew.
    little = min((ask("/little") for _ in range(5)), key=lambda cost: int(cost["tot"]))
    assert int(much["tot"]) > int(little["tot"]) and int(little["lattot"]) > 0


def test_times_are_hidden_where_profiling_is_off(start, web, syslog):
    log = syslog()
    proxy = start(cost_config("profiling.tasks off"), files={"loop.lua": LUA_LOOP}, s=web("x"), log=log)
    proxy.get("/much")
    cost = costs(log, "/much")
    assert int(cost["calls"]) > 0
    assert [cost[k] for k in ("avg", "tot", "lat", "lattot")] == ["0"] * 4


PROFILING = """
    global
        stats socket @dir@/cli level admin
    frontend fe
        bind @fe@
        http-request return status 200
"""


def test_profiling_is_set_at_run_time(start):
    proxy = start(PROFILING)
    tasks = "Per-task CPU profiling"
    assert re.search(tasks + r" +: auto-off ", proxy.cli("show profiling status"))
    assert "Expects either 'tasks' or 'memory'" in proxy.cli("set profiling")
    assert "Expects a combination of" in proxy.cli("set profiling tasks maybe")
    assert "Memory profiling not compiled in" in proxy.cli("set profiling memory on")
    assert proxy.cli("set profiling tasks on").strip() == ""
    assert re.search(tasks + r" +: on ", proxy.cli("show profiling"))
    eventually(lambda: proxy.get("/").status == 200 and
               re.search(r"\n  \S.* [1-9]\d* +\d+\.\d+[num]?s", proxy.cli("show profiling tasks")))
    proxy.cli("set profiling tasks off")
    assert re.search(tasks + r" +: off ", proxy.cli("show profiling status"))
    assert "byaddr" in proxy.cli("show profiling nothing")


@pytest.mark.beyond
def test_a_busy_worker_says_so(start, syslog):
    log = syslog()
    proxy = start("""
        global
            nbthread 1
            lua-load @dir@/loop.lua
        frontend fe
            bind @fe@
            log @log@ format raw local0
            log-format "busy %[cpu_usage_thr]"
            http-request lua.compute
            http-request return status 200
    """, files={"loop.lua": LUA_LOOP.replace("200000", "3000000")}, log=log)

    def busy():
        for _ in range(8):
            proxy.get("/")
        return max(int(log.next(r"busy (\d+)")[1]) for _ in range(8)) >= 50
    eventually(busy)
