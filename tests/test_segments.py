"""Messages cut anywhere, and ends and resets at every point: one request is one request, and nothing gets stuck."""
import os
import re

import pytest

from harness import IS_REFERENCE, Closed, at_once, eventually

CONFIG = """
    defaults
        mode http
        timeout connect 2s
        timeout client 2s
        timeout http-request 2s
        timeout server 2s
        retries 0
    listen f
        bind @fe@
        http-reuse never
        server s @s@
"""

REQUESTS = {
    "length": b"POST /p?q HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "chunks": b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;x=\"y\"\r\nhe\r\n3\r\nllo\r\n0\r\nT: 1\r\n\r\n",
}
RESPONSES = {
    "length": b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nworld",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwo\r\n3\r\nrld\r\n0\r\nT: 1\r\n\r\n",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nworld",
}


def final(client):
    while (answer := client.response()).status < 200:
        pass
    return answer


@pytest.mark.parametrize("kind", REQUESTS)
def test_requests_in_two_segments(start, web, kind):
    request = REQUESTS[kind]
    server = web(lambda r: r.text)
    proxy = start(CONFIG, s=server)

    def cut(at):
        with proxy.connect() as client:
            return client.send(request[:at], request[at:], gap=0.01).response().text

    assert at_once(len(request) - 1, lambda i: cut(i + 1)) == ["hello"] * (len(request) - 1)
    assert len(server.requests) == len(request) - 1


@pytest.mark.parametrize("kind", RESPONSES)
def test_responses_in_two_segments(start, tcp, kind):
    response = RESPONSES[kind]

    def serve(wire):
        at = int(wire.request().target[1:])
        wire.send(response[:at], response[at:], gap=0.01)

    proxy = start(CONFIG, s=tcp(serve))

    def ask(at):
        with proxy.connect() as client:
            client.send(f"GET /{at} HTTP/1.1\r\nHost: a\r\n\r\n")
            return final(client).text

    # The reference refuses a response whose first segment ends before or within the status.
    odd = {at for at in range(len(response)) if IS_REFERENCE and re.search(rb"HTTP/1.1 \d{0,3}$", response[:at])}
    points = [at for at in range(1, len(response)) if at not in odd]
    assert at_once(len(points), lambda i: ask(points[i])) == ["world"] * len(points)


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_clients_that_leave_at_every_point(start, web, kind, how):
    request = REQUESTS[kind]
    server = web("hello")
    proxy = start(CONFIG, s=server)

    def leave(at):
        client = proxy.connect()
        client.send(request[:at])
        if how == "reset":
            client.reset()
            return True
        client.sock.shutdown(1)
        answer = client.read_all()
        client.close()
        return answer == b"" or answer.startswith(b"HTTP/1.1 4")

    assert all(r is True for r in at_once(len(request) - 1, leave))
    assert server.requests == []
    with proxy.connect() as client:
        assert client.send(request).response().text == "hello"


@pytest.mark.parametrize("how", ["end", "reset"])
@pytest.mark.parametrize("kind", RESPONSES)
def test_servers_that_leave_at_every_point(start, tcp, kind, how):
    response = RESPONSES[kind]
    head = response.rfind(b"\r\n\r\n", 0, response.find(b"wo")) + 4

    def serve(wire):
        at = int(wire.request().target[1:])
        wire.send(response[:at])
        if how == "reset":
            wire.reset()

    proxy = start(CONFIG, s=tcp(serve))

    def ask(at):
        with proxy.connect() as client:
            client.send(f"GET /{at} HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                return final(client).status
            except (Closed, ConnectionResetError):
                return "cut"

    results = at_once(len(response), ask)
    # A reset may overtake the bytes before it.
    expected = [{502} if at < head else {502, "cut"} if how == "reset" else {"cut"} for at in range(len(response))]
    assert all(r in e for r, e in zip(results, expected)), list(zip(results, expected))


def test_a_flood_of_pipelined_requests_is_answered_in_order(start, web):
    server = web(lambda r: r.target)
    proxy = start(CONFIG, s=server)
    count = 200
    with proxy.connect() as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(count)))
        assert [client.response().text for _ in range(count)] == [f"/{i}" for i in range(count)]


@pytest.mark.parametrize("bomb, status", [
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 5000, (400, 431)),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000, (400, 431)),
    (b"GET /" + b"y" * 100_000, (400, 414)),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"y" * 100_000, (400, 408, 502, None)),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 20_000, (400, 408, 502, None)),
], ids=["many headers", "a long header", "a long target", "a long extension", "many trailers"])
def test_bombs_are_refused(start, web, bomb, status):
    server = web("hello")
    proxy = start(CONFIG, s=server)
    with proxy.connect() as client:
        try:
            client.send(bomb)
            found = client.response().status
        except (OSError, Closed):
            found = None  # the answer was lost behind a reset
        assert found in (*status, None)
    assert server.requests == []
    assert proxy.get("/").text == "hello"


def test_chunks_of_one_byte(start, web):
    proxy = start(CONFIG, s=web(lambda r: str(len(r.body))))
    with proxy.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
        assert client.response().text == "50000"


def test_reset_connections_leave_nothing_behind(start, web):
    server = web("hello")
    proxy = start(CONFIG, s=server)

    def descriptors():
        return len(os.listdir(f"/proc/{proxy.process.pid}/fd"))

    assert proxy.get("/").status == 200
    before = descriptors()
    for i in range(200):
        client = proxy.connect()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[:i % 28 + 1])
        client.reset()
    eventually(lambda: descriptors() <= before + 2, what="closed descriptors")
