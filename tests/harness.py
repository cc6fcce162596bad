"""Starts the proxy under test on loopback, with real servers behind it and real clients before it.

    def test_hello(start, web):
        server = web("hello")
        proxy = start('''
            frontend fe
                bind @fe@
                default_backend be
            backend be
                server s1 @s1@
        ''', s1=server)
        assert proxy.get("/").text == "hello"

`@name@` in a configuration is an address: that of the server given by keyword, else a free port of this
machine, later known as proxy.port("name"). `@dir@` is the folder of this run. See README.md.
"""
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_named = os.environ.get("PROXY") or str(ROOT / "build/release/moongate")
BINARY = os.path.abspath(shutil.which(_named) or _named)  # tests run it from other folders
IS_REFERENCE = "haproxy" in os.path.basename(BINARY)
WITH_THREAD_SANITIZER = b"__tsan_init" in Path(BINARY).read_bytes()
WITH_SANITIZER = WITH_THREAD_SANITIZER or b"__asan_init" in Path(BINARY).read_bytes()
PATIENCE = 10.0  # seconds that anything may take before a test fails

DEFAULTS = """
defaults
    mode http
    timeout connect 5s
    timeout client 10s
    timeout server 10s
"""

SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|:\d+:\d+: runtime error:|terminate called")


def eventually(condition, seconds=PATIENCE, what="it"):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come to pass in {seconds} s")
        time.sleep(0.01)


class Ports:
    """Free ports; test processes that run at once draw from different ranges below the ephemeral ones."""

    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    low, high = 10000 + worker * 1000, 10000 + (worker + 1) * 1000
    at = low + os.getpid() % 1000

    @classmethod
    def take(cls):
        while True:
            cls.at = cls.at + 1 if cls.at + 1 < cls.high else cls.low
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", cls.at))
                except OSError:
                    continue
                return cls.at


class Headers(list):
    """(name, value) pairs in order; looked up by name in any case."""

    def all(self, name):
        return [v for n, v in self if n.lower() == name.lower()]

    def __getitem__(self, name):
        if isinstance(name, str):
            return next(iter(self.all(name)))
        return super().__getitem__(name)

    def get(self, name, default=None):
        return next(iter(self.all(name)), default)

    def __contains__(self, name):
        return bool(self.all(name))


@dataclass
class Request:
    method: str
    target: str
    version: str
    headers: Headers
    body: bytes
    connection: int = 0  # which connection to the server brought it, from 1

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


@dataclass
class Response:
    status: int
    reason: str
    version: str
    headers: Headers
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Closed(Exception):
    """The other side closed before the message was complete; `data` is what had come."""

    def __init__(self, data):
        super().__init__(f"closed after {data[-200:]!r}")
        self.data = data


class Wire:
    """One TCP or unix stream with a read buffer, for clients and servers that mind the bytes."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *segments, gap=0.02):
        """Each segment in a packet of its own, `gap` seconds apart."""
        for i, segment in enumerate(segments):
            if i:
                time.sleep(gap)
            self.sock.sendall(segment.encode() if isinstance(segment, str) else segment)
        return self

    def fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def read(self, size):
        if len(self.buffer) < size:
            parts, missing = [self.buffer], size - len(self.buffer)
            while missing > 0:
                self.buffer = b""
                try:
                    self.fill()
                except Closed:
                    raise Closed(b"".join(parts)) from None
                parts.append(self.buffer)
                missing -= len(self.buffer)
            self.buffer = b"".join(parts)
        out, self.buffer = self.buffer[:size], self.buffer[size:]
        return out

    def read_until(self, end):
        while end not in self.buffer:
            self.fill()
        return self.read(self.buffer.index(end) + len(end))

    def read_all(self):
        """Everything until the other side closes (or resets)."""
        try:
            while True:
                self.fill()
        except (Closed, ConnectionResetError):
            out, self.buffer = self.buffer, b""
            return out

    def is_closed(self, seconds=PATIENCE):
        """Waits for the end of the stream; False when bytes come or nothing happens."""
        self.sock.settimeout(seconds)
        try:
            return not self.buffer and self.sock.recv(1, socket.MSG_PEEK) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)

    def _head(self):
        lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = [line.split(":", 1) for line in lines[1:-2]]
        return lines[0].split(" ", 2), Headers((n, v.strip()) for n, v in pairs)

    def _body(self, headers, until_close):
        if "chunked" in headers.get("transfer-encoding", "").lower():
            body = b""
            while size := int(self.read_until(b"\r\n").split(b";")[0], 16):
                body += self.read(size)
                self.read(2)
            while self.read_until(b"\r\n") != b"\r\n":
                pass
            return body
        if "content-length" in headers:
            return self.read(int(headers["content-length"]))
        return self.read_all() if until_close else b""

    def response(self, method="GET"):
        """The next response, interim ones (100 …) included; `method` is that of its request."""
        (version, status, *reason), headers = self._head()
        bare = method == "HEAD" or status[0] == "1" or status in ("204", "304")
        body = b"" if bare else self._body(headers, until_close=True)
        return Response(int(status), "".join(reason), version, headers, body)

    def request(self):
        """The next request (for servers)."""
        (method, target, version), headers = self._head()
        return Request(method, target, version, headers, self._body(headers, until_close=False))

    def ask(self, method="GET", target="/", headers=(), body=b"", version="HTTP/1.1"):
        """One request on this connection, and its final response."""
        self.send(render_request(method, target, headers, body, version))
        while (answer := self.response(method)).status // 100 == 1 and answer.status != 101:
            pass
        return answer

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def close(self):
        self.sock.close()


def render_request(method, target, headers=(), body=b"", version="HTTP/1.1"):
    headers = list(headers.items() if isinstance(headers, dict) else headers)
    body = body.encode() if isinstance(body, str) else body
    known = {n.lower() for n, _ in headers}
    if "host" not in known and version != "HTTP/1.0":
        headers.insert(0, ("Host", "test"))
    if body and not known & {"content-length", "transfer-encoding"}:
        headers.append(("Content-Length", str(len(body))))
    lines = "".join(f"{n}: {v}\r\n" for n, v in headers)
    return f"{method} {target} {version}\r\n{lines}\r\n".encode("latin-1") + body


@dataclass
class Answer:
    """What an HTTP server of a test replies."""

    status: int = 200
    body: bytes | str = b""
    headers: list = field(default_factory=list)
    close: bool = False


class TcpServer:
    """Listens on loopback (or on `path`) and gives each connection to `handler(wire)` on a thread."""

    def __init__(self, handler, host="127.0.0.1", port=0, path=None):
        self.handler, self.connections, self.path = handler, 0, path
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(256)
            self.address = f"unix@{path}"
        else:
            self.listener = socket.create_server((host, port), backlog=256)
            self.port = self.listener.getsockname()[1]
            self.address = f"{host}:{self.port}"
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.add(sock)
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock, number):
        try:
            with Wire(sock) as wire:
                wire.number = number
                self.handler(wire)
        except (OSError, Closed):
            pass
        finally:
            self.open.discard(sock)

    def drop_connections(self):
        for sock in list(self.open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        """Ends like a server that is switched off."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
        except OSError:
            pass
        self.listener.close()
        self.drop_connections()


class HttpServer(TcpServer):
    """HTTP/1.1 with keep-alive. `answer` is a text, an Answer, or a function of the Request giving one."""

    def __init__(self, answer="ok", **where):
        self.answer, self.requests = answer, []
        super().__init__(self._talk, **where)

    def _talk(self, wire):
        while True:
            request = wire.request()
            request.connection = wire.number
            self.requests.append(request)
            answer = self.answer(request) if callable(self.answer) else self.answer
            if not isinstance(answer, Answer):
                answer = Answer(body=answer)
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            headers = list(answer.headers)
            if not {n.lower() for n, _ in headers} & {"content-length", "transfer-encoding"}:
                headers.append(("Content-Length", str(len(body))))
            if answer.close:
                headers.append(("Connection", "close"))
            lines = "".join(f"{n}: {v}\r\n" for n, v in headers)
            head = f"HTTP/1.1 {answer.status} Some Reason\r\n{lines}\r\n".encode("latin-1")
            wire.send(head + (b"" if request.method == "HEAD" else body))
            if answer.close or request.headers.get("connection", "").lower() == "close":
                return


class Syslog:
    """Receives datagrams, as a syslog server on UDP (or on a unix socket at `path`)."""

    def __init__(self, path=None):
        self.sock = socket.socket(socket.AF_UNIX if path else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(str(path) if path else ("127.0.0.1", 0))
        self.address = str(path) if path else f"127.0.0.1:{self.sock.getsockname()[1]}"
        self.lines, self.fresh = [], queue.Queue()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self):
        while True:
            try:
                line = self.sock.recv(65536).decode("utf-8", "replace")
            except OSError:
                return
            self.lines.append(line)
            self.fresh.put(line)

    def next(self, pattern="", seconds=PATIENCE):
        """The match of `pattern` in the next line that has it (the line is `.string`); others are passed over."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.fresh.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no log line like {pattern!r} among {self.lines}") from None
            if found := re.search(pattern, line):
                return found

    def close(self):
        self.sock.close()


class Proxy:
    """The proxy under test, running in the foreground in a folder of its own."""

    def __init__(self, config, files=None, args=(), env=None, defaults=True, **servers):
        self.dir = tempfile.TemporaryDirectory(prefix="proxy-")
        self.ports, self.ended = {}, False
        for name, text in (files or {}).items():
            path = Path(self.dir.name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._fill_in(textwrap.dedent(text), servers))
        self.config = self._fill_in(textwrap.dedent(config), servers)
        if defaults and not re.search(r"(?m)^\s*defaults", self.config):
            self.config = DEFAULTS + self.config
        if extra := os.environ.get("GLOBAL_EXTRA"):  # such as "nbthread 4"
            self.config = f"global\n    {extra}\n" + self.config
        self.config_path = self.path("proxy.cfg")
        Path(self.config_path).write_text(self.config)
        self.output_path = self.path("output")
        self.command = [BINARY, *args, "-f", self.config_path]
        self.env = {**os.environ, **(env or {})}

    def _fill_in(self, text, servers):
        def address(match):
            name = match[1]
            if name == "dir":
                return self.dir.name
            if name in servers:
                return str(getattr(servers[name], "address", servers[name]))
            return f"127.0.0.1:{self.ports.setdefault(name, 0) or self._take(name)}"

        return re.sub(r"@([a-z]\w*)@", address, text)

    def _take(self, name):
        self.ports[name] = Ports.take()
        return self.ports[name]

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def port(self, name="fe"):
        return self.ports[name]

    def start(self, wait=True):
        with open(self.output_path, "wb") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, cwd=self.dir.name, env=self.env)
        if wait:
            for port in re.findall(r"(?m)^\s*bind\s+127\.0\.0\.1:(\d+)", self.config):
                self.wait_for_port(int(port))
            for path in re.findall(r"(?m)^\s*stats socket\s+(/\S+)", self.config):
                eventually(lambda: os.path.exists(path) or self._assert_running(), what=path)
        return self

    def _assert_running(self):
        if (code := self.process.poll()) is not None:
            raise AssertionError(f"the proxy ended with {code}:\n{self.output()}")

    def wait_for_port(self, port):
        def listens():
            self._assert_running()
            # Asking the kernel does not disturb counters as a connection would.
            wanted = f"0100007F:{port:04X} 00000000:0000 0A"
            return wanted in Path("/proc/net/tcp").read_text()

        eventually(listens, what=f"listening on port {port}")

    def check(self):
        """Runs it with -c: (exit code, everything printed)."""
        done = subprocess.run([*self.command, "-c"], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=30, cwd=self.dir.name, env=self.env, check=False)
        self.ended = True
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")

    def output(self):
        """All of stdout and stderr so far."""
        try:
            return Path(self.output_path).read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait_output(self, pattern):
        return eventually(lambda: re.search(pattern, self.output(), re.M), what=f"output like {pattern!r}")

    def connect(self, name="fe", source=None):
        """A raw connection to the address called @name@."""
        return Wire(socket.create_connection(("127.0.0.1", self.port(name)), PATIENCE,
                                             source_address=(source, 0) if source else None))

    def get(self, target="/", headers=(), method="GET", body=b"", to="fe", source=None):
        """One request on a connection of its own."""
        with self.connect(to, source) as wire:
            return wire.ask(method, target, headers, body)

    def cli(self, command, socket_name="cli"):
        """One line to the runtime socket `stats socket @dir@/cli`: the answer without its empty end."""
        with Wire(socket.socket(socket.AF_UNIX)) as wire:
            wire.sock.connect(self.path(socket_name))
            wire.send(command + "\n")
            return wire.read_all().decode().rstrip("\n")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=PATIENCE):
        """The exit code, once it ends by itself."""
        self.ended = True
        return self.process.wait(seconds)

    def stop(self):
        """Ends it and looks for crashes and for reports of sanitizers."""
        if not self.ended and hasattr(self, "process"):
            early = self.process.poll()
            if early is None:
                self.signal(signal.SIGTERM)
                try:
                    self.process.wait(PATIENCE)
                except subprocess.TimeoutExpired:
                    self.process.kill()
                    self.process.wait()
                    raise AssertionError(f"no end on SIGTERM:\n{self.output()}") from None
            elif early != 0:
                raise AssertionError(f"the proxy ended early with {early}:\n{self.output()}")
        output = self.output()
        self.dir.cleanup()
        if hasattr(self, "process"):
            code = self.process.returncode
            assert code is None or code >= 0 or -code == signal.SIGTERM, f"died of {code}:\n{output}"
        assert not SANITIZER.search(output), output


def at_once(count, call):
    """The results of call(0) … call(count-1), each on a thread, all started together."""
    results = [None] * count

    def one(i):
        try:
            results[i] = call(i)
        except Exception as error:  # handed to the test
            results[i] = error

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results
