"""What proxies before us send first on a client connection: NetScaler's client IP, and what is logged where it fails."""
import socket
import struct

import pytest

MAGIC = 1234
ANSWER = 'http-request return status 200 content-type text/plain lf-string "%[src]:%[src_port] %[dst]:%[dst_port] %[fc_src]"'
REQUEST = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"


def ip4(options=0, protocol=6):
    head = struct.pack(">BBHHHBBH", 0x45 + options // 4, 0, 40 + options, 0, 0, 64, protocol, 0)
    return head + socket.inet_aton("10.1.2.3") + socket.inet_aton("10.4.5.6") + bytes(options)


def ip6(protocol=6):
    addresses = [socket.inet_pton(socket.AF_INET6, text) for text in ("2001:db8::1", "2001:db8::2")]
    return struct.pack(">IHBB", 6 << 28, 20, protocol, 64) + b"".join(addresses)


def tcp_head(options=0):
    return struct.pack(">HHIIBBHHH", 1111, 2222, 0, 0, (5 + options // 4) << 4, 16, 0, 0, 0) + bytes(options)


def legacy(headers, magic=MAGIC):
    return struct.pack(">II", magic, len(headers)) + headers


def standard(headers, magic=MAGIC):
    return struct.pack(">IIHH", magic, len(headers) + 12, 1, len(headers)) + headers


def door(options, rules=""):
    return f"""
        frontend fe
            bind @fe@ {options}
            option httplog
            log @log@ local0
            {rules}
            {ANSWER}
    """


V4, V6 = "10.1.2.3:1111 10.4.5.6:2222 127.0.0.1", "2001:db8::1:1111 2001:db8::2:2222 127.0.0.1"


@pytest.mark.parametrize("header, expected", [
    (standard(ip4() + tcp_head()), V4),
    (legacy(ip4() + tcp_head()), V4),
    (standard(ip4(8) + tcp_head(12)), V4),
    (legacy(ip4(8) + tcp_head(12)), V4),
    (standard(ip6() + tcp_head()), V6),
    (legacy(ip6() + tcp_head()), V6),
])
def test_netscaler_headers_tell_the_client(start, syslog, header, expected):
    logs = syslog()
    proxy = start(door(f"accept-netscaler-cip {MAGIC}"), log=logs)
    with proxy.connect() as wire:
        assert wire.send(header + REQUEST).response().text == expected
        assert wire.ask().text == expected
    logs.next(expected.split(" ")[0] + r" \[.*fe fe/<NOSRV> ")


def test_connection_rules_see_the_real_address(start, syslog):
    proxy = start(door(f"accept-netscaler-cip {MAGIC}", """tcp-request connection reject if { src 10.1.2.3 }
            tcp-request session reject unless { src 10.1.2.3 }"""), log=syslog())
    with proxy.connect() as wire:
        assert wire.send(standard(ip4() + tcp_head()) + REQUEST).response().text == V4


def test_a_netscaler_header_before_a_proxy_one(start, syslog):
    proxy = start(door(f"accept-proxy accept-netscaler-cip {MAGIC}"), log=syslog())
    with proxy.connect() as wire:
        wire.send(standard(ip4() + tcp_head()) + b"PROXY TCP4 1.2.3.4 5.6.7.8 11 22\r\n" + REQUEST)
        assert wire.response().text == "1.2.3.4:11 5.6.7.8:22 127.0.0.1"


def test_expect_netscaler_cip_for_some(start, syslog):
    # The magic number of the line holds; without one it is 0.
    proxy = start(door("", """acl behind_netscaler src 127.0.0.2
            tcp-request connection expect-netscaler-cip layer4 if behind_netscaler"""), log=syslog())
    with proxy.connect() as wire:
        assert wire.ask().text.startswith("127.0.0.1:")
    with socket.create_connection(("127.0.0.1", proxy.port("fe")), 5, ("127.0.0.2", 0)) as sock:
        sock.sendall(standard(ip4() + tcp_head(), magic=0) + REQUEST)
        assert b"10.1.2.3:1111 10.4.5.6:2222 127.0.0.2" in sock.recv(4096)


def closed_after(proxy, first):
    with proxy.connect() as wire:
        try:
            return wire.send(first).read_all() == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("header, number, name, text", [
    (standard(ip4() + tcp_head(), magic=99), 22, "CIP_BAD_MAGIC", "Received an invalid NetScaler Client IP magic number"),
    (standard(ip4(protocol=17) + tcp_head()), 23, "CIP_BAD_PROTO",
     "Received an unhandled protocol in the NetScaler Client IP header"),
    (legacy(ip6(protocol=17) + tcp_head()), 23, "CIP_BAD_PROTO",
     "Received an unhandled protocol in the NetScaler Client IP header"),
])
def test_wrong_netscaler_headers(start, syslog, header, number, name, text):
    logs = syslog()
    proxy = start(door(f"name door accept-netscaler-cip {MAGIC}"), log=logs)
    assert closed_after(proxy, header + REQUEST)
    logs.next(r": 127\.0\.0\.1:\d+ \[\d\d/\w+/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] fe/door: " + text + "$")
    proxy = start(door(f"accept-netscaler-cip {MAGIC}",
                       'error-log-format "%ts %ci %[fc_err] %[fc_err_name] %[fc_err_str]"'), log=logs)
    assert closed_after(proxy, header + REQUEST)
    logs.next(f": PR 127.0.0.1 {number} {name} {text}$")


SHORT = """
    frontend fe
        bind @fe@ {0}
        timeout client 300ms
        log @log@ local0
        error-log-format "%ts %[fc_err] %[fc_err_name]"
        http-request return status 200
"""


@pytest.mark.parametrize("options, closed, silent", [
    (f"accept-netscaler-cip {MAGIC}", "18 CIP_EMPTY", "20 CIP_TIMEOUT"),
    ("accept-proxy", "11 PRX_EMPTY", "13 PRX_TIMEOUT"),
])
def test_headers_that_do_not_come(start, syslog, options, closed, silent):
    logs = syslog()
    proxy = start(SHORT.format(options), log=logs)
    proxy.connect().close()
    logs.next(f": PR {closed}$")
    with proxy.connect() as wire:
        assert wire.is_closed()
    logs.next(f": PR {silent}$")


@pytest.mark.parametrize("line, error", [
    (b"something else that is long enough for one\r\n\r\n", "14 PRX_TRUNCATED|15 PRX_NOT_HDR"),
    (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 x\r\n", "16 PRX_BAD_HDR"),
    (b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", "17 PRX_BAD_PROTO"),
])
def test_wrong_proxy_headers_are_logged(start, syslog, line, error):
    logs = syslog()
    proxy = start(SHORT.format("accept-proxy"), log=logs)
    assert closed_after(proxy, line)
    logs.next(f": PR ({error})$")


def test_probes_are_not_logged_with_dontlognull(start, syslog):
    logs = syslog()
    proxy = start(SHORT.format("accept-proxy") + "        option dontlognull\n", log=logs)
    proxy.connect().close()
    assert closed_after(proxy, b"PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n")
    logs.next("17 PRX_BAD_PROTO")
    assert len(logs.lines) == 1


@pytest.mark.beyond
def test_a_header_in_pieces(start, syslog):
    proxy = start(door(f"accept-netscaler-cip {MAGIC}"), log=syslog())
    header = standard(ip4() + tcp_head())
    with proxy.connect() as wire:
        wire.send(header[:3], header[3:10], header[10:30], header[30:] + REQUEST)
        assert wire.response().text == V4


@pytest.mark.parametrize("magic", ["", "0", "word", "4294967296"])
def test_a_magic_number_is_one(check, magic):
    code, text = check(f"frontend fe\n    bind :1 accept-netscaler-cip {magic}\n")
    assert code == 1 and "accept-netscaler-cip" in text
