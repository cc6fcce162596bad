"""tune.bufsize.large and 'wait-for-body ... use-large-buffer'."""

import pytest

from harness import Answer

LARGE = "global\n    tune.bufsize.large 200k\n"
ECHO = ('http-request return content-type text/plain lf-string "%[req.body_len] %[req.body_size] %[req.body,xxh64]"')


def body_of(size):
    return "".join(chr(97 + i % 23) for i in range(size))


def start_waiting(start, words="use-large-buffer", settings=LARGE):
    return start(f"""
        {settings}
        frontend fe
            bind @fe@
            http-request wait-for-body time 5s {words}
            {ECHO}
    """)


def seen(proxy, body, chunked=False):
    with proxy.connect() as wire:
        if chunked:
            pieces = [body[i:i + 7000] for i in range(0, len(body), 7000)]
            text = "".join(f"{len(piece):x}\r\n{piece}\r\n" for piece in pieces) + "0\r\n\r\n"
            wire.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", text)
        else:
            wire.send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n", body)
        return wire.response().text.split()


@pytest.mark.parametrize("size", [10, 15000, 16384, 20000, 100000, 190000])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_a_body_up_to_the_large_size_is_there_as_a_whole(start, size, chunked):
    proxy = start_waiting(start)
    body = body_of(size)
    length, _, digest = seen(proxy, body, chunked)
    assert length == str(size)
    assert digest == seen(proxy, body)[2]  # the same on each way, and each time


def test_a_longer_one_fills_the_large_buffer(start):
    length, size, _ = seen(start_waiting(start), body_of(400000))
    assert 180000 < int(length) <= 204800
    assert size in (length, "400000")


def test_the_words_are_needed(start):
    length, _, _ = seen(start_waiting(start, ""), body_of(100000))
    assert int(length) <= 16384


def test_at_least_more_than_a_usual_buffer(start):
    proxy = start_waiting(start, "at-least 50k use-large-buffer")
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "a" * 40000, "b" * 20000)
        assert int(wire.response().text.split()[0]) >= 50 * 1024


@pytest.mark.parametrize("size", [100, 30000, 190000, 1000000])
def test_the_body_goes_on_whole_and_the_connection_serves_on(start, web, size):
    server = web(lambda request: request.text)
    proxy = start(f"""
        {LARGE}
        frontend fe
            bind @fe@
            default_backend be
        backend be
            http-request wait-for-body time 5s use-large-buffer
            http-request set-header x-length %[req.body_len]
            http-response wait-for-body time 5s use-large-buffer
            http-response set-header x-length %[res.body_len]
            server s @server@
    """, server=server)
    body = body_of(size)
    with proxy.connect() as wire:
        for _ in range(3):
            wire.send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n", body)
            answer = wire.response()
            assert answer.text == body
            if size < 200000:
                assert answer.headers["x-length"] == server.requests[-1].headers["x-length"] == str(size)


def test_requests_behind_a_large_body_are_served(start, web):
    server = web(lambda request: f"{request.target} {len(request.text)}")
    proxy = start(f"""
        {LARGE}
        frontend fe
            bind @fe@
            http-request wait-for-body time 5s use-large-buffer if METH_POST
            default_backend be
        backend be
            server s @server@
    """, server=server)
    with proxy.connect() as wire:
        gets = "".join(f"GET /{i} HTTP/1.1\r\nHost: x\r\nX-Pad: {'p' * 300}\r\n\r\n" for i in range(100))
        wire.send("POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + "x" * 90000 + gets)
        assert wire.response().text == "/post 90000"
        for i in range(100):
            assert wire.response().text == f"/{i} 0"


def test_too_slow_a_body_is_408(start):
    proxy = start(f"""
        {LARGE}
        frontend fe
            bind @fe@
            http-request wait-for-body time 300ms use-large-buffer
            http-request return status 200
    """)
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", "x" * 50000)
        assert wire.response().status == 408


@pytest.mark.beyond
def test_a_large_body_is_sent_again_when_the_server_is_busy(start, web):
    bad, good = web(lambda _: Answer(503, "busy")), web(lambda request: request.text)
    proxy = start(f"""
        {LARGE}
        frontend fe
            bind @fe@
            default_backend be
        backend be
            balance roundrobin
            option redispatch 1
            retries 1
            retry-on 503
            http-request wait-for-body time 5s use-large-buffer
            server bad @bad@
            server good @good@
    """, bad=bad, good=good)
    body = body_of(100000)
    assert [proxy.get("/", (), "POST", body).text for _ in range(4)] == [body] * 4
    assert bad.requests


def test_without_large_buffers_the_words_are_refused(check):
    code, output = check("""
        frontend fe
            bind @fe@
            http-request wait-for-body time 1s use-large-buffer
    """)
    assert code != 0 and "unable to use large buffers" in output


def test_large_buffers_smaller_than_usual_ones_are_none(check):
    code, output = check("""
        global
            tune.bufsize.large 1000
        frontend fe
            bind @fe@
    """)
    assert code == 0 and "tune.bufsize.large (1000) is lower than tune.bufsize (16384)" in output
