"""Bodies much larger than a buffer, in every framing, with readers that are fast, slow, or gone."""
import hashlib
import random
import socket
import threading
import time

import pytest

from harness import Answer, Closed, eventually

BIG = random.Random(7).randbytes(8_000_000)
SUM = hashlib.sha256(BIG).hexdigest()

FRONT = """
    listen f
        bind @fe@
        server s @s@
"""


def chunked(data, size):
    out = b"".join(b"%x\r\n%b\r\n" % (len(data[i:i + size]), data[i:i + size]) for i in range(0, len(data), size))
    return out + b"0\r\n\r\n"


def sha(data):
    return hashlib.sha256(data).hexdigest()


def read_body(wire, slowly=False):
    """The body of the next response, in time that grows with its size only."""
    if slowly:
        wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        time.sleep(0.3)  # until no buffer on the way takes more
    _, headers = wire._head()
    data, at, body = bytearray(wire.buffer), 0, bytearray()
    wire.buffer = b""

    def need(size):
        while len(data) < size:
            piece = wire.sock.recv(65536)
            assert piece, "closed early"
            data.extend(piece)

    if "content-length" in headers:
        need(int(headers["content-length"]))
        return bytes(data)
    while True:
        while (end := data.find(b"\r\n", at)) < 0:
            need(len(data) + 1)
        size = int(data[at:end], 16)
        need(end + 2 + size + 2)
        body += data[end + 2:end + 2 + size]
        at = end + 2 + size + 2
        if size == 0:
            return bytes(body)


@pytest.mark.parametrize("slowly", [False, True])
@pytest.mark.parametrize("chunk", [2000, 40_000, 3_000_000])
def test_chunked_responses(start, tcp, chunk, slowly):
    def serve(wire):
        while True:
            wire.request()
            wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BIG, chunk))

    proxy = start(FRONT, s=tcp(serve))
    with proxy.connect() as client:
        for _ in range(2):
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sha(read_body(client, slowly)) == SUM


@pytest.mark.parametrize("slowly", [False, True])
def test_responses_of_known_length(start, web, slowly):
    proxy = start(FRONT, s=web(Answer(body=BIG)))
    with proxy.connect() as client:
        for _ in range(2):
            client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sha(read_body(client, slowly)) == SUM
        assert client.ask("HEAD").headers["content-length"] == str(len(BIG))
        assert sha(client.ask().body) == SUM


def test_responses_until_close(start, tcp):
    def serve(wire):
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BIG)

    proxy = start(FRONT, s=tcp(serve))
    assert sha(proxy.get("/").body) == SUM


@pytest.mark.parametrize("wait", [0, 0.3])
@pytest.mark.parametrize("chunk", [0, 40_000, 3_000_000])
def test_requests(start, tcp, chunk, wait):
    sums = []

    def serve(wire):
        while True:
            time.sleep(wait)  # the first pieces wait in the proxy
            sums.append(sha(wire.request().body))
            wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    proxy = start(FRONT, s=tcp(serve))
    body = chunked(BIG, chunk) if chunk else BIG
    framing = "Transfer-Encoding: chunked" if chunk else f"Content-Length: {len(BIG)}"
    with proxy.connect() as client:
        for _ in range(2):
            client.send(f"POST / HTTP/1.1\r\nHost: x\r\n{framing}\r\n\r\n".encode() + body)
            assert client.response().text == "ok"
    assert sums == [SUM, SUM]


@pytest.mark.parametrize("mode", ["tcp", "upgrade"])
def test_streams_both_ways(start, tcp, mode):
    def serve(wire):
        if mode == "upgrade":
            wire.read_until(b"\r\n\r\n")
            wire.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        sending = threading.Thread(target=lambda: wire.sock.sendall(BIG), daemon=True)
        sending.start()
        assert sha(wire.read(len(BIG))) == SUM
        sending.join()
        wire.send(b"all")
        assert wire.read(5) == b"small"
        wire.send(b"end")

    proxy = start(FRONT.replace("bind", f"mode {'tcp' if mode == 'tcp' else 'http'}\n        bind"), s=tcp(serve))
    with proxy.connect() as client:
        if mode == "upgrade":
            client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
            client.read_until(b"\r\n\r\n")
        threading.Thread(target=lambda: client.sock.sendall(BIG), daemon=True).start()
        time.sleep(0.1)
        assert sha(client.read(len(BIG))) == SUM
        assert client.read(3) == b"all"
        client.send(b"small")
        assert client.read(3) == b"end"
        assert client.is_closed()


def test_a_server_that_ends_early(start, tcp):
    def serve(wire):
        wire.request()
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + BIG[:5_000_000])

    proxy = start(FRONT, s=tcp(serve))
    with proxy.connect() as client, pytest.raises(Closed) as cut:
        client.ask()
    assert len(cut.value.data) <= 5_000_000


def test_clients_that_leave_free_the_server(start, tcp):
    ends = []

    def serve(wire):
        wire.request()
        try:
            while True:
                wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" + BIG if not ends else BIG)
                ends or ends.append(0)
        except OSError:
            ends.append(1)

    proxy = start(FRONT, s=tcp(serve))
    client = proxy.connect()
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    client.read(300_000)
    client.reset()
    eventually(lambda: ends[-1:] == [1], what="the end of the server's connection")
