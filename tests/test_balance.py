"""Which server gets the request."""
import collections

import pytest

from harness import Answer, at_once, eventually


@pytest.fixture
def farm(start, web):
    def make(lines, count=3, options="", **settings):
        servers = {f"s{n}": web(f"s{n}") for n in range(1, count + 1)}
        text = "\n".join(f"            server s{n} @s{n}@ {options}" for n in range(1, count + 1))
        body = "\n            ".join(lines.strip().splitlines())
        return start(f"""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            {body}
{text}
        """, **servers, **settings)
    return make


def spread(proxy, count, target="/", headers=()):
    return collections.Counter(proxy.get(target, headers).text for _ in range(count))


@pytest.mark.parametrize("algorithm", ["roundrobin", "static-rr", "leastconn"])
def test_turns(farm, algorithm):
    proxy = farm(f"balance {algorithm}")
    counts = spread(proxy, 30)
    assert set(counts) == {"s1", "s2", "s3"} and max(counts.values()) - min(counts.values()) <= 4


def test_weights(start, web):
    proxy = start("""
        listen fe
            bind @fe@
            balance roundrobin
            server s1 @s1@ weight 30
            server s2 @s2@ weight 10
    """, s1=web("s1"), s2=web("s2"))
    counts = spread(proxy, 40)
    assert abs(counts["s1"] - 30) <= 2


def test_first(farm):
    assert spread(farm("balance first", options="maxconn 10"), 10) == {"s1": 10}


@pytest.mark.parametrize("lines", ["balance uri", "balance uri\nhash-type consistent", "balance hdr(x-key)",
                                   "balance url_param key", "balance hash req.hdr(x-key)", "balance hash path\nhash-type consistent djb2 avalanche"])
def test_hashes_stick_to_the_key(farm, lines):
    proxy = farm(lines)
    seen = set()
    for key in range(24):
        servers = {proxy.get(f"/{key}?key={key}", {"X-Key": str(key)}).text for _ in range(3)}
        assert len(servers) == 1
        seen |= servers
    assert len(seen) > 1


def test_source(farm):
    proxy = farm("balance source")
    for n in range(1, 8):
        assert len({proxy.get(source=f"127.0.50.{n}").text for _ in range(3)}) == 1


def test_random(farm):
    assert set(spread(farm("balance random"), 60)) == {"s1", "s2", "s3"}


def test_backup_servers(start, web):
    main, spare = web("main"), web("spare")
    proxy = start("""
        listen fe
            bind @fe@
            default-server check inter 100ms fall 1 rise 1
            server main @main@
            server spare @spare@ backup
    """, main=main, spare=spare)
    assert spread(proxy, 5) == {"main": 5}
    main.close()
    eventually(lambda: proxy.get().text == "spare")


def test_cookie_persistence(farm):
    proxy = farm("cookie SRV insert indirect nocache", options="cookie c")
    first = proxy.get()
    assert first.headers["set-cookie"].startswith("SRV=c")
    assert "set-cookie" not in proxy.get("/", {"Cookie": "SRV=c"}).headers


def test_cookie_picks_the_server(start, web):
    one, two = web("one"), web("two")
    proxy = start("""
        listen fe
            bind @fe@
            balance roundrobin
            cookie SRV insert indirect
            server one @one@ cookie a
            server two @two@ cookie b
    """, one=one, two=two)
    assert [proxy.get("/", {"Cookie": "x=1; SRV=b; y=2"}).text for _ in range(4)] == ["two"] * 4
    assert two.requests[0].headers["cookie"] in ("x=1; y=2", "x=1;y=2")
    assert {proxy.get("/", {"Cookie": "SRV=unknown"}).text for _ in range(4)} == {"one", "two"}


def test_leastconn_avoids_the_busy(start, web):
    import threading
    hold = threading.Event()
    arrived = threading.Event()

    def slow(request):
        if request.target == "/hold":
            arrived.set()
            hold.wait(10)
        return "slow"

    proxy = start("""
        listen fe
            bind @fe@
            balance leastconn
            server slow @slow@
            server fast @fast@ weight 1
    """, slow=web(slow), fast=web(lambda r: "fast"))
    threads = []
    while not arrived.is_set():  # until one of them is on the slow server
        threads.append(threading.Thread(target=proxy.get, args=("/hold",)))
        threads[-1].start()
        arrived.wait(0.5)
    assert spread(proxy, 6) == {"fast": 6}
    hold.set()
    for t in threads:
        t.join()
