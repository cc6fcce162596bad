"""What words behind a server's address, and lines about persistence, make of traffic."""
import socket
import struct
import threading

import pytest

from harness import Answer, at_once


def test_redir_sends_readers_elsewhere(start, web):
    server = web("here")
    proxy = start("""
        frontend fe
            bind @fe@
            http-after-response set-header X-After yes
            default_backend be
        backend be
            http-response set-header X-Response yes
            server s @s@ redir http://images.example.com
    """, s=server)
    for method in ("GET", "HEAD"):
        answer = proxy.get("/a/b?c=d", method=method)
        assert answer.status == 302
        assert answer.headers["location"] == "http://images.example.com/a/b?c=d"
        assert answer.headers["x-after"] == "yes" and "x-response" not in answer.headers
    assert proxy.get("http://h/", {"Host": "h"}).headers["location"] == "http://images.example.com/"
    assert not server.requests
    assert proxy.get("/", method="POST", body=b"x").text == "here"


def rdp_request(cookie):
    line = b"Cookie: " + cookie + b"\r\n"
    return b"\x03\x00" + struct.pack(">H", 11 + len(line)) + bytes([6 + len(line)]) + b"\xe0" + bytes(5) + line


def rdp_token(port):
    address = struct.unpack("<I", socket.inet_aton("127.0.0.1"))[0]
    return b"%d.%d.0000" % (address, socket.htons(port))


@pytest.mark.parametrize("statement, name", [("rdp-cookie", b"msts"), ("rdp-cookie(other)", b"other")])
def test_rdp_cookies_name_the_server(start, tcp, statement, name):
    one, two = tcp(lambda wire: wire.send(b"one")), tcp(lambda wire: wire.send(b"two"))
    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            balance roundrobin
            persist %s
            tcp-request inspect-delay 5s
            tcp-request content accept if { req.rdp_cookie -m found }
            server one @one@
            server two @two@
    """ % statement, one=one, two=two)
    for server, text in [(one, b"one"), (two, b"two"), (two, b"two"), (one, b"one"), (one, b"one")]:
        with proxy.connect() as wire:
            wire.send(rdp_request(name + b"=" + rdp_token(server.port)))
            assert wire.read_all() == text
    with proxy.connect() as wire:  # a server that is not there: as the algorithm says
        wire.send(rdp_request(name + b"=" + rdp_token(1)))
        assert wire.read_all() in (b"one", b"two")


def congestion_control(sock):
    return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def test_an_unknown_congestion_control_is_told_and_left_out(start, web):
    proxy = start("""
        frontend fe
            bind @fe@ cc no-such-one
            default_backend be
        backend be
            server s @s@ cc no-such-one
    """, s=web("ok"))
    assert proxy.get("/").text == "ok"
    assert "congestion control" in proxy.output()


def test_the_congestion_control_is_set(start, web):
    names = open("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read().split()
    default = open("/proc/sys/net/ipv4/tcp_congestion_control").read().strip()
    other = next((name for name in names if name != default), default)
    proxy = start(f"""
        frontend fe
            bind @fe@ cc {other}
            http-request return status 200 content-type text/plain string ok
    """)
    assert proxy.get("/").text == "ok" and "congestion control" not in proxy.output()


def test_kept_connections_of_a_session_are_limited(start, web):
    one, two = web("one"), web("two")
    proxy = start("""
        frontend fe
            bind @fe@
            max-session-srv-conns 1
            use_backend two if { path /two }
            default_backend one
        backend one
            http-reuse never
            server s @one@
        backend two
            http-reuse never
            server s @two@
    """, one=one, two=two)
    with proxy.connect() as wire:
        for target in ("/one", "/two", "/one", "/two"):
            wire.send(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % target.encode())
            assert wire.response().status == 200
    assert one.connections == 1  # kept, as the first
    assert two.connections == 2


def test_strict_maxconn_counts_idle_connections(start, web):
    both = threading.Barrier(2)

    def answer(request):
        if request.target == "/both":
            both.wait(5)
        return Answer(body=request.target)

    server = web(answer)
    proxy = start("""
        global
            nbthread 2
            stats socket @dir@/cli level admin
        defaults
            mode http
            timeout client 10s
            timeout server 10s
            timeout connect 5s
            timeout queue 5s
        listen fe
            bind @fe@
            http-reuse always
            server s @s@ maxconn 2 strict-maxconn pool-conn-name hdr(x-name)
    """, s=server)
    for _ in range(2):  # two at once, so that two are worth keeping
        assert at_once(2, lambda i: proxy.get("/both", {"X-Name": f"b{i}"}).status) == [200, 200]
    for i in range(8):  # each name needs a connection of its own
        assert proxy.get("/a", {"X-Name": str(i), "Connection": "close"}).status == 200
        names, values = (line.split() for line in proxy.cli("show servers conn fe").splitlines()[:2])
        numbers = dict(zip(names[1:], values))
        assert int(numbers["idle_cur"]) + int(numbers["used_cur"]) <= 2
    assert server.connections >= 8


@pytest.mark.parametrize("line, told", [
    ("persist rdp-cookie()", "rdp-cookie"),
    ("persist nonsense", "persist"),
    ("max-keep-alive-queue many", "max-keep-alive-queue"),
    ("balance hdr", "hdr"),
    ("acl or always_true", "'or'"),
    ("server s 127.0.0.1:1 cc", "cc"),
])
def test_mistakes_are_told(check, line, told):
    code, text = check(f"backend be\n {line}\n")
    assert code == 1 and told in text, text


def test_undeclared_capture_slots_are_told(check):
    code, text = check("""
        frontend fe
            bind @fe@
            declare capture request len 5
            http-request capture path id 0
            http-request capture path id 1
    """)
    assert code == 1 and "unable to find capture id '1'" in text and "id '0'" not in text
