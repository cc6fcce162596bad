"""Bandwidth limits: "filter bwlim-in", "filter bwlim-out" and "set-bandwidth-limit"."""
import time

import pytest

from harness import Answer

BODY = bytes(range(256)) * 400  # 102,400 bytes


def timed(call):
    start = time.monotonic()
    result = call()
    return result, time.monotonic() - start


def test_responses_are_slowed_down(start, web):
    proxy = start("""
        frontend fe
            bind @fe@
            filter bwlim-out slow default-limit 40k default-period 500ms
            http-request set-bandwidth-limit slow if { path /slow }
            default_backend be
        backend be
            server s @s@
    """, s=web(lambda _: Answer(body=BODY)))
    answer, seconds = timed(lambda: proxy.get("/quick"))
    assert answer.body == BODY and seconds < 0.5
    answer, seconds = timed(lambda: proxy.get("/slow"))  # 60 k more than passes at once
    assert answer.body == BODY and 0.5 < seconds < 5


def test_requests_are_slowed_down(start, web):
    server = web("ok")
    proxy = start("""
        frontend fe
            bind @fe@
            filter bwlim-in up default-limit 1k default-period 1s
            http-request set-bandwidth-limit up limit int(40960) period 500ms
            default_backend be
        backend be
            server s @s@
    """, s=server)
    answer, seconds = timed(lambda: proxy.get("/", method="POST", body=BODY))
    assert answer.status == 200 and 0.5 < seconds < 5
    assert server.requests[0].body == BODY


def test_connections_are_slowed_down(start, tcp):
    def send(wire):
        wire.send(BODY)

    proxy = start("""
        defaults
            mode tcp
            timeout client 10s
            timeout server 10s
            timeout connect 5s
        listen fe
            bind @fe@
            filter bwlim-out slow default-limit 40k default-period 500ms min-size 2k
            tcp-request content set-bandwidth-limit slow
            server s @s@
    """, s=tcp(send))
    with proxy.connect() as wire:
        got, seconds = timed(wire.read_all)
    assert got == BODY and 0.5 < seconds < 5


def test_streams_of_one_key_share_a_limit(start, web):
    proxy = start("""
        frontend fe
            bind @fe@
            stick-table type ip size 10 store bytes_out_rate(500ms)
            filter bwlim-out shared limit 40k key src
            http-request set-bandwidth-limit shared
            default_backend be
        backend be
            server s @s@
    """, s=web(lambda _: Answer(body=BODY[:40_000])))
    assert timed(lambda: proxy.get("/"))[1] < 0.4  # what may pass at once
    answer, seconds = timed(lambda: proxy.get("/"))  # another stream finds it used up
    assert answer.body == BODY[:40_000] and 0.2 < seconds < 5


@pytest.mark.parametrize("lines, told", [
    ("filter bwlim-out x default-limit 1k", "default-period"),
    ("filter bwlim-out x limit 1k", "key"),
    ("filter bwlim-out x key src", "limit"),
    ("filter bwlim-out x limit 1k key src table none", "none"),
    ("http-request set-bandwidth-limit none", "none"),
    ("filter bwlim-out x", "default-"),
])
def test_mistakes_are_told(check, lines, told):
    code, text = check(f"frontend fe\n bind @fe@\n {lines}\n")
    assert code == 1 and told in text, text
