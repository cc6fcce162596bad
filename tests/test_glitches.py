"""Odd messages, counted for their connection and for what a session tracks."""
import pytest

PLAIN = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
ODD = "GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n"

FRONTEND = """
    global
        stats socket @dir@/cli level admin
        {lines}
    defaults
        mode http
        timeout client 5s
    frontend fe
        bind @fe@
        stick-table type ip size 100 store glitch_cnt,glitch_rate(10s)
        tcp-request connection track-sc0 src
        {option}
        http-request return status 200 content-type text/plain lf-string "%[fc_glitches],%[sc0_glitch_cnt],%[sc0_glitch_rate],%[src_glitch_cnt]"
"""
UNSAFE = "option accept-unsafe-violations-in-http-request"


def begin(start, lines="", option=UNSAFE):
    return start(FRONTEND.format(lines=lines, option=option))


def counted(proxy):
    return next(word for word in proxy.cli("show table fe").split() if word.startswith("glitch_cnt="))


@pytest.mark.parametrize("request_text", [
    ODD, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "GET /\xe9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /#a HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"],
    ids=["name", "host", "8 bit", "fragment", "nul", "websocket"])
def test_what_is_forgiven_counts(start, request_text):
    proxy = begin(start)
    with proxy.connect() as wire:
        for i in (1, 2):
            wire.send(request_text.encode("latin1"))
            assert wire.response().text == ",".join([str(i)] * 4)
        wire.send(PLAIN)
        assert wire.response().text == "2,2,2,2"


@pytest.mark.parametrize("request_text", [
    PLAIN, "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "\r\n\r\n" + PLAIN, PLAIN.replace("\r", ""),
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"],
    ids=["plain", "fold", "empty lines", "line feeds", "lengths", "body"])
def test_what_is_usual_does_not(start, request_text):
    proxy = begin(start)
    with proxy.connect() as wire:
        wire.send(request_text)
        assert wire.response().text == "0,0,0,0"


@pytest.mark.parametrize("request_text, status", [
    ("junk\r\n\r\n", 400), (ODD, 400), ("GET / HTTP/1.1\r\nHost: x\r\nA: " + "x" * 20000 + "\r\n\r\n", 431),
    ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ("GET / HTTP/1.0\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 413)],
    ids=["junk", "name", "long", "chunk", "payload"])
def test_what_is_refused_counts_once(start, request_text, status):
    proxy = begin(start, option="")
    with proxy.connect() as wire:
        wire.send(request_text)
        assert wire.response().status == status
    assert counted(proxy) == "glitch_cnt=1"


def test_three_quarters_of_the_threshold_end_the_connection_after_the_answer(start):
    proxy = begin(start, "tune.h1.fe.glitches-threshold 4")
    with proxy.connect() as wire:
        for i, request in enumerate([ODD, PLAIN, ODD, PLAIN, ODD]):
            wire.send(request)
            assert wire.response().text.startswith(f"{i // 2 + 1},")
        assert wire.is_closed()
    assert proxy.get("/").text == "0,3,3,3"


@pytest.mark.parametrize("request_text", [ODD, "junk\r\n\r\n"], ids=["forgiven", "refused"])
def test_at_the_threshold_there_is_no_answer(start, request_text):
    proxy = begin(start, "tune.h1.fe.glitches-threshold 1")
    with proxy.connect() as wire:
        wire.send(request_text)
        assert wire.read_all() == b""
    assert counted(proxy) == "glitch_cnt=1"


def test_a_worker_that_is_not_busy_answers(start):
    proxy = begin(start, "tune.h1.fe.glitches-threshold 1\n        tune.glitches.kill.cpu-usage 100")
    with proxy.connect() as wire:
        wire.send(ODD)
        assert wire.response().text == "1,1,1,1"
        assert wire.is_closed()


@pytest.mark.parametrize("threshold, on_one", [(0, 6), (4, 3), (1, 1)])
def test_connections_to_odd_servers(start, tcp, threshold, on_one):
    def answer(wire):
        while wire.request():
            wire.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nA b: c\r\n\r\nbody")

    server = tcp(answer)
    proxy = start(f"""
        global
            tune.h1.be.glitches-threshold {threshold}
            nbthread 1
        defaults
            mode http
            timeout client 5s
            timeout server 5s
            timeout connect 5s
        frontend fe
            bind @fe@
            http-response set-header x-glitches %[bc_glitches]
            default_backend be
        backend be
            option accept-unsafe-violations-in-http-response
            server s @server@
    """, server=server)
    with proxy.connect() as wire:
        for i in range(6):
            wire.send(PLAIN)
            answer = wire.response()
            assert answer.text == "body" and answer.headers["x-glitches"] == str(i % on_one + 1)
    assert server.connections == 6 // on_one
