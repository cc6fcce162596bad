"""HTTP/1 between client and server: persistence, framing in both directions, interim answers, tunnels."""
from textwrap import dedent

import pytest

from harness import Answer, Closed, at_once

SIMPLE = """
    defaults
        mode http
        timeout connect 5s
        timeout client 10s
        timeout server 10s
        {options}
    frontend fe
        bind @fe@
        default_backend be
    backend be
        server s1 @s1@
"""


def simple(start, server, options=""):
    return start(SIMPLE.format(options=options), s1=server)


def test_many_requests_on_one_connection(start, web):
    server = web(lambda request: request.target)
    proxy = simple(start, server)
    with proxy.connect() as wire:
        assert [wire.ask(target=f"/{i}").text for i in range(50)] == [f"/{i}" for i in range(50)]
    assert server.connections == 1


def test_pipelined_requests_are_answered_in_order(start, web):
    proxy = simple(start, web(lambda request: request.target))
    with proxy.connect() as wire:
        wire.send("".join(f"GET /{i} HTTP/1.1\r\nHost: x\r\n\r\n" for i in range(20)))
        assert [wire.response().text for _ in range(20)] == [f"/{i}" for i in range(20)]


def test_a_head_in_single_bytes(start, web):
    proxy = simple(start, web(lambda request: request.headers["x-a"] + request.text))
    with proxy.connect() as wire:
        wire.send(*"POST / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc", gap=0.001)
        assert wire.response().text == "1abc"


@pytest.mark.parametrize("size", [0, 1, 16384, 100_000, 3_000_000])
def test_bodies_of_all_sizes_come_back(start, web, size):
    proxy = simple(start, web(lambda request: request.body))
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert proxy.get("/", (), "POST", body).body == body


def chunked(*parts):
    return "".join(f"{len(p):x}\r\n{p}\r\n" for p in parts) + "0\r\n\r\n"


def test_chunked_request(start, web):
    proxy = simple(start, web(lambda request: request.text))
    with proxy.connect() as wire:
        head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        wire.send(head, "4\r\nab", "cd\r\n", "1;ext=1\r\ne\r\n0\r\n\r\n")
        assert wire.response().text == "abcde"
        assert wire.send(head + chunked("again")).response().text == "again"


def test_chunked_and_unlengthed_responses(start, tcp):
    def server(wire):
        while True:
            request = wire.request()
            if request.target == "/chunked":
                wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "2\r\nde\r\n0\r\n\r\n")
            else:
                wire.send("HTTP/1.1 200 OK\r\n\r\nuntil ", "the end")
                return

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        assert wire.ask(target="/chunked").text == "abcde"
        assert wire.ask(target="/chunked").text == "abcde"
    assert proxy.get("/close").text == "until the end"


@pytest.mark.beyond
def test_a_1_0_client_gets_no_chunks(start, tcp):
    def server(wire):
        wire.request()
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("abc", "de"))

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        data = wire.send("GET / HTTP/1.0\r\n\r\n").read_all()
    assert data.endswith(b"\r\n\r\nabcde") and b"chunked" not in data.lower()


def test_responses_without_a_body(start, tcp):
    def server(wire):
        while True:
            request = wire.request()
            wire.send({"/204": "HTTP/1.1 204 No Content\r\n\r\n",
                       "/304": "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                       "/": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + "hello" * (request.method != "HEAD"),
                       }[request.target])

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        assert wire.ask(target="/204").status == 204
        assert wire.ask(target="/304").status == 304
        head = wire.ask("HEAD")
        assert (head.headers["content-length"], head.body) == ("5", b"")
        assert wire.ask().text == "hello"


@pytest.mark.parametrize("size", [5, 100_000])
def test_a_head_that_rules_made_a_get_has_no_body(start, web, size):
    proxy = start("""
        frontend fe
            bind @fe@
            http-request set-method GET if { path /rewritten }
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web(b"x" * size))
    with proxy.connect() as wire:
        for _ in range(3):
            assert wire.ask("HEAD", "/rewritten").headers["content-length"] == str(size)
        assert len(wire.ask("GET").body) == size


def test_expect_100_continue(start, tcp):
    def server(wire):
        head = wire.read_until(b"\r\n\r\n")
        assert b"100-continue" in head.lower()
        wire.send("HTTP/1.1 100 Continue\r\n\r\n")
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + wire.read(4).decode())

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert wire.response().status == 100
        assert wire.send("body").response().text == "body"


def test_interim_answers_pass(start, tcp):
    def server(wire):
        wire.request()
        wire.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        hint = wire.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response()
        assert (hint.status, hint.headers["link"]) == (103, "</a>")
        assert wire.response().text == "ok"


def test_upgrade_becomes_a_tunnel(start, tcp):
    def server(wire):
        request = wire.request()
        assert request.headers["upgrade"] == "echo"
        wire.send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        while line := wire.read_until(b"\n"):
            wire.send(line.upper())

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        wire.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        assert wire.response().status == 101
        for word in ("one", "two"):
            assert wire.send(word + "\n").read_until(b"\n") == word.upper().encode() + b"\n"


def test_both_directions_at_once(start, tcp):
    """The server answers while the request is still coming."""
    def server(wire):
        wire.read_until(b"\r\n\r\n")
        wire.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(3):
            wire.read_until(b"\r\n")
            part = wire.read_until(b"\r\n")[:-2].decode()
            wire.send(f"{len(part):x}\r\n{part.upper()}\r\n")
        wire.send("0\r\n\r\n")

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        wire.read_until(b"\r\n\r\n")
        assert wire.read_until(b"A\r\n")
        assert wire.send("1\r\nb\r\n").read_until(b"B\r\n")
        assert wire.send("1\r\nc\r\n").read_until(b"C\r\n")
        wire.send("0\r\n\r\n").read_until(b"0\r\n\r\n")


def test_connection_close_is_honoured(start, web):
    proxy = simple(start, web("ok"))
    with proxy.connect() as wire:
        answer = wire.ask(headers={"Connection": "close"})
        assert answer.headers["connection"] == "close" and wire.is_closed()
    with proxy.connect() as wire:
        assert wire.ask(version="HTTP/1.0").text == "ok" and wire.is_closed()
    with proxy.connect() as wire:
        assert wire.ask(version="HTTP/1.0", headers={"Connection": "keep-alive"}).text == "ok"
        assert wire.ask().text == "ok"


@pytest.mark.parametrize("option, client_stays, connections", [
    ("option httpclose", False, 3), ("option http-server-close", True, 3), ("option http-keep-alive", True, 1)])
def test_close_options(start, web, option, client_stays, connections):
    server = web("ok")
    proxy = simple(start, server, option)
    with proxy.connect() as wire:
        for _ in range(3):
            assert wire.ask().text == "ok"
            if not client_stays:
                assert wire.is_closed()
                wire = proxy.connect()
    assert server.connections == connections


def test_server_connections_are_shared(start, web):
    server = web("ok")
    proxy = start("global\n    nbthread 1\n" + dedent(SIMPLE.format(options="http-reuse always")), s1=server)
    for _ in range(10):
        assert proxy.get().text == "ok"
    assert server.connections == 1


@pytest.mark.beyond
def test_a_stale_pooled_connection_is_no_error(start, web):
    server = web("ok")
    proxy = simple(start, server, "http-reuse always")
    for _ in range(10):
        assert proxy.get().text == "ok"
        server.drop_connections()


@pytest.mark.parametrize("address", ["unix@@dir@/s.sock", "abns@moongate-test-@unique@"])
def test_unix_sockets(start, address):
    import os
    address = address.replace("@unique@", str(os.getpid()))
    proxy = start(f"""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 {address}
        frontend inner
            bind {address}
            http-request return status 200 content-type text/plain string inner
    """)
    assert proxy.get().body == b"inner"


def test_ipv6_and_port_ranges(start, web):
    from harness import Ports
    low = Ports.take()
    proxy = start(f"""
        frontend fe
            bind @fe@
            bind ipv6@[::1]:{low}-{low + 1}
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("ok"))
    import socket
    from harness import Wire
    for port in (low, low + 1):
        with Wire(socket.create_connection(("::1", port))) as wire:
            assert wire.ask().text == "ok"
    assert proxy.get().text == "ok"


def test_forwardfor(start, web):
    server = web("ok")
    proxy = simple(start, server, "option forwardfor")
    proxy.get("/", {"X-Forwarded-For": "1.2.3.4"})
    assert server.requests[0].headers.all("x-forwarded-for") == ["1.2.3.4", "127.0.0.1"]


def test_a_server_that_says_nothing_right(start, tcp):
    proxy = simple(start, tcp(lambda wire: (wire.request(), wire.send("nonsense\r\n\r\n"))))
    assert proxy.get().status == 502
    proxy = simple(start, tcp(lambda wire: wire.request()))
    assert proxy.get().status == 502


def test_a_truncated_response_is_not_complete(start, tcp):
    def server(wire):
        wire.request()
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    proxy = simple(start, tcp(server))
    with proxy.connect() as wire, pytest.raises((Closed, ConnectionResetError)):
        wire.ask()


def test_no_server_answers_503(start, web):
    server = web("ok")
    server.close()
    proxy = simple(start, server, "retries 1")
    answer = proxy.get()
    assert answer.status == 503 and b"<h1>503 Service Unavailable</h1>" in answer.body


def test_many_clients_at_once(start, web):
    proxy = simple(start, web(lambda request: request.target))

    def client(i):
        with proxy.connect() as wire:
            return all(wire.ask(target=f"/{i}/{n}").text == f"/{i}/{n}" for n in range(20))

    assert at_once(50, client) == [True] * 50
