"""Health checks: what is asked of servers, and what configurations may say about it."""
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
