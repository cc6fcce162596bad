"""Many clients that give or take a little at a time, and a ceiling on memory."""
import resource
import socket
import time

import pytest

from harness import WITH_SANITIZER, WITH_THREAD_SANITIZER, eventually

MANY = 6_000 if WITH_THREAD_SANITIZER else 9_900  # the sanitizer counts fibers, and ends the process at 8,128

CONFIG = """
    global
        maxconn 9950
        nbthread 2
    defaults
        mode http
        timeout connect 5s
        timeout client 60s
        timeout http-request 60s
        timeout server 10s
    listen f
        bind @fe@
        server s @s@
"""


@pytest.fixture
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 20_000 and hard != resource.RLIM_INFINITY:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def slow_clients(proxy, count):
    """Each has sent the beginning of a request."""
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", proxy.port("fe")))
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        clients.append(client)
    return clients


def test_thousands_of_slow_clients_delay_nobody(start, web, descriptors):
    proxy = start(CONFIG, s=web("hello"))
    slow = slow_clients(proxy, MANY)
    longest = 0.0
    for i in range(200):
        for client in slow[i * 40:i * 40 + 40]:
            client.sendall(b"X: y\r\n")
        began = time.monotonic()
        assert proxy.get("/").text == "hello"
        longest = max(longest, time.monotonic() - began)
    for client in slow:
        client.close()
    assert longest < (20 if WITH_SANITIZER else 0.5)
    assert proxy.get("/").text == "hello"


@pytest.mark.beyond
@pytest.mark.skipif(WITH_SANITIZER, reason="sanitizers take several times the memory")
def test_a_ceiling_on_memory_makes_clients_wait(start, web):
    proxy = start(CONFIG, args=("-m", "64"), s=web("hello"))
    slow = slow_clients(proxy, 4000)

    def resident():
        with open(f"/proc/{proxy.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * 4096

    time.sleep(0.2)
    assert resident() < 80 * 2**20
    for client in slow:
        client.close()
    eventually(lambda: proxy.get("/").text == "hello", what="an answer after the flood")
