"""Health checks: what is asked of servers, and what configurations may say about it."""
import pytest

from harness import Answer, eventually


def asked(seen):
    return eventually(lambda: seen and seen[0])


def test_healthcheck_sections_serve_any_backend(start, web):
    seen = {"one": [], "two": []}
    start("""
        healthcheck status
            type httpchk
            http-check send meth GET uri /status ver HTTP/1.1 hdr host "%[srv_name].test"
            http-check expect status 200
        healthcheck plain
            type tcp-check
        listen fe
            bind @fe@
            option httpchk GET /other
            server one @one@ check inter 50ms healthcheck status
            server two @two@ check inter 50ms
            server three @one@ check inter 50ms healthcheck plain
    """, one=web(lambda r: seen["one"].append(r) or Answer(200 if r.target == "/status" else 500)),
        two=web(lambda r: seen["two"].append(r) or "fine"))
    first = asked(seen["one"])
    assert (first.method, first.target, first.headers["host"]) == ("GET", "/status", "one.test")
    assert asked(seen["two"]).target == "/other"


def test_healthcheck_sections_that_make_no_sense(check):
    code, text = check("""
        healthcheck once
            type httpchk
            tcp-check connect
        healthcheck untyped
            http-check expect status 200
        healthcheck odd
            type external-check
        listen fe
            bind @fe@
            server s1 127.0.0.1:1 check healthcheck nowhere
    """)
    assert code == 1
    assert "healthcheck" in text


def test_own_rules_of_a_check_end_the_request_of_the_defaults(start, web):
    seen = []
    start("""
        defaults
            mode http
            timeout connect 5s
            timeout client 5s
            timeout server 5s
            option httpchk GET /inherited
        listen be
            bind @fe@
            http-check send hdr x-own yes
            server s1 @s1@ check inter 50ms
    """, s1=web(lambda r: seen.append(r) or "fine"))
    request = asked(seen)
    assert (request.method, request.target, request.headers["x-own"]) == ("OPTIONS", "/", "yes")


def test_a_unique_id_in_a_check(start, web):
    seen = []
    start("""
        listen be
            bind @fe@
            unique-id-format "%[be_name]-%[srv_is_up(s1),iif(up,down)]"
            option httpchk
            http-check send meth GET uri / hdr request-id "%[unique-id]"
            server s1 @s1@ check inter 50ms
    """, s1=web(lambda r: seen.append(r) or "fine"))
    assert asked(seen).headers["request-id"] == "be-up"


def test_addresses_may_name_variables(start, web):
    server = web("found")
    proxy = start("""
        listen fe
            bind @fe@
            server s1 $HOST:${PORT}
    """, env={"HOST": "127.0.0.1", "PORT": server.address.split(":")[1]})
    assert proxy.get("/").text == "found"


POOLED = """
    frontend fe
        bind @fe@
        default_backend be
    backend be
        http-reuse {reuse}
        option httpchk
        http-check send meth GET uri /check ver HTTP/1.1 hdr host h
        server s @s@ check inter 200ms {options}
"""


def carriers(server, traffic):
    """The connections that requests of clients and checks came on, in this order."""
    checks = [r.connection for r in list(server.requests) if r.target == "/check"]
    return [r.connection for r in list(server.requests) if r.target == traffic], checks


@pytest.mark.parametrize("reuse, options", [
    ("always", "check-reuse-pool"),
    ("always", "check-reuse-pool pool-conn-name str(a) check-pool-conn-name a"),
])
def test_checks_go_over_connections_of_the_pool(start, web, reuse, options):
    server = web("fine")
    proxy = start(POOLED.format(reuse=reuse, options=options), s=server)
    proxy.get("/traffic")

    def shared():
        proxy.get("/traffic")
        clients, checks = carriers(server, "/traffic")
        return set(clients) & set(checks)

    eventually(shared)


@pytest.mark.parametrize("reuse, options", [
    ("always", ""),
    ("always", "check-reuse-pool no-check-reuse-pool"),
    ("safe", "check-reuse-pool"),
    ("never", "check-reuse-pool"),
    ("always", "check-reuse-pool pool-conn-name str(a) check-pool-conn-name b"),
    ("always", "check-reuse-pool addr 127.0.0.1"),
])
def test_checks_that_keep_to_themselves(start, web, reuse, options):
    server = web("fine")
    proxy = start(POOLED.format(reuse=reuse, options=options), s=server)
    proxy.get("/traffic")
    before = len(server.requests)
    eventually(lambda: len(server.requests) > before + 3)
    clients, checks = carriers(server, "/traffic")
    assert clients and checks and not set(clients) & set(checks)


@pytest.mark.beyond
def test_checks_give_connections_back(start, web):
    server = web("fine")
    proxy = start(POOLED.format(reuse="always", options="check-reuse-pool"), s=server)
    eventually(lambda: len(server.requests) >= 5)
    assert {r.connection for r in server.requests} == {1}

    def taken_over():  # unless a check is under way, which has a second one opened
        checked = {r.connection for r in server.requests if r.target == "/check"}
        proxy.get("/traffic")
        return [r.connection for r in server.requests if r.target == "/traffic"][-1] in checked

    eventually(taken_over)
    assert all("connection" not in r.headers for r in server.requests if r.target == "/check")


@pytest.mark.beyond
def test_an_unfinished_response_takes_its_connection_with_it(start, web):
    server = web(lambda request: Answer(200, "x" * 50, headers=[("transfer-encoding", "chunked")]))
    start(POOLED.format(reuse="always", options="check-reuse-pool"), s=server)
    eventually(lambda: len(server.requests) >= 3)
    assert len({r.connection for r in server.requests}) == len(server.requests)
