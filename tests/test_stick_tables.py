"""Stick tables: what is counted, what rules and samples see of it, stickiness, runtime commands."""
import re

import pytest

from harness import Answer, eventually

SOCKET = """
    global
        stats socket @dir@/cli level admin
"""

COUNTS = ("conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,"
          "bytes_in_cnt,bytes_out_cnt,gpc0,gpt0")


def entries(proxy, table):
    """The entries of a table by key, each a dict of texts."""
    found = {}
    for line in proxy.cli(f"show table {table}").splitlines():
        if ": key=" not in line:
            continue
        fields = dict(word.split("=", 1) for word in line.split(": ", 1)[1].split(" "))
        found[fields.pop("key")] = fields
    return found


def used(proxy, table):
    return int(re.search(r"used:(\d+)", proxy.cli(f"show table {table}")).group(1))


def idle(proxy, table, key="127.0.0.1"):
    """The entry once nobody tracks it any more."""
    return eventually(lambda: (e := entries(proxy, table).get(key)) and e["use"] == "0" and e, what="the entry")


def test_connections_sessions_and_requests(start, web):
    proxy = start(SOCKET + f"""
        frontend fe
            bind @fe@
            stick-table type ip size 100 expire 1m store {COUNTS}
            tcp-request session track-sc0 src
            http-request deny if {{ path /deny }}
            http-request return status 404 if {{ path /return }}
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web(lambda r: Answer(int(r.target[1:] or 200), "hello")))
    with proxy.connect("fe") as wire:
        for path in ("/", "/404", "/500", "/501", "/return"):
            wire.ask(target=path)
        assert entries(proxy, "fe")["127.0.0.1"]["conn_cur"] == "1"
    assert proxy.get("/deny").status == 403
    entry = eventually(lambda: (e := idle(proxy, "fe")) and e["conn_cur"] == "0" and e)
    assert entry["conn_cnt"] == entry["sess_cnt"] == "2"
    assert entry["http_req_cnt"] == "6"
    assert entry["http_err_cnt"] == "2"
    assert entry["http_fail_cnt"] == "1"
    assert int(entry["bytes_in_cnt"]) > 100 and int(entry["bytes_out_cnt"]) > 100


def test_request_tracking_and_the_other_table(start, web):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            http-request track-sc0 req.hdr(x-id) table ids
            http-request sc-inc-gpc0(0) if { path /mark }
            http-request sc-set-gpt0(0) 42 if { path /mark }
            http-request deny if { sc0_get_gpc0 ge 2 }
            http-request return status 200 hdr x-seen "%[sc0_key] %[sc0_http_req_cnt] %[sc0_get_gpt0] %[sc_tracked(1)] %[req.hdr(x-id),table_http_req_cnt(ids)] %[str(none),table_http_req_cnt(ids)] %[sc0_conn_rate]"
        backend ids
            stick-table type string len 8 size 100 store http_req_cnt,gpc0,gpt0
    """)
    ask = lambda path, name: proxy.get(path, headers={"x-id": name})
    assert ask("/", "alice").headers["x-seen"] == "alice 1 0 0 1 0"
    assert ask("/", "alice").headers["x-seen"] == "alice 2 0 0 2 0"
    assert ask("/mark", "alice").headers["x-seen"] == "alice 3 42 0 3 0"
    assert ask("/mark", "alice").status == 403
    assert ask("/", "alice").status == 403
    assert ask("/", "bob").status == 200
    assert ask("/", "a-name-that-is-cut").headers["x-seen"].startswith("a-name-t ")


def test_rates_limit_a_client(start):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            stick-table type ip size 100 expire 10s store http_req_rate(10s)
            http-request track-sc0 src
            http-request deny deny_status 429 if { sc_http_req_rate(0) gt 3 }
            http-request return status 200
    """)
    assert [proxy.get("/").status for _ in range(5)] == [200, 200, 200, 429, 429]


def test_arrays(start):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            stick-table type ip size 100 store gpc(3),gpc_rate(3,10s),gpt(2)
            http-request track-sc0 src
            http-request sc-inc-gpc(1,0)
            http-request sc-add-gpc(2,0) int(40),add(2)
            http-request sc-inc-gpc(9,0)
            http-request sc-set-gpt(1,0) 7
            http-request sc-inc-gpc0(0)
            http-request return status 200 hdr x-seen "%[sc_get_gpc(1,0)] %[sc_get_gpc(2,0)] %[sc_gpc_rate(2,0)] %[sc_get_gpt(1,0)] %[sc0_get_gpc0] %[sc_get_gpc(9,0)] %[src_get_gpc(1,fe)] %[src,table_gpt(1,fe)] %[sc_clr_gpc(1,0)] %[sc_inc_gpc(1,0)]"
    """)
    assert proxy.get("/").headers["x-seen"] == "1 42 42 7 1  1 7 1 1"
    entry = idle(proxy, "fe")
    assert entry["gpc2"] == "42" and entry["gpc1_rate(10000)"] == "2" and entry["gpt1"] == "7"


def test_full_tables(start):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            http-request track-sc0 req.hdr(x) table small
            http-request track-sc1 req.hdr(x) table strict
            http-request return status 200 hdr x-seen "%[table_cnt(small)] %[table_avl(small)] %[sc_tracked(0)] %[sc_tracked(1)]"
        backend small
            stick-table type string size 2
        backend strict
            stick-table type string size 2 nopurge
    """)

    def ask(key):
        """Its connection has ended, and with it what keeps an entry from being given up, when this returns."""
        seen = proxy.get("/", headers={"x": key}).headers["x-seen"]
        eventually(lambda: all(e["use"] == "0" for t in ("small", "strict") for e in entries(proxy, t).values()))
        return seen

    seen = [ask(f"k{i}") for i in range(4)]
    assert seen == ["1 1 1 1", "2 0 1 1", "2 0 1 0", "2 0 1 0"]
    assert set(entries(proxy, "small")) == {"k2", "k3"}
    assert set(entries(proxy, "strict")) == {"k0", "k1"}


def test_entries_expire(start):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            stick-table type ip size 100 expire 300ms store conn_cnt
            http-request track-sc0 src
            http-request return status 200
    """)
    proxy.get("/")
    assert used(proxy, "fe") == 1
    eventually(lambda: used(proxy, "fe") == 0)


def test_commands(start):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            http-request return status 200
        backend ids
            stick-table type string size 100 store gpc0,gpt(2),http_req_rate(10s)
        backend addresses
            stick-table type ipv6 size 100 expire 1m
    """)
    assert proxy.cli("set table ids key a data.gpc0 5 data.gpt[1] 9 data.http_req_rate 3").strip() == ""
    proxy.cli("set table ids key b data.gpc0 1")
    proxy.cli("set table addresses key 1.2.3.4")
    assert set(entries(proxy, "addresses")) == {"::ffff:1.2.3.4"}
    assert entries(proxy, "ids")["a"] == {"use": "0", "exp": "0", "shard": "0", "gpc0": "5", "gpt0": "0",
                                          "gpt1": "9", "http_req_rate(10000)": "3"}
    select = lambda filter: set(entries(proxy, f"ids {filter}"))
    assert select("data.gpc0 gt 1") == {"a"}
    assert select("data.gpc0 ge 1 data.gpt[1] ne 9") == {"b"}
    assert select("key b") == {"b"}
    pointer = re.search(r"(0x[0-9a-f]+): key=a ", proxy.cli("show table ids")).group(1)
    assert select(f"ptr {pointer}") == {"a"}
    refused = {
        "show table none": "No such table",
        "show table ids data.conn_cnt gt 1": "Filter entry #1: Data type not stored in this table",
        "show table ids data.x gt 1": "Filter entry #1: Unknown data type",
        "show table ids ptr 0x1": "No entry can be found matching ptr.",
        "set table ids key a data.gpt[2] 1": "index out of range in this data array",
        "set table ids key a data.gpc0 x": "Require a valid integer value to store",
        "set table addresses key x": "Invalid key",
    }
    for command, text in refused.items():
        assert proxy.cli(command).strip() == text
    proxy.cli("clear table ids data.gpc0 eq 1")
    assert select("") == {"a"}
    proxy.cli("clear table ids key a")
    assert used(proxy, "ids") == 0


def test_tracked_entries_stay(start, web):
    proxy = start(SOCKET + """
        frontend fe
            bind @fe@
            stick-table type ip size 100 store conn_cur
            tcp-request session track-sc0 src
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("hello"))
    with proxy.connect("fe") as wire:
        wire.ask()
        assert proxy.cli("clear table fe key 127.0.0.1").strip() == "Entry currently in use, cannot remove"
        proxy.cli("clear table fe")
        assert entries(proxy, "fe")["127.0.0.1"]["use"] == "1"
    eventually(lambda: entries(proxy, "fe")["127.0.0.1"]["use"] == "0")
    proxy.cli("clear table fe")
    assert used(proxy, "fe") == 0


STICKY = """
    frontend fe
        bind @fe@
        default_backend be
    backend be
        balance roundrobin
        option redispatch
        stick-table type string len 32 size 100 expire 1m {options}
        {rules}
        http-response set-header x-server %[srv_name]
        server s1 @s1@ id 7
        server s2 @s2@ id 9
"""


def test_stick_on_request(start, web):
    proxy = start(SOCKET + STICKY.format(options="", rules="stick on urlp(u)"), s1=web("1"), s2=web("2"))
    ask = lambda user: proxy.get(f"/?u={user}").headers["x-server"]
    assert [ask(u) for u in "ababa"] == ["s1", "s2", "s1", "s2", "s1"]
    assert entries(proxy, "be")["b"]["server_id"] == "9" and entries(proxy, "be")["b"]["server_key"] == "s2"
    # A server that is down is left, and the table learns the other.
    proxy.cli("disable server be/s1")
    assert [ask(u) for u in "ab"] == ["s2", "s2"]
    proxy.cli("enable server be/s1")
    assert [ask(u) for u in "ab"] == ["s2", "s2"]
    # What a command writes counts as well, once the key of the server is out of the way.
    proxy.cli("clear table be key a")
    proxy.cli("set table be key a data.server_id 7")
    assert ask("a") == "s1"


def test_stick_on_response(start, web):
    proxy = start(SOCKET + STICKY.format(options="srvkey addr", rules="""
        stick match req.cook(sid)
        stick store-response res.cook(sid)"""),
        s1=web(Answer(body="1", headers=[("set-cookie", "sid=one")])), s2=web(Answer(body="2", headers=[("set-cookie", "sid=two")])))
    assert [proxy.get("/").headers["x-server"] for _ in range(2)] == ["s1", "s2"]
    assert re.fullmatch(r"127\.0\.0\.1:\d+", entries(proxy, "be")["one"]["server_key"])
    for sid, server in (("two", "s2"), ("two", "s2"), ("one", "s1")):
        assert proxy.get("/", headers={"cookie": f"sid={sid}"}).headers["x-server"] == server


def test_sticky_tcp(start, tcp):
    greet = lambda name: lambda wire: (wire.send(name), wire.read_until(b"\n"))
    proxy = start(SOCKET + """
        defaults
            mode tcp
            timeout connect 5s
            timeout client 5s
            timeout server 5s
        listen fe
            bind @fe@
            balance roundrobin
            stick-table type ip size 10
            stick on src
            server s1 @s1@
            server s2 @s2@
    """, defaults=False, s1=tcp(greet("one")), s2=tcp(greet("two")))
    seen = []
    for _ in range(4):
        with proxy.connect("fe") as wire:
            seen.append(wire.read(3))
            wire.send("\n")
            wire.read_all()
    assert seen == [b"one"] * 4


@pytest.mark.parametrize("line, text", [
    ("stick-table type ip", "missing size"),
    ("stick-table size 10", "missing type"),
    ("stick-table type foo size 10", "unknown type 'foo'"),
    ("stick-table type ip size 10 store conn_rate", "missing argument to store option 'conn_rate'"),
    ("stick-table type ip size 10 store gpc(2),gpc0", "simultaneous usage of 'gpc'"),
    ("stick-table type ip size 10 store gpt(101)", "out of allowed range"),
    ("stick on src table none", "unable to find stick-table 'none'"),
    ("stick on res.hdr(x) table t", "none of which is available during request"),
    ("stick foo src", "expects 'on', 'match', or 'store'"),
    ("http-request track-sc0 src table none", "unable to find table 'none' referenced by track-sc0"),
    ("http-request track-sc3 src table t", "exceeding 2 (tune.stick-counters-1)"),
    ("http-request track-sc0 method table t", "incompatible with the 'track-sc0' rule"),
    ("http-request sc-inc-gpc0(5)", "The max allowed ID is 2"),
    ("http-request sc-inc-gpc(1)", "Missing gpc ID"),
    ("http-request deny if { src_conn_cnt(none) gt 1 }", "unable to find table 'none' referenced in arg 1"),
    ("http-request deny if { src,table_conn_cnt gt 1 }", "unable to find table 'l' referenced in arg 1"),
])
def test_mistakes(check, line, text):
    code, said = check(f"""
        backend t
            stick-table type ip size 10
        listen l
            bind @fe@
            {line}
    """)
    assert code != 0 and text in said


SCRIPT = """
    core.register_service("tables", "http", function(applet)
        local function sorted(t)
            local keys, out = {}, {}
            for k in pairs(t) do keys[#keys + 1] = k end
            table.sort(keys)
            for _, k in ipairs(keys) do out[#out + 1] = k .. "=" .. tostring(t[k]) end
            return table.concat(out, " ")
        end
        local t = core.backends["ids"].stktable
        local i, out = t:info(), {}
        out[1] = string.format("%s %d %d %s %d", i.type, i.size, i.used, i.nopurge, i.expire)
        out[2] = sorted(i.data)
        out[3] = sorted(t:lookup("alice"))
        out[4] = tostring(t:lookup("nobody"))
        local function names(filter)
            local found = {}
            for k in pairs(t:dump(filter)) do found[#found + 1] = k end
            table.sort(found)
            return table.concat(found, " ")
        end
        out[5] = names()
        out[6] = names({{"gpc0", "gt", 2}})
        out[7] = names({{"gpc0", "gt", 0}, {"gpc0", "lt", 3}})
        out[8] = tostring(t:dump({{"gpc0", "is", 2}}))
        out[9] = sorted(core.backends["addresses"].stktable:lookup("192.0.2.1"))
        out[10] = tostring(core.backends["none"].stktable)
        local text = table.concat(out, "\\n")
        applet:set_status(200)
        applet:add_header("content-length", #text)
        applet:start_response()
        applet:send(text)
    end)
"""


def test_scripts(start):
    proxy = start(SOCKET + """
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/tables.lua
        frontend fe
            bind @fe@
            http-request use-service lua.tables
        backend none
        backend ids
            stick-table type string len 20 size 1k store gpc0,http_req_rate(10s),gpt(2)
        backend addresses
            stick-table type ip size 10 store conn_cnt
    """, files={"tables.lua": SCRIPT})
    for name, count in (("alice", 3), ("bob", 1), ("carol", 0)):
        proxy.cli(f"set table ids key {name} data.gpc0 {count}")
    proxy.cli("set table addresses key 192.0.2.1 data.conn_cnt 5")
    assert proxy.get("/").text.split("\n") == [
        "string 1024 3 false 0", "gpc0=-1 gpt=-1 http_req_rate=10000", "expire=0 gpc0=3 gpt=0 http_req_rate=0 use=0",
        "nil", "alice bob carol", "alice", "bob", "nil", "conn_cnt=5 expire=0 use=0", "nil"]
