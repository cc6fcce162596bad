"""What two readers could understand differently is refused, what is too large or too slow gets its status."""
import pytest

from harness import Closed

CONFIG = """
    frontend fe
        bind @fe@
        timeout http-request 500ms
        default_backend be
    backend be
        server s1 @s1@
"""


@pytest.fixture
def proxy(start, web):
    server = web("reached")
    proxy = start(CONFIG, s1=server)
    proxy.server = server
    return proxy


REFUSED = {
    "two lengths": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a list of lengths": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 4\r\n\r\nabcd",
    "a negative length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a signed length": "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc",
    "an unknown coding": "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    "a blank before the colon": "GET / HTTP/1.1\r\nHost: x\r\nX-A : 1\r\n\r\n",
    "a blank in a name": "GET / HTTP/1.1\r\nHost: x\r\nX A: 1\r\n\r\n",
    "an empty name": "GET / HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n",
    "no colon": "GET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n",
    "a CR inside a value": "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r2\r\n\r\n",
    "a NUL": "GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\0\r\n\r\n",
    "a control character in the target": "GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "no target": "GET HTTP/1.1\r\nHost: x\r\n\r\n",
    "a relative target": "GET path HTTP/1.1\r\nHost: x\r\n\r\n",
    "nonsense": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n",
    "two hosts": "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
}


@pytest.mark.parametrize("what", REFUSED)
def test_malformed_requests_get_400(proxy, what):
    with proxy.connect() as wire:
        assert wire.send(REFUSED[what]).response().status == 400
        assert wire.is_closed()
    assert proxy.server.requests == []


@pytest.mark.parametrize("chunk", ["x\r\n", "-1\r\n", "3 \nabc", "1\r\nabc\r\n", "fffffffffffffffff\r\n", "0x3\r\nabc\r\n"])
def test_bad_chunks_never_complete_a_request(proxy, chunk):
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "\r\n0\r\n\r\n")
        try:
            assert wire.response().status in (400, 502)
        except (Closed, ConnectionResetError):
            pass
    assert proxy.server.requests == []


def test_length_and_chunked_are_not_both_passed_on(proxy):
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        status = wire.response().status
    assert status in (200, 400)
    if status == 200:
        assert "content-length" not in proxy.server.requests[0].headers


def test_a_head_that_is_too_large(proxy):
    with proxy.connect() as wire:
        wire.send("GET / HTTP/1.1\r\nHost: x\r\nX-A: " + "a" * 20000 + "\r\n\r\n")
        assert wire.response().status in (400, 431)


def test_too_many_headers(proxy):
    with proxy.connect() as wire:
        wire.send("GET / HTTP/1.1\r\nHost: x\r\n" + "".join(f"X-{i}: 1\r\n" for i in range(200)) + "\r\n")
        assert wire.response().status in (400, 431)


def test_a_slow_head_gets_408(proxy):
    with proxy.connect() as wire:
        assert wire.send("GET / HTTP/1.1\r\nHos").response().status == 408
        assert wire.is_closed()


def test_half_closed_and_reset_clients_leave_the_others_alone(proxy):
    for text in ("", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                 "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"):
        for end in ("close", "reset", "half"):
            wire = proxy.connect().send(text)
            if end == "half":
                wire.sock.shutdown(1)
            elif end == "reset":
                wire.reset()
            wire.close()
            assert proxy.get().text == "reached"


def test_empty_lines_before_a_request_are_skipped(proxy):
    with proxy.connect() as wire:
        assert wire.send("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n").response().text == "reached"
