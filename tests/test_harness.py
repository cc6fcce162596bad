"""The harness against the simplest proxy: what every other test relies on."""
from harness import Answer, at_once


def test_request_and_answer(start, web):
    server = web(lambda request: Answer(201, request.body + b"!", [("X-Method", request.method)]))
    proxy = start("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 @s1@
    """, s1=server)
    answer = proxy.get("/path?q", {"X-A": "b"}, "POST", "hello")
    assert (answer.status, answer.body, answer.headers["x-method"]) == (201, b"hello!", "POST")
    assert server.requests[0].target == "/path?q"
    assert server.requests[0].headers["x-a"] == "b"


def test_tcp_in_segments(start, tcp):
    def echo_line(wire):
        wire.send(wire.read_until(b"\n").upper())

    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            server s1 @s1@
    """, s1=tcp(echo_line))

    def one(i):
        with proxy.connect() as wire:
            return wire.send("he", "llo ", f"{i}\n").read_all()

    assert at_once(8, one) == [f"HELLO {i}\n".encode() for i in range(8)]


def test_check_refuses(check):
    code, text = check("""
        frontend fe
            bind @fe@
            no-such-keyword
    """)
    assert code == 1
    assert "no-such-keyword" in text
