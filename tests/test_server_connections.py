"""Which server connection a request goes out on: reuse, sharing between workers, and whose it is."""
import pytest

from harness import Answer, eventually

WORKERS = """
    global
        nbthread 4
    defaults
        mode http
        timeout connect 5s
        timeout client 10s
        timeout server 10s
"""


def test_idle_connections_serve_other_workers(start, web):
    server = web("hello")
    proxy = start(WORKERS.replace("nbthread", "stats socket @dir@/cli\n        nbthread") + """
    listen f
        bind @fe@
        http-reuse always
        server s @s@
    """, s=server)

    def idle():
        names, values = (line.split() for line in proxy.cli("show servers conn f").splitlines()[:2])
        return values[names.index("idle_cur") - 1] == "1"

    for _ in range(40):  # each on a connection of its own, so on any worker
        assert proxy.get("/", headers={"Connection": "close"}).status == 200
        eventually(idle, what="an idle connection")
    assert {r.connection for r in server.requests} == {1}


def test_safe_reuse_gives_first_requests_their_own(start, web):
    server = web("hello")
    proxy = start(WORKERS + """
    listen f
        bind @fe@
        http-reuse safe
        server s @s@
    """, s=server)
    for _ in range(10):
        assert proxy.get("/", headers={"Connection": "close"}).status == 200
    assert len({r.connection for r in server.requests}) == 10


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate abc"])
def test_authenticated_connections_are_private(start, web, scheme):
    def answer(request):
        if request.target == "/login":
            return Answer(401, headers=[("WWW-Authenticate", scheme)])
        return Answer(200, "hello")

    server = web(answer)
    proxy = start("""
    listen f
        bind @fe@
        http-reuse always
        server s @s@
    """, s=server)
    with proxy.connect() as one:
        assert one.ask(target="/login").status == 401
        assert one.ask(target="/mine").status == 200
        assert proxy.get("/other").status == 200
        assert one.ask(target="/mine").status == 200
    mine = {r.connection for r in server.requests if r.target in ("/login", "/mine")}
    other = {r.connection for r in server.requests if r.target == "/other"}
    assert len(mine) == 1 and not mine & other


@pytest.mark.parametrize("lines, stays", [
    ("http-reuse never\n option prefer-last-server", True),
    ("http-reuse safe\n option prefer-last-server", False),
    ("http-reuse never", False),
])
def test_a_session_prefers_the_server_it_has_a_connection_to(start, web, lines, stays):
    servers = [web("hello") for _ in range(3)]
    proxy = start(f"""
    listen f
        bind @fe@
        balance roundrobin
        {lines}
        server a @a@
        server b @b@
        server c @c@
    """, a=servers[0], b=servers[1], c=servers[2])
    with proxy.connect() as client:
        for _ in range(6):
            assert client.ask().status == 200
    assert sorted(len(s.requests) for s in servers) == ([0, 0, 6] if stays else [2, 2, 2])


def test_authenticated_clients_stay_with_their_server(start, web):
    servers = [web(Answer(401, headers=[("WWW-Authenticate", "NTLM")])) for _ in range(3)]
    proxy = start("""
    listen f
        bind @fe@
        balance roundrobin
        server a @a@
        server b @b@
        server c @c@
    """, a=servers[0], b=servers[1], c=servers[2])
    with proxy.connect() as client:
        for _ in range(6):
            assert client.ask().status == 401
    assert sorted(len(s.requests) for s in servers) == [0, 0, 6]
