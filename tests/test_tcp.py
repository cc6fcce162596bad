"""TCP mode: bytes both ways, half-closes, content rules, PROXY protocol."""
import struct
from pathlib import Path

import pytest

from harness import Answer, at_once, eventually

LISTEN = """
    listen fe
        mode tcp
        bind @fe@
        {options}
        server s1 @s1@
"""


def echo(wire):
    while True:
        wire.fill()
        wire.send(wire.buffer)
        wire.buffer = b""


def test_bytes_in_both_directions(start, tcp):
    proxy = start(LISTEN.format(options=""), s1=tcp(echo))
    data = bytes(range(256)) * 40

    def client(i):
        with proxy.connect() as wire:
            return all(wire.send(data).read(len(data)) == data for _ in range(10))

    assert at_once(20, client) == [True] * 20


def test_large_one_way_transfers(start, tcp):
    size = 8_000_000
    received = []

    def sink(wire):
        received.append(len(wire.read(size)))
        wire.send(b"y" * size)

    proxy = start(LISTEN.format(options=""), s1=tcp(sink))
    with proxy.connect() as wire:
        wire.send(b"x" * size)
        assert len(wire.read(size)) == size
    assert received == [size]


def test_half_close_is_passed_on(start, tcp):
    def server(wire):
        wire.send(str(len(wire.read_all())))

    proxy = start(LISTEN.format(options=""), s1=tcp(server))
    with proxy.connect() as wire:
        wire.send("12345").sock.shutdown(1)
        assert wire.read_all() == b"5"


def test_the_server_may_speak_first(start, tcp):
    proxy = start(LISTEN.format(options=""), s1=tcp(lambda wire: wire.send("hello").read_all()))
    with proxy.connect() as wire:
        assert wire.read(5) == b"hello"


def test_idle_timeouts_end_it(start, tcp):
    proxy = start(LISTEN.format(options="timeout client 200ms"), s1=tcp(echo))
    with proxy.connect() as wire:
        wire.send("a").read(1)
        assert wire.is_closed(5)


def test_no_server_no_bytes(start, tcp):
    server = tcp(echo)
    server.close()
    proxy = start(LISTEN.format(options="retries 0"), s1=server)
    with proxy.connect() as wire:
        assert wire.read_all() == b""


def test_content_rules_wait_for_bytes(start, tcp):
    proxy = start("""
        frontend fe
            mode tcp
            bind @fe@
            tcp-request inspect-delay 5s
            tcp-request content reject if { req.payload(0,3) -m str BAD }
            tcp-request content accept if { req.len ge 3 }
            use_backend upper if { req.payload(0,1) -m str U }
            default_backend plain
        backend upper
            mode tcp
            server s @upper@
        backend plain
            mode tcp
            server s @plain@
    """, upper=tcp(lambda wire: wire.send(wire.read(4).upper())), plain=tcp(lambda wire: wire.send(wire.read(4))))

    def talk(*segments):
        with proxy.connect() as wire:
            try:
                return wire.send(*segments).read_all()
            except OSError:
                return b""

    assert talk("U", "ab", "c") == b"UABC"
    assert talk("xabc") == b"xabc"
    assert talk("B", "AD", "!") == b""


def test_inspect_delay_ends(start, tcp):
    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            tcp-request inspect-delay 200ms
            tcp-request content reject if { req.len 0 }
            server s1 @s1@
    """, s1=tcp(echo))
    with proxy.connect() as wire:
        assert wire.read_all() == b""


def test_connection_rules(start, tcp):
    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            tcp-request connection reject if { src 127.0.30.0/24 }
            server s1 @s1@
    """, s1=tcp(echo))
    with proxy.connect(source="127.0.31.1") as wire:
        assert wire.send("a").read(1) == b"a"
    try:
        with proxy.connect(source="127.0.30.1") as wire:
            assert wire.read_all() == b""
    except ConnectionResetError:
        pass  # refused before connect() returned


def test_proxy_protocol_in_and_out(start, tcp, web):
    heads = []

    def server(wire):
        heads.append(wire.read_until(b"\r\n"))
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    proxy = start("""
        frontend fe
            bind @fe@ accept-proxy
            default_backend be
        backend be
            server s1 @s1@ send-proxy
    """, s1=tcp(server))
    with proxy.connect() as wire:
        wire.send("PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.response().text == "ok"
    assert heads == [b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\n"]
    v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H4s4sHH", 12, b"\xc0\0\2\7", b"\xc0\0\2\x08", 7, 8)
    with proxy.connect() as wire:
        wire.send(v2 + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.response().text == "ok"
    assert heads[1] == b"PROXY TCP4 192.0.2.7 192.0.2.8 7 8\r\n"
    with proxy.connect() as wire:
        wire.send("PROXY NONSENSE\r\n")
        assert wire.is_closed()


def test_the_destination_port_is_kept(start, tcp):
    from harness import Ports
    server = tcp(echo)
    port = server.port
    proxy = start(f"""
        listen fe
            mode tcp
            bind @fe@
            bind 127.0.0.9:{port}
            server s1 127.0.0.1
    """)
    import socket
    from harness import Wire
    with Wire(socket.create_connection(("127.0.0.9", port))) as wire:
        assert wire.send("x").read(1) == b"x"


def test_server_reset_reaches_the_client(start, tcp):
    proxy = start(LISTEN.format(options=""), s1=tcp(lambda wire: (wire.read(1), wire.reset())))
    with proxy.connect() as wire:
        assert wire.send("x").read_all() == b""


def test_sessions_are_counted_and_freed(start, tcp):
    proxy = start("global\n    stats socket @dir@/cli level admin\n" + LISTEN.format(options="").replace("\n    ", "\n"), s1=tcp(echo))
    wires = [proxy.connect().send("x") for _ in range(5)]
    for wire in wires:
        wire.read(1)

    def current():
        rows = proxy.cli("show stat").splitlines()
        names = rows[0].lstrip("# ").split(",")
        return {r.split(",")[1]: int(r.split(",")[names.index("scur")]) for r in rows[1:] if r.startswith("fe,")}

    assert eventually(lambda: current() == {"FRONTEND": 5, "BACKEND": 5, "s1": 5})
    for wire in wires:
        wire.close()
    assert eventually(lambda: current() == {"FRONTEND": 0, "BACKEND": 0, "s1": 0})


def test_expect_proxy_as_a_rule(start, tcp):
    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            tcp-request connection expect-proxy layer4 if { src 127.0.0.1 }
            tcp-request content reject if !{ src 192.0.2.1 }
            server s1 @s1@
    """, s1=tcp(echo))
    with proxy.connect() as wire:
        wire.send("PROXY TCP4 192.0.2.1 192.0.2.2 1111 2222\r\nx")
        assert wire.read(1) == b"x"


def test_connections_come_from_a_range_of_ports(start, tcp):
    def peer(wire):
        wire.send(str(wire.sock.getpeername()[1]))
        wire.read_all()

    ports = range(28400, 28420)
    proxy = start("""
        listen fe
            mode tcp
            bind @fe@
            server s1 @s1@ source 127.0.0.1:28400-28419
    """, s1=tcp(peer))
    with proxy.connect() as first, proxy.connect() as second:
        seen = {int(wire.read(5)) for wire in (first, second)}
    assert len(seen) == 2 and seen <= set(ports)


@pytest.mark.skipif(not Path("/proc/sys/net/mptcp/enabled").exists(), reason="a kernel without MPTCP")
def test_multipath_addresses(start, tcp):
    proxy = start("""
        listen fe
            mode tcp
            bind mptcp@@fe@
            server s1 mptcp@@s1@
    """, s1=tcp(echo))
    proxy.wait_for_port(proxy.port())
    with proxy.connect() as wire:
        assert wire.send("to and fro").read(10) == b"to and fro"
