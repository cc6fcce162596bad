"""TCP frontends whose connections go on as HTTP (manual, section 4)."""
import pytest

from harness import Answer

SWITCH = """
    defaults
        timeout client 5s
        timeout server 5s
        timeout connect 5s
    frontend fe
        mode tcp
        bind @fe@
        log @log@ local0
        log-format "line %ST %ts %b %r"
        tcp-request inspect-delay 2s
        tcp-request content switch-mode http{proto} if HTTP
        tcp-request content set-var(txn.later) int(1)
        http-request return status 203 content-type text/plain string front if {{ path /here }}
        http-request set-header x-later yes if {{ var(txn.later) -m found }}
        http-request set-header x-front %[fc_http_major]
        http-response set-header x-answer front
        use_backend web if {{ req.proto_http }}
        default_backend bytes
    backend web
        mode http
        http-request set-header x-back yes
        server s @web@
    backend bytes
        mode tcp
        server s @bytes@
"""


def shout(wire):
    wire.fill()
    wire.send(wire.buffer.upper())
    wire.read_all()


@pytest.mark.parametrize("proto", ["", " proto h1"])
def test_switch_mode_goes_on_with_http(start, web, tcp, syslog, proto):
    logs, server = syslog(), web("fine")
    proxy = start(SWITCH.format(proto=proto), log=logs, web=server, bytes=tcp(shout))
    with proxy.connect() as wire:
        for target in ("/one", "/two"):  # the connection is kept, as an HTTP one
            answer = wire.ask("GET", target)
            assert (answer.status, answer.text, answer.headers["x-answer"]) == (200, "fine", "front")
            logs.next(f"line 200 -- web GET {target} HTTP/1.1")
        assert wire.ask("GET", "/here").text == "front"
        logs.next("line 203 LR fe GET /here")
    for request in server.requests:
        assert (request.headers["x-front"], request.headers["x-back"]) == ("1", "yes")
        assert "x-later" not in request.headers  # the rules behind it were not run


def test_what_does_not_switch_stays_tcp(start, web, tcp, syslog):
    logs = syslog()
    proxy = start(SWITCH.format(proto=""), log=logs, web=web("fine"), bytes=tcp(shout))
    with proxy.connect() as wire:
        wire.send("hello\r\n")
        assert wire.read(7) == b"HELLO\r\n"
    logs.next(r"line \S+ -- bytes <BADREQ>")


def test_a_body_that_came_with_the_head(start, web, tcp, syslog):
    server = web(lambda request: Answer(200, request.body))
    proxy = start(SWITCH.format(proto=""), log=syslog(), web=server, bytes=tcp(shout))
    with proxy.connect() as wire:
        head = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\n"
        assert wire.send(head + "abc", "def").response().text == "abcdef"
        assert wire.send(head + "ghijkl" + head + "mnopqr").response().text == "ghijkl"  # two at once
        assert wire.response().text == "mnopqr"


IMPLICIT = """
    defaults
        timeout client 5s
        timeout server 5s
        timeout connect 5s
    frontend fe
        mode tcp
        bind @fe@
        timeout http-request 400ms
        log @log@ local0
        log-format "line %ST %ts %b"
        error-log-format "error %ts"
        http-request set-header x-front yes
        default_backend web
    backend web
        mode http
        tcp-request content set-var(txn.seen) str(content)
        http-request set-header x-back %[var(txn.seen)]
        server s @web@
"""


def test_an_http_backend_upgrades_as_well(start, web, syslog):
    logs, server = syslog(), web("fine")
    proxy = start(IMPLICIT, log=logs, web=server)
    with proxy.connect() as wire:
        for _ in range(2):
            assert wire.send("GET / HTTP/1.1\r\nhost: h\r\n", "\r\n").response().text == "fine"
            logs.next("line 200 -- web")
    for request in server.requests:
        assert (request.headers["x-front"], request.headers["x-back"]) == ("yes", "content")


def test_what_is_no_request_is_refused(start, web, syslog):
    logs = syslog()
    proxy = start(IMPLICIT, log=logs, web=web("fine"))
    with proxy.connect() as wire:
        assert wire.send("nonsense, really\r\n\r\n").response().status == 400
        assert wire.is_closed()
    logs.next("error PR")
    with proxy.connect() as wire:
        assert wire.send("GET / HT").response().status == 408
    logs.next("error PR")


def test_requests_do_not_go_to_tcp_servers(start, web, tcp, syslog):
    logs = syslog()
    proxy = start("""
        defaults
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            mode tcp
            bind @fe@
            log @log@ local0
            log-format "line %ST %ts %b"
            tcp-request content switch-mode http
            default_backend bytes
        frontend named
            mode http
            bind @named@
            log @log@ local0
            log-format "line %ST %ts %b"
            use_backend %[path,regsub(/,)]
        backend bytes
            mode tcp
            server s @bytes@
    """, log=logs, bytes=tcp(shout))
    for door in ("fe", "named"):
        with proxy.connect(door) as wire:
            wire.send("GET /bytes HTTP/1.1\r\nhost: h\r\n\r\n")
            assert wire.read_all() == b""
        logs.next("line 500 IR bytes")


BASE = """
    defaults
        timeout client 5s
        timeout server 5s
        timeout connect 5s
    frontend fe
        mode tcp
        bind :1
        http-request set-header a b
        {0}
    backend web
        mode http
        server s 127.0.0.1:1
    backend bytes
        mode tcp
        server s 127.0.0.1:1
"""


@pytest.mark.parametrize("lines, warned", [
    ("default_backend bytes", True),
    ("default_backend web", False),
    ("use_backend web if TRUE", False),
    ("use_backend bytes if TRUE", True),
    ("use_backend %[src]", False),
    ("tcp-request content switch-mode http if HTTP", False),
])
def test_http_rules_of_tcp_frontends_that_upgrade(check, lines, warned):
    _, output = check(BASE.format(lines))
    assert ("'http-request' rules ignored" in output) == warned


@pytest.mark.parametrize("rule, complaint", [
    ("switch-mode", "expects a mode"),
    ("switch-mode tcp", "expects a valid mode (got 'tcp')"),
    ("switch-mode http proto", "expects a protocol as argument"),
    ("switch-mode http proto nope", "'proto' expects a valid MUX protocol, if specified (got 'nope')"),
    ("switch-mode http now", "'if' or 'unless'"),
])
def test_switch_mode_that_cannot_be(check, rule, complaint):
    code, output = check(BASE.format("tcp-request content " + rule))
    assert code != 0 and complaint in output


def test_switch_mode_is_for_frontends(check):
    code, output = check(BASE.format("") + "    tcp-request content switch-mode http\n")
    assert code != 0 and "has no frontend capability" in output
