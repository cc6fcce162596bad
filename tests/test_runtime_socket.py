"""The runtime socket: conversation, levels, and what commands show and change."""
import json
import os
import re
import socket

import pytest
from harness import Wire, eventually

CONFIG = """
    global
        stats socket @dir@/cli level admin
        stats socket @dir@/user level user
        stats socket @dir@/operator level operator
        node here
    frontend fe
        bind @fe@
        http-request set-header x %[path,map(@dir@/names.map,none)]
        default_backend be
    backend be
        balance roundrobin
        server s1 @s1@ weight 10
        server s2 @s2@ weight 10
        server old @s2@ backup
    listen other
        mode tcp
        bind @other@
        server s @s1@ maxconn 5
"""


@pytest.fixture
def proxy(start, web):
    one, two = web(lambda r: "one " + r.headers["x"]), web(lambda r: "two " + r.headers["x"])
    proxy = start(CONFIG, files={"names.map": "/a alpha\n/b beta\n"}, s1=one, s2=two)
    return proxy


def open_socket(proxy, name="cli"):
    wire = Wire(socket.socket(socket.AF_UNIX))
    wire.sock.connect(proxy.path(name))
    return wire


def stats(proxy, arguments=""):
    """show stat as {(proxy, service): {column: text}}"""
    head, *rows = proxy.cli(f"show stat {arguments}").split("\n")
    assert head.startswith("# ")
    names = head[2:].split(",")
    table = [dict(zip(names, row.split(","))) for row in rows]
    return {(row["pxname"], row["svname"]): row for row in table}


# The conversation


def test_one_line_then_closed(proxy):
    with open_socket(proxy) as wire:
        wire.send("show cli level; echo a\\;b;; echo c\nshow cli level\n")
        assert wire.read_all() == b"admin\n\na;b\n\n\nc\n\n"


def test_half_closed_input_still_gets_the_answer(proxy):
    with open_socket(proxy) as wire:
        wire.send("show stat\n")
        wire.sock.shutdown(socket.SHUT_WR)
        assert b"be,BACKEND" in wire.read_all()


def test_prompt_and_interactive(proxy):
    with open_socket(proxy) as wire:
        wire.send("prompt\n")
        assert wire.read_until(b"> ") == b"\n> "
        wire.send("echo hi\n")
        assert wire.read_until(b"> ") == b"hi\n\n> "
        wire.send("prompt i\n")
        assert wire.read_until(b"\n") == b"\n"
        wire.send("echo x\n", "echo y\n")
        assert wire.read_until(b"y\n\n") == b"x\n\ny\n\n"
        wire.send("quit\n")
        assert wire.read_all() == b""


def test_timed_prompt(proxy):
    with open_socket(proxy) as wire:
        wire.send("prompt timed\n")
        assert re.fullmatch(rb"\n\[0:00:00:\d\d\]> ", wire.read_until(b"> "))


def test_segments_and_carriage_returns(proxy):
    with open_socket(proxy) as wire:
        wire.send("show cl", "i level", "\r\n")
        assert wire.read_all().startswith(b"admin\n")


def test_payload(proxy):
    with open_socket(proxy) as wire:
        wire.send("prompt\n")
        wire.read_until(b"> ")
        wire.send(f"add map {proxy.path('names.map')} <<END\n")
        assert wire.read_until(b"+ ") == b"+ "
        wire.send("/c gamma delta\n")
        wire.read_until(b"+ ")
        wire.send("END\n")
        assert wire.read_until(b"> ") == b"\n> "
    assert proxy.get("/c").text == "one gamma delta"


def test_idle_session_is_closed(start):
    proxy = start("""
        global
            stats socket @dir@/cli level admin
            stats timeout 200ms
    """)
    with open_socket(proxy) as wire:
        assert wire.is_closed(5)


def test_unknown_commands_get_help(proxy):
    text = proxy.cli("shwo info")
    assert text.startswith("Unknown command: 'shwo'")
    assert "  show info " in text and "  quit " in text
    assert proxy.cli("help show info").startswith("The following commands are valid at this level:\n  show info")
    assert "  set server " in proxy.cli("help")


def test_levels(proxy):
    assert proxy.cli("show cli level", "user") == "user"
    assert proxy.cli("disable server be/s1", "user") == "Permission denied"
    assert proxy.cli("disable server be/s1", "operator") == "Permission denied"
    assert proxy.cli("user; show cli level; disable server be/s1") == "\nuser\n\nPermission denied"
    assert proxy.cli("operator; show cli level") == "\noperator"
    assert "s1" in proxy.cli("show stat", "user")
    assert proxy.cli("clear counters all", "operator") == "Permission denied"


def test_expert_and_experimental_modes(proxy):
    assert proxy.cli("expert-mode") == "expert-mode is OFF"
    assert proxy.cli("debug dev log x") == "This command is restricted to expert mode only."
    assert proxy.cli("set var proc.x int(1)") == "This command is restricted to experimental mode only."
    assert proxy.cli("expert-mode on; expert-mode") == "\nexpert-mode is ON"


def test_severity_output(proxy):
    assert proxy.cli("set severity-output number; get weight be/none") == "\n[3]: No such server."
    assert proxy.cli("set severity-output string; get weight be/none") == "\n[err]: No such server."


@pytest.mark.parametrize("command, answer", [
    ("get weight be/none", "[3]: No such server."),
    ("set weight be/s x", "[3]: Empty weight string empty or preceded by garbage"),
    ("set server be/s addr 127.0.0.1 port 1", "[4]: nothing changed"),
    ("set server be/s addr nope", "[4]: Invalid addr 'nope'"),
    ("set server be/s agent-port x", "[4]: agent checks are not enabled on this server"),
    ("set server be/s check-port x", "[4]: "),
    ("set server be/s agent up", "[3]: agent checks are not enabled on this server."),
    ("enable frontend fe", "[5]: All sockets are already enabled."),
    ("disable frontend fe;disable frontend fe", "[5]: All sockets are already disabled."),
    ("shutdown frontend fe;shutdown frontend fe", "[5]: Frontend was already shut down."),
    ("wait 1", "[6]: Done."),
    ("echo a b", "[6]: a b"),
    ("show cli level", "[6]: admin"),
    ("help", "[6]: The following commands are valid at this level:"),
    ("show nothing", "[6]: Unknown command: 'show'"),
    ("show env HOME", "HOME="),
    ("get weight be/s", "1 (initial 1)"),
])
def test_each_message_has_its_severity(start, command, answer):
    proxy = start("""
        global
            stats socket @dir@/cli level admin severity-output number
        defaults
            mode http
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            bind @fe@ severity-output string
            default_backend be
        backend be
            server s 127.0.0.1:1 check inter 10m
    """)
    assert proxy.cli(command).strip().startswith(answer)


def test_mode_of_the_socket(start):
    proxy = start("""
        global
            stats socket @dir@/cli mode 600 level admin
            stats socket ipv4@@tcp@ level user
    """)
    assert os.stat(proxy.path("cli")).st_mode & 0o777 == 0o600
    with proxy.connect("tcp") as wire:
        wire.send("show cli level\n")
        assert wire.read_all() == b"user\n\n"
    assert "admin all" in proxy.cli("show cli sockets")


# What it shows


def test_show_info(proxy):
    lines = dict(line.split(": ", 1) for line in proxy.cli("show info").split("\n"))
    assert lines["Pid"] == str(proxy.process.pid)
    assert lines["node"] == "here"
    for name in ("Name", "Version", "Uptime_sec", "Maxconn", "CurrConns", "CumConns", "CumReq", "Nbthread"):
        assert name in lines
    before = int(lines["CumReq"])
    proxy.get("/"), proxy.get("/")
    assert int(re.search(r"CumReq: (\d+)", proxy.cli("show info"))[1]) >= before + 2
    assert re.search(r"^6\.Pid\.1:SGPV:u32:\d+$", proxy.cli("show info typed"), re.M)
    fields = {f["field"]["name"]: f for f in json.loads(proxy.cli("show info json"))}
    assert fields["Pid"]["value"] == {"type": "u32", "value": proxy.process.pid}
    assert fields["Pid"]["tags"] == {"origin": "Status", "nature": "Gauge", "scope": "Process"}


def test_show_stat_counts_traffic(proxy):
    for _ in range(4):
        assert proxy.get("/a").status == 200
    rows = eventually(lambda: (r := stats(proxy))["be", "BACKEND"]["scur"] == "0" and r)
    assert rows["fe", "FRONTEND"]["stot"] == "4"
    assert rows["fe", "FRONTEND"]["req_tot"] == "4"
    assert rows["fe", "FRONTEND"]["hrsp_2xx"] == "4"
    assert rows["fe", "FRONTEND"]["status"] == "OPEN"
    assert rows["be", "BACKEND"]["status"] == "UP"
    assert rows["be", "BACKEND"]["act"] == "2" and rows["be", "BACKEND"]["bck"] == "1"
    assert rows["be", "BACKEND"]["weight"] == "20"
    assert [rows["be", s]["stot"] for s in ("s1", "s2", "old")] == ["2", "2", "0"]
    assert [rows["be", s]["lbtot"] for s in ("s1", "s2", "old")] == ["2", "2", "0"]
    assert rows["be", "s1"]["status"] == "no check"
    assert int(rows["be", "s1"]["bin"]) > 0 and int(rows["be", "s1"]["bout"]) > 0
    assert rows["other", "FRONTEND"]["mode"] == "tcp" and rows["other", "s"]["slim"] == "5"
    assert rows["fe", "FRONTEND"]["req_rate_max"] != "0"


def test_show_stat_columns(proxy):
    names = proxy.cli("show stat").split("\n")[0][2:].split(",")
    assert names[:5] == ["pxname", "svname", "qcur", "qmax", "scur"]
    for position, name in ((17, "status"), (36, "check_status"), (73, "addr"), (94, "eint"), (118, "cache_hint_hits")):
        assert names[position] == name
    assert names[119] == "-"


def test_show_stat_selects(proxy):
    ids = {row["pxname"]: row["iid"] for row in stats(proxy).values()}
    assert set(stats(proxy, f"{ids['be']} 4 2")) == {("be", "s2")}
    assert set(stats(proxy, "-1 2 -1")) == {("be", "BACKEND"), ("other", "BACKEND")}
    assert set(stats(proxy, "fe 1 -1")) == {("fe", "FRONTEND")}
    assert proxy.cli("show stat none 1 -1") == "No such proxy."
    proxy.cli("disable server be/s1")
    assert ("be", "s1") not in stats(proxy, "no-maint")
    assert stats(proxy, "up")["be", "BACKEND"]["status"] == "UP (2/3)"


def test_show_stat_typed_and_json(proxy):
    assert re.search(r"^S\.\d+\.1\.1\.svname\.1:KNSV:str:s1$", proxy.cli("show stat typed"), re.M)
    rows = json.loads(proxy.cli("show stat json"))
    row = {f["field"]["name"]: f["value"]["value"] for f in rows[0]}
    assert (row["pxname"], row["svname"]) == ("fe", "FRONTEND")
    assert json.loads(proxy.cli("show schema json"))


def test_show_servers_state(proxy):
    version, head, *lines = proxy.cli("show servers state be").split("\n")
    assert version == "1"
    names = head[2:].split()
    first = dict(zip(names, lines[0].split()))
    assert len(names) == 25 == len(lines[0].split())
    assert (first["be_name"], first["srv_name"], first["srv_addr"]) == ("be", "s1", "127.0.0.1")
    assert (first["srv_op_state"], first["srv_admin_state"], first["srv_iweight"]) == ("2", "0", "10")
    assert proxy.cli("show servers state none") == "Can't find backend."


def test_small_lists(proxy):
    assert proxy.cli("show backend") == "# name\nbe\nother"
    assert proxy.cli("show servers conn be").split("\n")[1].startswith("be/s1 ")
    assert proxy.cli("show env PATH").startswith("PATH=")
    assert proxy.cli("show env NO_SUCH") == "Variable not found"
    assert proxy.cli("show errors").startswith("Total events captured on [")
    assert proxy.cli("show version")


# What it changes


def test_maintenance_and_back(proxy):
    assert proxy.cli("disable server be/s1") == ""
    assert stats(proxy)["be", "s1"]["status"] == "MAINT"
    assert {proxy.get("/a").text for _ in range(4)} == {"two alpha"}
    proxy.cli("enable server be/s1")
    assert {proxy.get("/a").text for _ in range(4)} == {"one alpha", "two alpha"}
    proxy.cli("set server be/s2 state drain")
    assert stats(proxy)["be", "s2"]["status"] == "DRAIN"
    assert {proxy.get("/a").text for _ in range(4)} == {"one alpha"}
    proxy.cli("set server be/s1 state maint")
    assert proxy.get("/a").text == "two alpha"  # by the backup
    assert proxy.cli("set server be/s1 state foo") == "'set server <srv> state' expects 'ready', 'drain' and 'maint'."


def test_weights(proxy):
    assert proxy.cli("get weight be/s1") == "10 (initial 10)"
    proxy.cli("set server be/s1 weight 50%")
    assert proxy.cli("get weight be/s1") == "5 (initial 10)"
    proxy.cli("set weight be/s1 0")
    assert {proxy.get("/a").text for _ in range(4)} == {"two alpha"}
    assert proxy.cli("set weight be/s1 257") == "Absolute weight can only be between 0 and 256 inclusive."
    assert proxy.cli("set weight be/s1") == "Require <weight> or <weight%>."


def test_address(proxy, web):
    three = web("three")
    host, port = three.address.split(":")
    assert re.match(r"port changed from '\d+' to '\d+' by 'stats socket command'",
                    proxy.cli(f"set server be/s1 addr {host} port {port}"))
    assert proxy.cli(f"set server be/s1 addr {host} port {port}") == "nothing changed"
    proxy.cli("disable server be/s2")
    assert proxy.get("/").text == "three"


@pytest.mark.parametrize("command, answer", [
    ("disable server be", "Require 'backend/server'."),
    ("disable server nope/s1", "No such backend."),
    ("disable server be/nope", "No such server."),
    ("enable frontend", "A frontend name is expected."),
    ("enable frontend nope", "No such frontend."),
    ("enable health be/s1", "Health check was not configured on this server, cannot enable."),
    ("set maxconn frontend fe", "Integer value expected."),
    ("set server be/s1 health foo", "'set server <srv> health' expects 'up', 'stopping', or 'down'."),
    ("set timeout foo 3", "'set timeout' only supports 'cli'."),
    ("get var", "Missing process-wide variable identifier."),
    ("get var proc.none", "Variable not found."),
    ("add map", "'add map' expects three parameters (map identifier, key and value) or one parameter "
                "(map identifier) and a payload"),
    ("show map nope", "Unknown map identifier. Please use #<id> or <file>."),
    ("show acl nope", "Unknown ACL identifier. Please use #<id> or <file>."),
])
def test_refusals(proxy, command, answer):
    assert proxy.cli(command) == answer


def test_disable_and_enable_frontend(proxy):
    assert proxy.cli("disable frontend fe") == ""
    assert proxy.cli("disable frontend fe") == "All sockets are already disabled."
    assert stats(proxy)["fe", "FRONTEND"]["status"] != "OPEN"
    assert proxy.cli("enable frontend fe") == ""
    assert proxy.cli("enable frontend fe") == "All sockets are already enabled."
    assert proxy.get("/a").status == 200


def test_maps(proxy):
    name = proxy.path("names.map")
    entries = proxy.cli(f"show map {name}").split("\n")
    assert [e.split(" ", 1)[1] for e in entries] == ["/a alpha", "/b beta"]
    number = re.search(rf"^(\d+) \({re.escape(name)}\)", proxy.cli("show map"), re.M)[1]
    assert proxy.cli(f"add map #{number} /c gamma") == ""
    assert proxy.get("/c").text.endswith("gamma")
    assert proxy.cli(f"set map #{number} /c delta") == ""
    assert proxy.get("/c").text.endswith("delta")
    assert proxy.cli(f"get map #{number} /c").startswith("type=str, case=sensitive, found=yes")
    assert proxy.cli(f"del map #{number} /c") == ""
    assert proxy.cli(f"del map #{number} /c") == "Key not found."
    assert proxy.get("/c").text.endswith("none")
    first = entries[0].split()[0]
    proxy.cli(f"set map #{number} #{first} changed")
    assert proxy.get("/a").text.endswith("changed")
    proxy.cli(f"clear map #{number}")
    assert proxy.cli(f"show map #{number}") == ""


def test_maps_in_versions(proxy):
    name = proxy.path("names.map")
    assert proxy.cli(f"prepare map {name}") == "New version created: 1"
    proxy.cli(f"add map @1 {name} /new value")
    assert proxy.get("/new").text.endswith("none")
    assert proxy.cli(f"show map @1 {name}").endswith("/new value")
    assert proxy.cli(f"commit map @2 {name}") == "Version number out of range."
    assert proxy.cli(f"commit map @1 {name}") == ""
    assert proxy.get("/new").text.endswith("value")
    assert proxy.get("/a").text.endswith("none")


def test_process_variables(proxy):
    assert proxy.cli("experimental-mode on; set var proc.x int(5); get var proc.x") == "\n\nproc.x: type=sint value=<5>"
    assert proxy.cli("experimental-mode on; set var proc.y expr str(a),upper; get var proc.y") == (
        "\n\nproc.y: type=str value=<A>")
    assert proxy.cli("experimental-mode on; set var txn.x int(1)") == (
        "\n'set var': cannot set variable 'txn.x', only scope 'proc' is permitted here.")


def test_clear_counters(proxy):
    proxy.get("/a")
    eventually(lambda: stats(proxy)["fe", "FRONTEND"]["scur"] == "0")
    proxy.cli("clear counters")
    row = stats(proxy)["fe", "FRONTEND"]
    assert (row["stot"], row["smax"]) == ("1", "0")
    proxy.cli("clear counters all")
    assert stats(proxy)["fe", "FRONTEND"]["stot"] == "0"
    assert proxy.cli("clear counters server be/s1") == "Server counters cleared."


def test_sessions_are_listed_and_ended(proxy, start, tcp):
    server = tcp(lambda wire: wire.read_all())
    proxy = start("""
        global
            stats socket @dir@/cli level admin
        listen fe
            mode tcp
            bind @fe@
            server s1 @s1@
    """, s1=server)
    with proxy.connect() as wire:
        wire.send("hello")
        listed = eventually(lambda: re.search(r"^(0x\w+): .*fe=fe be=fe srv=s1", proxy.cli("show sess"), re.M))
        assert proxy.cli("shutdown session 0x1") == "No such session (use 'show sess')."
        assert proxy.cli(f"shutdown session {listed[1]}") == ""
        assert wire.is_closed()
    with proxy.connect() as wire:
        eventually(lambda: "srv=s1" in proxy.cli("show sess"))
        proxy.cli("shutdown sessions server fe/s1")
        assert wire.is_closed()


def test_a_disabled_frontend_refuses_clients(start):
    proxy = start("""
    global
        stats socket @dir@/cli level admin
        nbthread 2
    frontend f
        mode http
        timeout client 5s
        bind @fe@
        bind unix@@dir@/s
        http-request return status 200
    """)

    def refused():
        try:
            proxy.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    for _ in range(3):
        proxy.cli("disable frontend f")
        eventually(refused, what="a refusal")
        proxy.cli("enable frontend f")
        eventually(lambda: not refused(), what="a connection")
        assert proxy.get("/").status == 200


@pytest.mark.beyond  # its numbers are of one thread
def test_idle_time_is_what_workers_do_not_compute(start):
    proxy = start("""
        global
            stats socket @dir@/cli level admin
            lua-load @dir@/busy.lua
        frontend fe
            bind @fe@
    """, files={"busy.lua": "core.register_task(function() while true do core.yield() end end)"})

    def idle():
        return int(re.search(r"Idle_pct: (\d+)", proxy.cli("show info"))[1])

    eventually(lambda: idle() < 90, what="the load of the worker")
