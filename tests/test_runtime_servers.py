"""Servers that come, go and change their name while the proxy runs; counters that outlive a process."""
import pytest

CONFIG = """
    global
        stats socket @dir@/cli level admin
    frontend fe
        bind @fe@
        default_backend be
    backend be
        balance roundrobin
        default-server weight 10
        default-server name other weight 5
        server s1 @s1@
        server named 127.0.0.1:1 disabled
        server target 127.0.0.1:1 check disabled
        server follower 127.0.0.1:1 track target
        use-server named if { always_false }
    backend fixed
        balance static-rr
"""


@pytest.fixture
def proxy(start, web):
    return start(CONFIG, s1=web("one"))


def test_add_use_and_remove_a_server(proxy, web):
    two = web("two")
    assert "New server registered." in proxy.cli(f"add server be/s2 127.0.0.1:{two.port} weight 1 pool-max-conn 0")
    assert {proxy.get("/").text for _ in range(20)} == {"one"}  # it begins in maintenance
    proxy.cli("set weight be/s1 1"), proxy.cli("enable server be/s2")
    assert {proxy.get("/").text for _ in range(20)} == {"one", "two"}
    assert "Only servers in maintenance mode can be deleted." in proxy.cli("del server be/s2")
    proxy.cli("disable server be/s2")
    assert "Server deleted." in proxy.cli("del server be/s2")
    assert " s2 " not in proxy.cli("show servers state be")
    assert {proxy.get("/").text for _ in range(10)} == {"one"}
    assert "New server registered." in proxy.cli(f"add server be/s2 127.0.0.1:{two.port}")


def test_many_come_and_go_under_load(proxy, web):
    two = web("two")
    for i in range(20):
        proxy.cli(f"add server be/d{i} 127.0.0.1:{two.port} weight 100 pool-max-conn 0; enable server be/d{i}")
        assert proxy.get("/").status == 200
    for i in range(20):
        proxy.cli(f"disable server be/d{i}")
        assert proxy.get("/").status == 200
        assert "Server deleted." in proxy.cli(f"del server be/d{i}")


@pytest.mark.parametrize("command, answer", [
    ("add server none/s 127.0.0.1:1", "No such backend."),
    ("add server be/s", "'server' expects <name> and <addr>[:<port>] as arguments."),
    ("add server be/s1 127.0.0.1:1", "Already exists a server with the same name in backend."),
    ("add server fixed/s 127.0.0.1:1", "backend 'fixed' uses a non dynamic load balancing method"),
    ("add server be/s 127.0.0.1:1 track be/s1", "does not have any check nor agent enabled."),
    ("del server none/s", "No such backend."), ("del server be/none", "No such server."),
    ("del server be/named", "other configuration elements pointing to it."),
    ("del server be/target", "other configuration elements pointing to it."),
    ("set server be/s1 name", "requires a new name."),
    ("set server be/s1 name x", "Server must be in maintenance mode"),
    ("set server be/named name x", "statically referenced"),
    ("set server be/s1 fqdn x.org", "fqdn failed because no resolution is configured."),
])
def test_what_cannot_be_done_is_told(proxy, command, answer):
    assert answer in proxy.cli(command)


def test_settings_to_begin_with(proxy):
    for name, words, weight in (("a", "", 1), ("b", "from be:", 10), ("c", "from srv:other", 5)):
        assert "New server registered." in proxy.cli(f"add server be/{name} 127.0.0.1:1 {words}")
        assert proxy.cli(f"get weight be/{name}").strip() == f"{weight} (initial {weight})"
    assert "* be\n  be/other" in proxy.cli("show default-server")


def test_another_name(proxy):
    proxy.cli("disable server be/s1")
    assert "Server name contains invalid characters." in proxy.cli("set server be/s1 name a/b")
    assert "A server with the same name already exists" in proxy.cli("set server be/s1 name named")
    assert "Server name updated." in proxy.cli("set server be/s1 name blue")
    assert " blue " in proxy.cli("show servers state be")
    assert "No such server." in proxy.cli("enable server be/s1")
    proxy.cli("enable server be/blue")
    assert proxy.get("/").text == "one"


def test_checks_of_a_server_that_was_added(proxy, web):
    two = web("two")
    proxy.cli(f"add server be/s2 127.0.0.1:{two.port} check inter 50ms rise 1 fall 1")
    proxy.cli("enable server be/s2"), proxy.cli("enable health be/s2")
    two.close()
    proxy.wait_output("be/s2 is DOWN")


STATS = """
    global
        stats socket @dir@/cli level admin
        stats-file @dir@/stats
    frontend fe
        guid the-fe
        bind @fe@ guid-prefix the-bind
        option socket-stats
        default_backend be
    backend be
        guid the-be
        server s1 @s1@ guid the-server
"""


def stot(proxy, kind, name):
    rows = [line.split(",") for line in proxy.cli("show stat").split("\n")]
    at = rows[0].index("stot")
    return next(int(row[at]) for row in rows if row[0] == name and row[1] == kind)


def test_counters_come_from_a_file(start, web):
    proxy = start(STATS, s1=web("x"), files={"stats": """#fe guid,stot,
// a comment
the-fe,1000,
the-fe,abc,
the-bind-0,300
unknown,5
#other guid,x,
the-be,7
#be guid,unknown,stot,
the-be,1,500,
the-server,1,400,
"""})
    proxy.get("/")
    assert [stot(proxy, *row) for row in (("FRONTEND", "fe"), ("BACKEND", "be"), ("s1", "be"))] == [1001, 501, 401]
    dump = proxy.cli("dump stats-file")
    assert "#fe guid,stot," in dump and "\nthe-fe,1001," in dump and "\nthe-bind-0,301," in dump
    assert "\nthe-be,501," in dump and "\nthe-server,401," in dump
