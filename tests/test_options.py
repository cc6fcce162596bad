"""Options and tuning words of the global section that change what goes over the wire or what is logged."""
import re
import socket
import time

import pytest
from harness import IS_REFERENCE, Wire, eventually

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


def bytes_of(proxy, name):
    """Bytes from and to clients that the statistics show for a frontend, and those of a server."""
    rows = [line.split(",") for line in proxy.cli("show stat").splitlines()]
    return [(int(row[8]), int(row[9])) for row in rows if len(row) > 9 and row[0] == name and row[1] != "BACKEND"]


def test_counted_while_it_lasts(start, tcp):
    def echo(wire):
        head = wire.read_until(b"\n")
        wire.send(head)
        wire.read_all()

    def endless(wire):
        wire.read_until(b"\r\n\r\n")
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + bytes(100))
        wire.read_all()

    proxy = start("""
        global
            stats socket @dir@/cli
        listen tunnel
            mode tcp
            bind @tunnel@
            option contstats
            tcp-request content track-sc0 int(1) table seen
            server s1 @echo@
        listen later
            mode tcp
            bind @later@
            server s1 @echo@
        listen web
            bind @web@
            option contstats
            server s1 @endless@
        backend seen
            stick-table type integer size 10 store bytes_in_cnt,bytes_out_cnt
    """, echo=tcp(echo), endless=tcp(endless))
    with proxy.connect("later") as later, proxy.connect("tunnel") as tunnel, proxy.connect("web") as web:
        for wire in later, tunnel:
            wire.send(b"0123456789\n")
            wire.read_until(b"\n")
        web.send(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        web.read_until(b"\r\n\r\n" + bytes(100))
        eventually(lambda: bytes_of(proxy, "tunnel") == [(11, 11), (11, 11)])
        assert "bytes_in_cnt=11 bytes_out_cnt=11" in proxy.cli("show table seen")
        eventually(lambda: bytes_of(proxy, "web")[0][1] >= 100 and bytes_of(proxy, "web")[1][1] >= 100)
        assert bytes_of(proxy, "later") == [(0, 0), (0, 0)]
    # At the end nothing is counted again.
    eventually(lambda: bytes_of(proxy, "later") == [(11, 11), (11, 11)])
    eventually(lambda: "use=0" in proxy.cli("show table seen"))
    assert bytes_of(proxy, "tunnel") == [(11, 11), (11, 11)]
    assert "bytes_in_cnt=11 bytes_out_cnt=11" in proxy.cli("show table seen")


@pytest.mark.parametrize("mode, hello, answer", [
    ("tcp", b"ping\n", b"pong\n"),
    ("http", b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: y\r\n\r\n",
     b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: y\r\n\r\n")])
def test_bytes_of_tunnels_count_once(start, tcp, mode, hello, answer):
    def serve(wire):
        wire.read_until(hello[-4:])
        wire.send(answer)
        wire.send(wire.read_until(b"end\n"))

    proxy = start(f"""
        global
            stats socket @dir@/cli
        listen fe
            mode {mode}
            bind @fe@
            log stdout format raw local0
            log-format bytes-%U-%B
            tcp-request content track-sc0 int(1) table seen
            tcp-response content accept
            server s1 @s1@
        backend seen
            stick-table type integer size 10 store bytes_in_cnt,bytes_out_cnt
    """, s1=tcp(serve))
    with proxy.connect() as wire:
        wire.send(hello)
        wire.read_until(answer[-4:])
        wire.send(b"end\n")
        assert wire.read_all().endswith(b"end\n")
    # The reference writes heads anew and counts what it wrote.
    sent, got = map(int, proxy.wait_output(r"bytes-(\d+)-(\d+)").groups())
    assert 0 <= sent - len(hello + b"end\n") < 10 and 0 <= got - len(answer + b"end\n") < 10
    assert f"bytes_in_cnt={sent} bytes_out_cnt={got}" in proxy.cli("show table seen")


SLOW = """
    defaults
        mode {mode}
        timeout connect 5s
        timeout client {client}
        timeout server {server}
    frontend fe
        bind @fe@
        log stdout format raw local0
        log-format line-%ST-%ts
        {front}
        default_backend be
    backend be
        {back}
        server s1 @s1@
"""
INDEPENDENT = pytest.mark.parametrize("word", ["", "option independent-streams"])


@INDEPENDENT
def test_a_server_that_takes_a_long_request(start, tcp, word):
    """What it takes keeps it alive, unless each direction is on its own; then its time is long over."""
    proxy = start(SLOW.format(mode="http", client="10s", server="1s", front="", back=word), s1=tcp(Wire.read_all))
    with proxy.connect() as wire:
        wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n", *[b"x"] * 6, gap=0.2)
        sent = time.monotonic()
        assert wire.response().status == 504
    assert (time.monotonic() - sent < 0.8) == bool(word)
    proxy.wait_output("line-504-sH")


@INDEPENDENT
def test_a_client_that_takes_a_long_response(start, tcp, word):
    """While it owes the rest of its request."""
    def serve(wire):
        wire.read_until(b"\r\n\r\n")
        wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n", *[b"x"] * 10, gap=0.1)
        wire.read_all()

    proxy = start(SLOW.format(mode="http", client="500ms", server="10s", front=word, back=""), s1=tcp(serve))
    with proxy.connect() as wire:
        wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nx")
        got = wire.read_until(b"\r\n\r\n") + wire.read_all()
    assert got.endswith(b"x" * 10) == (not word)
    proxy.wait_output("line-200-c")


@INDEPENDENT
@pytest.mark.parametrize("tunnel", ["", "timeout tunnel 500ms"])
def test_a_tunnel_in_one_direction(start, tcp, word, tunnel):
    def serve(wire):
        wire.send(*[b"x"] * 10, gap=0.1)
        wire.read_all()

    back = f"timeout server 10s\n{tunnel}"
    proxy = start(SLOW.format(mode="tcp", client="10s" if tunnel else "500ms", server="10s", front=word, back=back),
                  s1=tcp(serve))
    with proxy.connect() as wire:
        began = time.monotonic()
        got = wire.read_all()
    # The reference looks at its timer when the bytes stop.
    assert IS_REFERENCE or (len(got) == 10) == (not word)
    assert (time.monotonic() - began < 1.3) == bool(word)
    proxy.wait_output(r"line-0-cD")
