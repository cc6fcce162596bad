"""Timeouts, maxconn and queues, retries, error pages: what happens when there is too much or too little."""
import threading
import time

import pytest

from harness import Answer, Closed, at_once, eventually


@pytest.fixture
def gate(web):
    """A server that holds /hold requests until released, and knows how many it holds."""
    release, held, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    def answer(request):
        if request.target.startswith("/hold"):
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            release.wait(10)
            with lock:
                held[0] -= 1
        return request.target

    server = web(answer)
    server.release, server.held, server.most = release, held, most
    yield server
    release.set()


def in_background(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    return thread, results


def test_server_maxconn_queues(start, gate):
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@ maxconn 2
    """, s1=gate)
    threads = [in_background(lambda i=i: proxy.get(f"/hold{i}").text) for i in range(8)]
    eventually(lambda: gate.held[0] == 2)
    time.sleep(0.1)  # time for a third to arrive where it must not
    assert gate.held[0] == 2
    gate.release.set()
    for thread, _ in threads:
        thread.join()
    assert sorted(results[0] for _, results in threads) == sorted(f"/hold{i}" for i in range(8))
    assert gate.most[0] == 2


def test_queue_timeout(start, gate):
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            timeout queue 200ms
            server s1 @s1@ maxconn 1
    """, s1=gate)
    thread, _ = in_background(lambda: proxy.get("/hold"))
    eventually(lambda: gate.held[0] == 1)
    assert proxy.get("/").status == 503
    gate.release.set()
    thread.join()
    assert proxy.get("/").status == 200


def test_frontend_maxconn_makes_clients_wait(start, gate):
    proxy = start("""
        frontend fe
            bind @fe@
            maxconn 1
            default_backend be
        backend be
            server s1 @s1@
    """, s1=gate)
    first = proxy.connect()
    assert first.ask().text == "/"
    thread, results = in_background(lambda: proxy.get("/second").text)
    time.sleep(0.2)
    assert results == []
    first.close()
    thread.join()
    assert results == ["/second"]


def test_server_timeout(start, gate):
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            timeout server 200ms
            server s1 @s1@
    """, s1=gate)
    assert proxy.get("/hold").status == 504


def test_keep_alive_timeout_closes_silently(start, web):
    proxy = start("""
        frontend fe
            bind @fe@
            timeout http-keep-alive 200ms
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("ok"))
    with proxy.connect() as wire:
        wire.ask()
        assert wire.read_all() == b""


def test_client_timeout_in_a_body(start, web):
    proxy = start("""
        frontend fe
            bind @fe@
            timeout client 300ms
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("ok"))
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        assert wire.response().status in (400, 408)


def test_retries_move_to_the_next_server(start, web):
    dead, alive = web("dead"), web(lambda request: request.text)
    dead.close()
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            option redispatch 1
            retries 2
            server dead @dead@
            server alive @alive@
    """, dead=dead, alive=alive)
    assert [proxy.get("/", (), "POST", f"body {i}").text for i in range(4)] == [f"body {i}" for i in range(4)]


@pytest.mark.parametrize("body", ["", "short", "x" * 10000], ids=["empty", "short", "long"])
def test_retry_on_a_status_sends_the_body_again(start, web, body):
    bad, good = web(lambda _: Answer(503, "busy")), web(lambda request: request.text)
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            option redispatch 1
            retries 1
            retry-on 503
            http-request wait-for-body time 5s
            server bad @bad@
            server good @good@
    """, bad=bad, good=good)
    assert [proxy.get("/", (), "POST", body).text for _ in range(20)] == [body] * 20
    assert bad.requests and all(request.text == body for request in bad.requests)


@pytest.mark.beyond
def test_retry_keeps_a_body_that_arrives_in_pieces(start, web):
    bad, good = web(lambda _: Answer(503, "busy")), web(lambda request: request.text)
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            option redispatch 1
            retries 1
            retry-on 503
            server bad @bad@
            server good @good@
    """, bad=bad, good=good)
    for _ in range(4):
        with proxy.connect() as wire:
            wire.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", "one", "two", "six")
            assert wire.response().text == "onetwosix"


@pytest.mark.parametrize("condition, handler", [
    ("empty-response", lambda wire: wire.request()),
    ("junk-response", lambda wire: (wire.request(), wire.send("junk\r\n\r\n"))),
    ("response-timeout", lambda wire: (wire.request(), wire.read_all())),
], ids=["empty", "junk", "timeout"])
def test_retry_on_what_a_server_does(start, web, tcp, condition, handler):
    bad = tcp(handler)
    proxy = start(f"""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            timeout server 300ms
            option redispatch 1
            retries 1
            retry-on {condition}
            server bad @bad@
            server good @good@
    """, bad=bad, good=web("good"))
    assert [proxy.get().text for _ in range(20)] == ["good"] * 20
    assert bad.connections


def test_no_retry_without_the_condition(start, web):
    bad = web(lambda _: Answer(503, "busy"))
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            option redispatch 1
            retries 3
            server bad @bad@
    """, bad=bad)
    assert proxy.get().text == "busy"
    assert len(bad.requests) == 1


def test_error_files(start):
    proxy = start("""
        frontend fe
            bind @fe@
            errorfile 503 @dir@/503.http
            http-request deny deny_status 403 if { path /denied }
            default_backend be
        backend be
            server s1 127.0.0.1:1 disabled
    """, files={"503.http": "HTTP/1.0 503 Gone Fishing\r\nX-Own: yes\r\nConnection: close\r\n\r\nback at noon"})
    answer = proxy.get()
    assert (answer.status, answer.headers["x-own"], answer.text) == (503, "yes", "back at noon")
    assert proxy.get("/denied").status == 403


def test_process_maxconn(start, web):
    proxy = start("""
        global
            maxconn 5
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("ok"))
    wires = [proxy.connect() for _ in range(5)]
    assert [wire.ask().text for wire in wires] == ["ok"] * 5
    thread, results = in_background(lambda: proxy.get().text)
    time.sleep(0.2)
    assert results == []
    wires[0].close()
    thread.join()
    assert results == ["ok"]


def test_checks_take_a_server_out_and_back(start, web, tcp):
    healthy = [True]
    one = web(lambda request: Answer(200 if healthy[0] or request.target != "/health" else 500, "one"))
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            option httpchk GET /health
            default-server check inter 100ms rise 1 fall 1
            server one @one@
            server two @two@
    """, one=one, two=web("two"))
    eventually(lambda: {proxy.get().text for _ in range(4)} == {"one", "two"})
    healthy[0] = False
    eventually(lambda: {proxy.get().text for _ in range(4)} == {"two"})
    healthy[0] = True
    eventually(lambda: {proxy.get().text for _ in range(4)} == {"one", "two"})


def test_soft_stop_finishes_what_is_under_way(start, gate):
    import signal
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@
    """, s1=gate)
    thread, results = in_background(lambda: proxy.get("/hold").text)
    eventually(lambda: gate.held[0] == 1)
    proxy.signal(signal.SIGUSR1)

    def refused():
        try:
            proxy.connect().close()
            return False
        except OSError:
            return True

    eventually(refused, what="the listener's end")
    gate.release.set()
    thread.join()
    assert results == ["/hold"]
    assert proxy.wait() == 0
