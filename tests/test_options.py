"""Options and tuning words of the global section that change what goes over the wire or what is logged."""
import re
import socket

import pytest
from harness import IS_REFERENCE, eventually

PLAIN = """
    frontend fe
        bind @fe@
        {front}
        default_backend be
    backend be
        {back}
        server s1 @s1@
"""


def test_header_names_in_the_case_old_peers_want(start, tcp):
    seen = []

    def serve(wire):
        seen.append(wire.read_until(b"\r\n\r\n"))
        wire.send(b"HTTP/1.1 200 OK\r\nX-Other: 1\r\nETag: x\r\ncontent-length: 0\r\n\r\n")

    proxy = start("""
        global
            h1-case-adjust host HoSt
            h1-case-adjust x-one X-ONE
            h1-case-adjust etag ETag
            h1-case-adjust content-length Content-LENGTH
    """ + PLAIN.format(front="option h1-case-adjust-bogus-client", back="option h1-case-adjust-bogus-server"),
                  s1=tcp(serve))
    with proxy.connect() as wire:
        wire.send(b"GET / HTTP/1.1\r\nhost: x\r\nx-one: 1\r\nx-two: 2\r\n\r\n")
        answer = wire.read_until(b"\r\n\r\n")
    assert b"HoSt: x\r\nX-ONE: 1\r\nx-two: 2\r\n" in seen[0]
    assert b"x-other: 1\r\nETag: x\r\nContent-LENGTH: 0\r\n" in answer


COOKIE = b"HTTP/1.1 %s\r\nset-cookie: a=b\r\n%s\r\ncontent-length: 0\r\n\r\n"


@pytest.mark.parametrize("method, status, header, allowed", [
    ("GET", b"200 OK", b"x: y", True), ("GET", b"200 OK", b"cache-control: max-age=10", False),
    ("GET", b"200 OK", b"expires: 0", False), ("GET", b"200 OK", b"cache-control: private, max-age=10", True),
    ("GET", b"200 OK", b'cache-control: no-cache="set-cookie, x", max-age=10', True),
    ("GET", b"200 OK", b"cache-control: max-age=0", True), ("GET", b"302 Found", b"cache-control: max-age=10", True),
    ("POST", b"200 OK", b"cache-control: max-age=10", True), ("GET", b"404 No", b"cache-control: s-maxage=10", False)])
def test_checkcache(start, tcp, method, status, header, allowed):
    def serve(wire):
        wire.read_until(b"\r\n\r\n")
        wire.send(COOKIE % (status, header))

    proxy = start(PLAIN.format(front="log stdout format raw local0\nlog-format line-%ST-%ts", back="option checkcache"),
                  s1=tcp(serve))
    got = proxy.get("/", method=method)
    assert ("set-cookie" in got.headers) == allowed
    if not allowed:
        # The reference says 200 there, in spite of its manual.
        assert IS_REFERENCE or got.status == 502
        proxy.wait_output(r"line-\d+-PH")
        proxy.wait_output("Blocking cacheable cookie in response from instance be, server s1")


@pytest.mark.parametrize("option, kept", [("", True), ("option http-drop-response-trailers", False)])
def test_response_trailers(start, tcp, option, kept):
    def serve(wire):
        wire.read_until(b"\r\n\r\n")
        wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")

    proxy = start(f"""
        listen fe
            bind @fe@
            {option}
            server s1 @s1@
    """, s1=tcp(serve))
    with proxy.connect() as wire:
        wire.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        head = wire.read_until(b"\r\n\r\n")
        body = wire.read_until(b"0\r\n") + wire.read_until(b"\r\n")
        assert b"chunked" in head
        assert (b"x-sum: 1" in body) == kept


@pytest.mark.parametrize("option, kept", [("", True), ("option http-drop-request-trailers", False)])
def test_request_trailers(start, tcp, option, kept):
    seen = []

    def serve(wire):
        wire.read_until(b"\r\n\r\n")
        seen.append(wire.read_until(b"0\r\n") + wire.read_until(b"\r\n"))
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    proxy = start(PLAIN.format(front="", back=option), s1=tcp(serve))
    with proxy.connect() as wire:
        wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-sum: 1\r\n\r\n")
        wire.read_until(b"\r\n\r\n")
    assert (b"x-sum: 1" in seen[0]) == kept


def test_long_targets_and_cookies_are_cut_in_logs(start, web):
    proxy = start("""
        global
            tune.http.logurilen 32
            tune.http.cookielen 10
    """ + PLAIN.format(front='capture cookie ab= len 100\nlog stdout format raw local0\nlog-format "line|%r|%HU|%CC"',
                       back=""), s1=web("hello"))
    digits = "0123456789" * 4
    proxy.get("/" + digits, headers=[("Cookie", "ab=" + digits)])
    proxy.wait_output(rf"^line\|GET /{digits[:27]}\|/{digits[:27]}\|ab={digits[:7]}$")


def test_privileged_source_ports_are_refused(start, web):
    proxy = start("""
        global
            harden.reject-privileged-ports.tcp on
    """ + PLAIN.format(front="", back=""), s1=web("hello"))
    assert proxy.get("/").status == 200
    for port in range(1023, 900, -1):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            sock.settimeout(5)
            sock.connect(("127.0.0.1", proxy.port()))
            try:
                sock.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
                assert sock.recv(100) == b""
            except ConnectionError:
                pass
            return
    pytest.skip("no privileged port is free")


SWITCH = """
    global
        stats socket @dir@/cli level admin
    frontend fe
        bind @fe@
        force-be-switch if { req.hdr(x-force) 1 }
        use_backend %[req.hdr(x-to)] if { req.hdr(x-to) -m found }
        use_backend hidden if { path /hidden }
        use_backend off if { path /off }
        default_backend usual
    backend hidden
        be-unpublished
        http-request return status 200 content-type text/plain lf-string %[be_name]
    backend off
        disabled
        http-request return status 200 content-type text/plain lf-string %[be_name]
    backend usual
        http-request return status 200 content-type text/plain lf-string %[be_name]
"""


def test_unpublished_backends_are_passed_over(start):
    proxy = start(SWITCH)

    def answer(path="/", **headers):
        return proxy.get(path, headers=[("x-" + name, value) for name, value in headers.items()]).text

    assert [answer("/hidden"), answer("/off"), answer(to="hidden"), answer(to="none")] == ["usual"] * 4
    assert answer("/hidden", force="1") == "hidden"
    assert answer(to="hidden", force="1") == "hidden"
    assert "Backend published." in proxy.cli("publish backend hidden")
    assert answer("/hidden") == "hidden"
    assert "Backend unpublished." in proxy.cli("unpublish backend hidden")
    assert answer("/hidden") == "usual"
    assert "No effect on a disabled backend." in proxy.cli("publish backend off")
    assert "No such backend." in proxy.cli("publish backend none")


def test_socks4_on_the_way_to_servers(start, tcp, web):
    asked = []
    server = web("through")

    def socks(wire):
        asked.append(wire.read(16))
        wire.send(b"\x00\x5a" + bytes(6))
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(wire.read_until(b"\r\n\r\n"))
            wire.send(sock.recv(4096))

    proxy = start("""
        listen fe
            bind @fe@
            server s1 @s1@ socks4 @socks@
    """, s1=server, socks=tcp(socks))
    assert proxy.get("/").text == "through"
    assert asked[0] == b"\x04\x01" + server.port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + b"HAProxy\x00"


def test_a_refusing_socks4_server_is_a_failed_connect(start, tcp, web):
    def socks(wire):
        wire.read(16)
        wire.send(b"\x00\x5b" + bytes(6))

    proxy = start("""
        listen fe
            bind @fe@
            retries 0
            server s1 @s1@ socks4 @socks@
    """, s1=web("x"), socks=tcp(socks))
    assert proxy.get("/").status == 503


def tcp_options(port, *, server_side):
    """What the kernel has of the timers of established connections (ss -o)."""
    import subprocess
    which = f"dport = :{port}" if server_side else f"sport = :{port}"
    return subprocess.run(["ss", "-tnoem", "state", "established", which], capture_output=True, text=True,
                          check=True).stdout


def test_keep_alive_probes(start, tcp):
    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            option clitcpka
            option srvtcpka
            clitcpka-idle 30s
            srvtcpka-idle 40s
            srvtcpka-intvl 5s
            srvtcpka-cnt 3
            server s1 @s1@
    """, s1=(server := tcp(lambda wire: wire.read_all())))
    with proxy.connect() as wire:
        wire.send(b"x")
        client = eventually(lambda: re.search(r"keepalive,(\d+)", tcp_options(proxy.port(), server_side=False)))
        to_server = eventually(lambda: re.search(r"keepalive,(\d+)", tcp_options(server.port, server_side=True)))
    assert int(client[1]) <= 30 and 30 < int(to_server[1]) <= 40


@pytest.mark.parametrize("word, stays", [("", False), ("h1-do-not-close-on-insecure-transfer-encoding", True)])
def test_two_lengths_end_the_connection(start, web, word, stays):
    proxy = start("""
        global
            maxconn 100
            %s
    """ % word + PLAIN.format(front="", back=""), s1=web("hello"))
    with proxy.connect() as wire:
        wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
        first = wire.response()
        assert first.status == 200
        assert ("close" in first.headers.get("connection", "")) != stays
        if stays:
            wire.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert wire.response().status == 200
        else:
            assert wire.is_closed()


@pytest.mark.parametrize("word, local", [("", True), ("pp2-never-send-local", False)])
def test_proxy_header_of_checks(start, tcp, word, local):
    seen = []
    server = tcp(lambda wire: seen.append(wire.read(16)))
    start("""
        global
            maxconn 100
            %s
        backend be
            mode tcp
            server s1 @s1@ send-proxy-v2 check inter 50ms
        frontend fe
            bind @fe@
    """ % word, s1=server)
    eventually(lambda: seen)
    assert seen[0][12] == (0x20 if local else 0x21)
