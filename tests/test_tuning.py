"""Limits of the global section: memory of variables, health checks at once, the HTTP client of scripts."""
import socket
import threading
import time

import pytest
from harness import Ports, eventually

VARIABLES = """
    global
        nbthread 1
        {limit}
    defaults
        mode http
        timeout client 5s
    frontend fe
        bind @fe@
        http-request set-var(proc.a) str(0123456789)
        http-request set-var(sess.a) str(0123456789)
        http-request set-var(txn.a) str(0123456789)
        http-request set-var(req.a) str(0123456789)
        http-request set-var(req.b) str(0123456789)
        http-request set-var(req.c) path
        http-request return status 200 content-type text/plain lf-string "{answer}"
"""
LENGTHS = " ".join(f"%[var({name}),length]" for name in ("proc.a", "sess.a", "txn.a", "req.a", "req.b", "req.c"))


@pytest.mark.parametrize("limit, answer", [
    ("", "10 10 10 10 10 4"), ("reqres 200", "10 10 10 10 10 "), ("txn 200", "10 10 10 10  "),
    ("sess 200", "10 10 10   "), ("proc 200", "10 10    "), ("global 200", "10 10    "), ("txn 100", "10 10 10   "),
    ("txn 32", "10 10    "), ("global 10000", "10 10 10 10 10 4")])
def test_memory_of_variables(start, limit, answer):
    """Each counts with what it takes beside its text; a limit includes the finer scopes."""
    scope, _, size = limit.partition(" ")
    limit = f"tune.vars.{scope}-max-size {size}" if limit else ""
    proxy = start(VARIABLES.format(limit=limit, answer=LENGTHS))
    assert proxy.get("/abc").text == answer


@pytest.mark.parametrize("scope", ["global", "proc"])
def test_memory_of_variables_is_given_back(start, scope):
    proxy = start(VARIABLES.format(limit=f"tune.vars.{scope}-max-size 1000", answer="%[var(req.c),length]"))
    for _ in range(10):
        assert proxy.get("/" + "x" * 99).text == "100"
    with proxy.connect() as wire:
        for _ in range(10):
            assert wire.ask("GET", "/" + "x" * 199).text == "200"
        assert wire.ask("GET", "/" + "x" * 999).text != "1000"  # the reference keeps a part of it
        assert wire.ask("GET", "/" + "x" * 199).text == "200"


def test_scripts_are_told_that_a_variable_does_not_fit(start):
    proxy = start("""
        global
            lua-load @dir@/x.lua
            tune.vars.txn-max-size 300
        defaults
            mode http
            timeout client 5s
        frontend fe
            bind @fe@
            http-request lua.fill
            http-request return status 200 content-type text/plain lf-string "%[var(txn.r)]"
    """, files={"x.lua": """
        core.register_action("fill", {"http-req"}, function(txn)
            txn:set_var("txn.a", "short")
            txn:set_var("txn.b", string.rep("x", 300))
            local kept = txn:get_var("txn.b") ~= string.rep("x", 300) and txn:get_var("txn.a") == "short"
            txn:set_var("txn.r", kept and "kept" or "lost")
        end)
    """})
    assert proxy.get("/").text == "kept"


def test_memory_of_the_variables_of_a_check(start, web):
    server = web("fine")
    start("""
        global
            tune.vars.check-max-size 200
        backend be
            option httpchk
            http-check set-var(check.a) str(short)
            http-check set-var-fmt(check.b) "{}"
            http-check connect
            http-check send meth GET uri / ver HTTP/1.1 hdr host x hdr x-a "%[var(check.a)]" hdr x-b "-%[var(check.b)]"
            server s1 @s1@ check inter 100ms
        frontend fe
            bind @fe@
            default_backend be
    """.replace("{}", "x" * 300), s1=server)
    eventually(lambda: server.requests)
    assert server.requests[0].headers["x-a"] == "short" and "x" not in server.requests[0].headers["x-b"]


@pytest.mark.parametrize("limit", [0, 1])
def test_checks_at_once(start, tcp, limit):
    lock, now, most, seen = threading.Lock(), [0], [0], [0]

    def serve(wire):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        wire.read_until(b"\r\n\r\n")
        wire.send(b"HTTP/1.1 200 OK\r\n", b"content-length: 0\r\n", gap=0.2)
        with lock:
            now[0] -= 1
            seen[0] += 1
        wire.send(b"\r\n")

    proxy = start(f"""
        global
            nbthread 1
            stats socket @dir@/cli
            tune.max-checks-per-thread {limit}
        defaults
            mode http
            timeout connect 5s
            timeout client 5s
            timeout server 5s
            timeout check 5s
        listen fe
            bind @fe@
            option httpchk
            default-server check inter 100ms
            server s1 @s1@
            server s2 @s1@
            server s3 @s1@
    """, s1=tcp(serve))
    eventually(lambda: seen[0] >= 6)
    assert (most[0] == 1) == (limit == 1)
    assert proxy.cli("show stat").count(",UP,") >= 3


CLIENT = """
    global
        lua-load @dir@/x.lua
        {words}
    defaults
        mode http
        timeout client 20s
    frontend fe
        bind @fe@
        http-request use-service lua.ask
"""
ASK = """
    core.register_service("ask", "http", function(applet)
        local out = tostring(core.httpclient():get{url = "http://%s/", timeout = 500}.status)
        applet:set_status(200)
        applet:add_header("content-length", tostring(#out))
        applet:start_response()
        applet:send(out)
    end)
"""


@pytest.mark.parametrize("words, connections", [("", 4), ("httpclient.retries 0", 1), ("httpclient.retries 2", 3)])
def test_retries_of_the_client_of_scripts(start, tcp, words, connections):
    server = tcp(lambda wire: wire.read_until(b"\r\n\r\n"))
    proxy = start(CLIENT.format(words=words), files={"x.lua": ASK % "@s1@"}, s1=server)
    assert proxy.get("/").text == "0"
    assert server.connections == connections


def test_a_retry_that_succeeds(start, tcp):
    def serve(wire):
        wire.read_until(b"\r\n\r\n")
        if server.connections > 1:
            wire.send(b"HTTP/1.1 204 Fine\r\n\r\n")

    server = tcp(serve)
    proxy = start(CLIENT.format(words=""), files={"x.lua": ASK % "@s1@"}, s1=server)
    assert proxy.get("/").text == "204"
    assert server.connections == 2


def test_a_connection_of_the_client_of_scripts_that_is_late(start):
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for sock in first, second:  # what a queue of none takes in
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        proxy = start(CLIENT.format(words="httpclient.timeout.connect 300\n        httpclient.retries 0"),
                      files={"x.lua": ASK % f"127.0.0.1:{full.getsockname()[1]}"})
        began = time.monotonic()
        assert proxy.get("/").status == 200
        assert 0.25 < time.monotonic() - began < 3


@pytest.mark.beyond
@pytest.mark.parametrize("words, status", [
    ("", "201"), ("httpclient.resolvers.prefer ipv4", "201"), ("httpclient.resolvers.prefer ipv6", "202")])
def test_the_addresses_that_the_client_tries_first(start, words, status):
    port = Ports.take()
    proxy = start(CLIENT.format(words=words) + f"""
    frontend four
        bind 127.0.0.1:{port}
        http-request return status 201
    frontend six
        bind [::1]:{port}
        http-request return status 202
    """, files={"x.lua": ASK % f"localhost:{port}"})
    assert proxy.get("/").text == status


@pytest.mark.parametrize("words", ["thread 1", "thread 1/1", "thread odd nice 5", "nice -100 thread 1-2"])
def test_words_of_the_runtime_socket(start, words):
    proxy = start(f"""
        global
            stats socket @dir@/cli level admin {words}
        frontend fe
            bind @fe@
            http-request return status 200
    """)
    assert "Nbthread" in proxy.cli("show info")


@pytest.mark.parametrize("words, told", [("thread x", "thread"), ("nice 5000", "nice")])
def test_mistakes_about_the_runtime_socket(check, words, told):
    code, output = check(f"global\n stats socket /tmp/none {words}\n")
    assert code == 1 and told in output


@pytest.mark.parametrize("words, code", [("", 0), ("queue", 0), ("check l7-retries", 0), ("queues", 1)])
def test_words_of_small_buffers(check, words, code):
    found, output = check(f"""
        backend be
            option use-small-buffers {words}
    """)
    assert found == code and ("invalid parameter 'queues'" in output) == (code == 1)


@pytest.mark.beyond
@pytest.mark.parametrize("line", ["http-request set-nice 5", "bind @other@ nice 5", "option splice-auto"])
def test_words_of_proxies_without_effect_say_why(check, line):
    code, output = check(f"""
        frontend fe
            bind @fe@
            {line}
    """, args=["-dD"])
    assert code == 0 and "has no effect: " in output


@pytest.mark.beyond
@pytest.mark.parametrize("line", [
    "httpclient.resolvers.id x", "httpclient.resolvers.disabled on", "dns-accept-family ipv4",
    "thread-groups 1", "max-threads-per-group 5", "tune.bufsize.small 512", "tune.peers.max-updates-at-once 5"])
def test_words_without_effect_say_why(check, line):
    code, output = check(f"global\n {line}\n", args=["-dD"])
    word = line.split()[0]
    assert code == 0 and f"'{word}' has no effect: " in output
