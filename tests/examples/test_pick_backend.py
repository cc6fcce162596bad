"""examples/pick-backend: a stream goes to the backend with the fewest viewers."""
import pytest

from harness import Ports, at_once, eventually

import harness


@pytest.fixture
def media():
    """Three media servers on addresses of their own: a stream port and a port that tells the viewers."""
    stream, stats = Ports.take(), Ports.take()
    viewers = {1: 30, 2: 10, 3: 20}
    servers = {}
    for n in viewers:
        def tell(wire, n=n):
            wire.read_until(b"\r\n\r\n")
            wire.send(f"HTTP/1.0 200 OK\r\n\r\n{viewers[n]}\n")

        servers[n] = (harness.TcpServer(lambda wire, n=n: wire.send(f"media{n}"), f"127.0.20.{n}", port=stream),
                      harness.TcpServer(tell, f"127.0.20.{n}", port=stats))
    yield stream, stats, viewers, servers
    for pair in servers.values():
        for server in pair:
            server.close()


def test_the_least_busy_backend_wins(example, media):
    stream, stats, viewers, servers = media
    proxy = example("pick-backend", MEDIA_PORT=stream, STATS_PORT=stats,
                    MEDIA1="127.0.20.1", MEDIA2="127.0.20.2", MEDIA3="127.0.20.3")

    def who(_=0):
        with proxy.connect() as wire:
            return wire.send("C0").read_all()

    assert who() == b"media2"
    viewers[2] = 99
    assert who() == b"media3"
    assert at_once(30, who) == [b"media3"] * 30
    for server in servers[3]:
        server.close()
    eventually(lambda: who() == b"media1", what="the third server is down and passed over")
