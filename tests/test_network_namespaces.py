"""Network namespaces: of listeners, of servers and their checks, and told by PROXY headers."""
import contextlib
import ctypes
import os
import socket
import struct
import subprocess

import pytest

from harness import Answer, Wire, eventually

CLONE_NEWNET = 0x40000000
HERE = f"mg{os.getpid()}"
BLUE, RED = f"{HERE}blue", f"{HERE}red"
NETNS = 0x30
libc = ctypes.CDLL(None, use_errno=True)


def ip(*words):
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def remove():
    for name in (BLUE, RED):
        ip("netns", "del", name)


@contextlib.contextmanager
def inside(name):
    """Sockets that this thread makes belong to the namespace meanwhile."""
    with open("/proc/thread-self/ns/net", "rb") as own, open(f"/var/run/netns/{name}", "rb") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), CLONE_NEWNET) == 0


@pytest.fixture(scope="module")
def networks():
    """Two namespaces whose loopback is up."""
    try:
        for name in (BLUE, RED):
            for command in (("netns", "add", name), ("-n", name, "link", "set", "lo", "up")):
                done = ip(*command)
                if done.returncode != 0:
                    pytest.skip(f"namespaces cannot be made here: {done.stderr.strip()}")
        try:
            with inside(BLUE):
                pass
        except OSError as error:
            pytest.skip(f"namespaces cannot be entered here: {error}")
        yield
    finally:
        remove()


@pytest.fixture
def web_in(networks, web):
    def make(name, answer, **where):
        with inside(name):
            return web(answer, **where)

    return make


def connect_in(name, port):
    """Waits for the listener as well, which /proc/net does not show to others."""
    def attempt():
        with inside(name):
            sock = socket.socket()
        try:
            sock.settimeout(5)
            sock.connect(("127.0.0.1", port))
            return Wire(sock)
        except ConnectionRefusedError:
            sock.close()
            return None

    return eventually(attempt, what=f"a listener in {name}")


def proxy_v2(*tlvs):
    body = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2") + struct.pack("!HH", 11, 22)
    for kind, value in tlvs:
        body += struct.pack("!BH", kind, len(value)) + value
    return b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H", len(body)) + body


def test_a_server_in_a_namespace(start, web_in):
    server = web_in(BLUE, "from blue")
    proxy = start(f"""
        frontend fe
            bind @fe@
            use_backend usual if {{ path /default }}
            default_backend blue
        backend blue
            server s @blue@ namespace {BLUE}
        backend usual
            default-server namespace {RED}
            server s @blue@ namespace {BLUE}
        listen outside
            bind @outside@
            server s @blue@
    """, blue=server)
    for _ in range(3):
        assert proxy.get("/").text == "from blue"
    assert proxy.get("/default").text == "from blue"
    assert proxy.get("/", to="outside").status == 503


def test_a_default_server_in_a_namespace(start, web_in):
    proxy = start(f"""
        listen fe
            bind @fe@
            default-server namespace {BLUE}
            server s @blue@
    """, blue=web_in(BLUE, "from blue"))
    assert proxy.get("/").text == "from blue"


def test_source_keeps_the_namespace(start, web_in):
    proxy = start(f"""
        listen before
            bind @before@
            server s @blue@ namespace {BLUE} source 127.0.0.5 interface lo
        listen after
            bind @after@
            server s @blue@ source 127.0.0.5 interface lo namespace {BLUE}
        listen inherited
            bind @inherited@
            source 127.0.0.5 interface lo
            server s @blue@ namespace {BLUE}
    """, blue=web_in(BLUE, "from blue"))
    for door in ("before", "after", "inherited"):
        assert proxy.get("/", to=door).text == "from blue"


def test_workers_stay_in_their_own_namespace(start, web, web_in):
    """Connections there and connections here are made in turn by the same threads."""
    blue = web_in(BLUE, lambda request: Answer(body="blue", close=True))
    usual = web(lambda request: Answer(body="usual", close=True), port=blue.port)
    proxy = start(f"""
        frontend fe
            bind @fe@
            use_backend blue if {{ path /blue }}
            default_backend usual
        backend blue
            server s @blue@ namespace {BLUE}
        backend usual
            server s @usual@
    """, blue=blue, usual=usual)
    for _ in range(20):
        assert proxy.get("/blue").text == "blue"
        assert proxy.get("/").text == "usual"


def test_checks_are_made_in_the_namespace(start, web_in):
    server = web_in(BLUE, "ok")
    proxy = start(f"""
        global
            stats socket @dir@/cli level admin
        listen fe
            bind @fe@
            option httpchk GET /alive
            server there @blue@ namespace {BLUE} check inter 50ms fall 1 rise 1
            server here @blue@ check inter 50ms fall 1 rise 1
    """, blue=server)

    def state(name):
        row = next(line for line in proxy.cli("show stat").splitlines() if line.startswith(f"fe,{name},"))
        return row.split(",")[17]

    eventually(lambda: any(r.target == "/alive" for r in server.requests), what="a check")
    eventually(lambda: state("here") == "DOWN", what="the other server being down")
    assert state("there").startswith("UP")


@pytest.mark.parametrize("lines", ["bind @fe@ namespace {0}", "bind @fe@ namespace {0} interface lo",
                                   "bind @fe@ interface lo namespace {0}"])
def test_a_listener_in_a_namespace(start, networks, web, lines):
    proxy = start(f"""
        frontend fe
            {lines.format(BLUE)}
            default_backend be
        backend be
            server s @usual@
    """, usual=web("usual"), wait=False)
    with connect_in(BLUE, proxy.port()) as wire:
        assert wire.ask().text == "usual"
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()


STAR = """
        frontend fe
            bind @fe@ accept-proxy
            default_backend be
        frontend inside
            bind @inside@ namespace {blue}
            default_backend be
        backend be
            server s @blue@ namespace *
"""


def test_the_namespace_of_the_client(start, web, web_in):
    """Servers of one address in three namespaces; idle connections of one do not serve another."""
    blue = web_in(BLUE, "blue")
    red = web_in(RED, "red", port=blue.port)
    assert red.port == blue.port
    proxy = start(f"""
        namespace_list
            namespace {RED}
        """ + STAR.format(blue=BLUE), blue=blue, usual=web("usual", port=blue.port), wait=False)
    with connect_in(BLUE, proxy.port("inside")) as wire:  # where it arrived
        assert wire.ask().text == "blue"
    for _ in range(2):
        for tlvs, expected in (([(NETNS, RED.encode())], "red"), ([], "usual"), ([(NETNS, BLUE.encode())], "blue"),
                               ([(NETNS, b"nobody")], "usual")):
            with proxy.connect() as wire:
                wire.send(proxy_v2(*tlvs))
                assert wire.ask().text == expected


def test_unlisted_namespaces_of_clients_are_passed_over(start, web, web_in):
    blue = web_in(BLUE, "blue")
    red = web_in(RED, "red", port=blue.port)
    assert red.port == blue.port
    proxy = start(STAR.format(blue=BLUE), blue=blue, usual=web("usual", port=blue.port), wait=False)
    with connect_in(BLUE, proxy.port("inside")) as wire:
        assert wire.ask().text == "blue"
    with proxy.connect() as wire:
        wire.send(proxy_v2((NETNS, RED.encode())))
        assert wire.ask().text == "usual"


def test_sent_proxy_headers_tell_the_namespace_of_the_client(start, networks, tcp):
    heads = []

    def server(wire):
        fixed = wire.read(16)
        heads.append(wire.read(struct.unpack("!H", fixed[14:])[0]))
        wire.request()
        wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    proxy = start(f"""
        frontend fe
            bind @fe@ accept-proxy
            default_backend be
        frontend inside
            bind @inside@ namespace {BLUE}
            default_backend be
        backend be
            server s @s@ send-proxy-v2
    """, s=tcp(server), wait=False)
    with connect_in(BLUE, proxy.port("inside")) as wire:
        assert wire.ask().text == "ok"
    for tlvs in ([], [(NETNS, BLUE.encode())]):
        with proxy.connect() as wire:
            wire.send(proxy_v2(*tlvs))
            assert wire.ask().text == "ok"
    tlv = struct.pack("!BH", NETNS, len(BLUE)) + BLUE.encode()
    assert [head[12:] for head in heads] == [tlv, b"", tlv]


@pytest.mark.parametrize("line", ["bind @fe@ namespace nobody-has-it", "bind @fe@ namespace *",
                                  "server s 127.0.0.1:1 namespace nobody-has-it",
                                  "default-server namespace nobody-has-it"])
def test_an_unknown_namespace_is_refused(check, line):
    code, text = check(f"""
        listen fe
            bind @other@
            {line}
    """)
    assert code == 1
    assert f"Cannot open namespace '{line.split()[-1]}'." in text


def test_an_unknown_namespace_of_the_list_is_refused(check):
    code, text = check("""
        namespace_list
            namespace nobody-has-it
    """)
    assert code == 1
    assert "Cannot open namespace 'nobody-has-it'." in text


@pytest.mark.parametrize("line, complaint", [("bind @fe@ namespace", "missing namespace id"),
                                             ("server s 127.0.0.1:1 namespace", "expects <name> as argument")])
def test_a_namespace_needs_a_name(check, line, complaint):
    code, text = check(f"""
        listen fe
            bind @other@
            {line}
    """)
    assert code == 1
    assert f"'namespace' : {complaint}" in text


@pytest.mark.beyond
def test_a_server_added_later_in_a_namespace(start, web_in):
    server = web_in(BLUE, "from blue")
    proxy = start("""
        global
            stats socket @dir@/cli level admin
        listen fe
            bind @fe@
            balance random
            server usual 127.0.0.1:1 disabled
    """)
    assert "Cannot open namespace 'nobody-has-it'." in proxy.cli(f"add server fe/a {server.address} namespace nobody-has-it")
    assert "registered" in proxy.cli(f"add server fe/a {server.address} namespace {BLUE}")
    proxy.cli("enable server fe/a")
    assert proxy.get("/").text == "from blue"


AS_NOBODY = """
        global
            chroot @dir@
            uid 65534
            {rights}
        listen fe
            bind @fe@
            server s @blue@ namespace {network}
"""
AS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root can change the user")


@AS_ROOT
def test_namespaces_after_the_change_of_root_and_user(start, web_in):
    proxy = start(AS_NOBODY.format(rights="setcap cap_sys_admin", network=BLUE), blue=web_in(BLUE, "from blue"))
    assert proxy.get("/").text == "from blue"


@AS_ROOT
@pytest.mark.parametrize("network", [BLUE, "*"], ids=["named", "of the client"])
def test_servers_in_namespaces_need_the_right_to_enter_them(start, web_in, network):
    proxy = start(AS_NOBODY.format(rights="", network=network), blue=web_in(BLUE, "from blue"), wait=False)
    assert proxy.wait() == 1
    assert "require full privileges, so global.uid cannot be changed" in proxy.output()
