"""Rules, conditions and samples as configurations use them."""
import pytest

from harness import Answer

ECHO = """
    frontend fe
        bind @fe@
        {rules}
        default_backend be
    backend be
        server s1 @s1@
"""


@pytest.fixture
def run(start, web):
    def make(rules, answer=None, **settings):
        server = web(answer or (lambda request: f"{request.method} {request.target}"))
        proxy = start(ECHO.format(rules="\n        ".join(rules.strip().splitlines())), s1=server, **settings)
        proxy.server = server
        return proxy
    return make


def test_headers_are_edited(run):
    proxy = run("""
        http-request set-header X-Set one
        http-request add-header X-Add %[src]
        http-request del-header X-Del
        http-request replace-header X-Rep (.*)old(.*) \\1new\\2
        http-request replace-value X-List a b
        http-response set-header X-Resp %[status]
        http-response del-header X-Gone
        http-after-response set-header X-After %[res.hdr(x-resp)]
    """, lambda request: Answer(201, "", [("X-Gone", "1")]))
    answer = proxy.get("/", {"X-Set": "zero", "X-Del": "1", "X-Rep": "my old car", "X-List": "a, c, a"})
    headers = proxy.server.requests[0].headers
    assert headers.all("x-set") == ["one"] and headers["x-add"] == "127.0.0.1"
    assert "x-del" not in headers and headers["x-rep"] == "my new car"
    assert headers["x-list"].replace(" ", "") == "b,c,b"
    assert (answer.headers["x-resp"], answer.headers["x-after"], "x-gone" in answer.headers) == ("201", "201", False)


def test_the_target_is_rewritten(run):
    proxy = run("""
        http-request set-path /p%[path] if { path /a }
        http-request set-query q=%[query] if { query -m found }
        http-request replace-path /old/(.*) /new/\\1
        http-request set-method PUT if { method DELETE }
        http-request set-uri /whole?uri if { path /uri }
    """)
    assert proxy.get("/a?x").text == "GET /p/a?q=x"
    assert proxy.get("/old/1/2").text == "GET /new/1/2"
    assert proxy.get("/d", (), "DELETE").text == "PUT /d"
    assert proxy.get("/uri").text == "GET /whole?uri"


def test_answers_of_the_proxy(run):
    proxy = run("""
        http-request deny if { path /deny }
        http-request deny deny_status 429 hdr Retry-After 5 if { path /busy }
        http-request return status 202 content-type text/plain string "hello there" hdr X-A b if { path /return }
        http-request return content-type text/plain lf-string "%[path],%[method]" if { path_beg /lf }
        http-request redirect location /elsewhere code 301 if { path /moved }
        http-request redirect prefix https://other.example if { path /prefix }
        http-request redirect scheme https if { path /scheme }
        http-request reject if { path /reject }
    """)
    assert proxy.get("/deny").status == 403
    busy = proxy.get("/busy")
    assert (busy.status, busy.headers["retry-after"]) == (429, "5")
    hello = proxy.get("/return")
    assert (hello.status, hello.text, hello.headers["content-type"], hello.headers["x-a"]) == (202, "hello there", "text/plain", "b")
    assert proxy.get("/lf/x").text == "/lf/x,GET"
    assert (proxy.get("/moved").status, proxy.get("/moved").headers["location"]) == (301, "/elsewhere")
    assert proxy.get("/prefix?q").headers["location"] == "https://other.example/prefix?q"
    assert proxy.get("/scheme", {"Host": "h"}).headers["location"] == "https://h/scheme"
    with proxy.connect() as wire:
        assert wire.send("GET /reject HTTP/1.1\r\nHost: x\r\n\r\n").read_all() == b""
    with proxy.connect() as wire:
        assert [wire.ask(target="/return").status, wire.ask(target="/lf").status] == [202, 200], "the connection stays"


def test_acls(run):
    proxy = run("""
        acl api path_beg /api/ /v1/
        acl api path_end .json
        acl admin hdr_sub(cookie) -i ADMIN=1
        acl num req.hdr(x-n) -m int 1:5 gt 100
        http-request return status 201 if api !admin
        http-request return status 202 if api admin
        http-request return status 203 if num or { req.hdr(x-r) -m reg -i ^ab+c$ }
        http-request return status 204 unless { hdr(host) -m dom example.com } || { req.hdr(x-len) -m len 3 }
    """)
    assert proxy.get("/api/x").status == 201
    assert proxy.get("/any.json").status == 201
    assert proxy.get("/v1/x", {"Cookie": "a=b; admin=1"}).status == 202
    assert [proxy.get("/", {"X-N": n}).status for n in ("1", "5", "6", "101")] == [203, 203, 204, 203]
    assert proxy.get("/", {"X-R": "ABBBc"}).status == 203
    assert proxy.get("/", {"Host": "www.example.com"}).status == 200
    assert proxy.get("/", {"X-Len": "abc"}).status == 200


def test_answers_without_a_body(start, check):
    proxy = start("""
        frontend fe
            bind @fe@
            http-request return status 204 if { path /204 }
            http-request return status 204 hdr x-a b if { path /204a }
            http-request return status 304
    """)
    with proxy.connect() as wire:
        for target, status in (("/204", 204), ("/204a", 204), ("/", 304)):
            answer = wire.ask(target=target)
            assert (answer.status, answer.headers["content-length"], answer.body) == (status, "0", b"")
    for status in (204, 304):
        code, output = check(f"frontend fe\n    bind @fe@\n    http-request return status {status} content-type text/plain string x\n")
        assert code == 1
        assert f"No body expected for {status} responses" in output


def test_variables_and_converters(run):
    proxy = run("""
        http-request set-var(txn.host) req.hdr(host),field(1,:),lower
        http-request set-var(req.n) int(5),add(3),mul(2)
        http-request set-var-fmt(txn.both) "%[var(txn.host)]-%[var(req.n)]"
        http-request return content-type text/plain lf-string "%[var(txn.both)]|%[var(txn.none)]|%[str(abc),upper,sha1,hex,lower]|%[str(a b),url_enc]|%[str(x),iif(yes,no)]"
    """.replace(",iif(yes,no)", ""))
    assert proxy.get("/", {"Host": "Example.COM:80"}).text == (
        "example.com-16||3c01bdbb26f358bab27f267924aa2c9a03fcfdb8|a%20b|x")


def test_maps(run):
    proxy = run("""
        http-request return content-type text/plain lf-string "%[req.hdr(host),map(@dir@/hosts.map,none)] %[path,map_beg(@dir@/paths.map,-)] %[src,map_ip(@dir@/ips.map)] %[path,map_reg(@dir@/regs.map,no)]"
    """, files={"hosts.map": "# comment\na.example one\nb.example two words\n", "paths.map": "/a short\n/a/b long\n",
                "ips.map": "127.0.0.0/8 local\n0.0.0.0/0 world\n", "regs.map": "^/[0-9]+$ number\n"})
    assert proxy.get("/a/b/c", {"Host": "a.example"}).text == "one long local no"
    assert proxy.get("/42", {"Host": "b.example"}).text == "two words - local number"
    assert proxy.get("/ax", {"Host": "c"}).text == "none short local no"


def test_acl_files(run):
    proxy = run("http-request deny if { src -f @dir@/banned.lst } { path -m beg -f @dir@/paths.lst }",
                files={"banned.lst": "127.0.40.0/24\n", "paths.lst": "/secret\n"})
    assert proxy.get("/secret", source="127.0.40.3").status == 403
    assert proxy.get("/other", source="127.0.40.3").status == 200
    assert proxy.get("/secret", source="127.0.41.3").status == 200


def test_backends_by_rule(start, web):
    proxy = start("""
        frontend fe
            bind @fe@
            use_backend %[req.hdr(x-to)] if { req.hdr(x-to) -m found }
            use_backend one if { path_beg /one }
            default_backend two
        backend one
            server a @one@
        backend two
            use-server b if { path /b }
            use-server %[req.hdr(x-server)] if { req.hdr(x-server) -m found }
            server a @two@
            server b @three@ weight 0
    """, one=web("one"), two=web("two"), three=web("three"))
    assert proxy.get("/one").text == "one"
    assert proxy.get("/").text == "two"
    assert proxy.get("/", {"X-To": "one"}).text == "one"
    assert proxy.get("/", {"X-To": "nowhere"}).text == "two"
    assert proxy.get("/b").text == "three"
    assert proxy.get("/", {"X-Server": "b"}).text == "three"


def test_captures_and_log_format(start, web, syslog):
    log = syslog()
    proxy = start("""
        frontend fe
            bind @fe@
            log @log@ local0
            log-format "%ci %ft %b/%s %ST %{+Q}r %hr %[capture.req.hdr(0)] %ts %B"
            capture request header X-Id len 5
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("hello"), log=log)
    proxy.get("/x?y", {"X-Id": "abcdefgh"})
    line = log.next(r"127\.0\.0\.1 fe be/s1 200 .*")[0]
    assert '"GET /x?y HTTP/1.1" {abcde} abcde --' in line


def test_wait_for_body_and_body_samples(run):
    proxy = run("""
        http-request wait-for-body time 5s
        http-request return content-type text/plain lf-string "%[req.body],%[req.body_len],%[req.body_param(a)]"
    """)
    with proxy.connect() as wire:
        wire.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n",
                  "a=1&", "b=2")
        assert wire.response().text == "a=1&b=2,7,1"


def test_tarpit(run):
    import time
    proxy = run("timeout tarpit 300ms\nhttp-request tarpit deny_status 429 if { path /slow }")
    begin = time.monotonic()
    assert proxy.get("/slow").status == 429
    assert time.monotonic() - begin >= 0.3


def test_basic_auth(start, web):
    proxy = start("""
        userlist users
            user alice insecure-password secret
        frontend fe
            bind @fe@
            http-request auth realm Here unless { http_auth(users) }
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("in"))
    answer = proxy.get()
    assert answer.status == 401 and "Here" in answer.headers["www-authenticate"]
    assert proxy.get("/", {"Authorization": "Basic YWxpY2U6c2VjcmV0"}).text == "in"
    assert proxy.get("/", {"Authorization": "Basic YWxpY2U6d3Jvbmc="}).status == 401


@pytest.mark.parametrize("header, address", [
    ("1.2.3.4", "1.2.3.4"), ("01.002.3.0", "1.2.3.0"), ("001.2.3.4:80", "1.2.3.4"), ("[::1]", "::1"), ("::1", "::1"),
    ("1.2.3.4x", ""), ("1.2.3.4:80x", ""), ("[::1]:80", ""), ("1.2.3", ""), ("1.2.3.256", ""),
])
def test_addresses_in_headers(start, header, address):
    proxy = start("""
        frontend fe
            bind @fe@
            http-request return status 200 content-type text/plain lf-string "<%[req.hdr_ip(x)]>"
    """)
    assert proxy.get("/", {"X": header}).text == f"<{address}>"
