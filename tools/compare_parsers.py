#!/usr/bin/env python3
"""Sends mutated HTTP/1 requests through two proxies and compares what becomes of them: which answers the client
gets and which requests a server behind sees, to the byte of target, fields and body.

    tools/compare_parsers.py PROXY REFERENCE [--count 100000] [--seed 1] [--examples 3] [--side request|response]

With `--side response` the mutated bytes are the server's response, and what the client sees is compared. Each
difference is printed once for each kind, with examples that can be pasted into a test. docs/parser-differences.md
explains the kinds that remain. The exit code is 1 when there are others than --known lists (one regex a line).
"""
import argparse
import asyncio
import collections
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

AT_ONCE = 64
END = b"GET /end HTTP/1.1\r\nHost: end\r\nConnection: close\r\n\r\n"

CONFIG = """
global
    maxconn 4000
defaults
    mode http
    timeout connect 2s
    timeout client 400ms
    timeout http-request 400ms
    timeout server 400ms
    retries 0
    http-reuse never
frontend f
    bind 127.0.0.1:{front}
    http-request set-header x-case %[src_port]
    default_backend b
backend b
    server s 127.0.0.1:{back}
"""

SEEDS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /path?q=1#f HTTP/1.1\r\nHost: example.com\r\nUser-Agent: x\r\nAccept: */*\r\n\r\n",
    b"GET http://example.com/abs?x=y HTTP/1.1\r\nHost: example.com\r\n\r\n",
    b"GET http://example.com:80/ HTTP/1.1\r\nHost: example.com:80\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
    b"HEAD /h HTTP/1.0\r\n\r\n",
    b"GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nhello",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"POST /both HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    b"POST /te10 HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    b"GET /exp HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
    b"GET /up HTTP/1.1\r\nHost: a\r\nConnection: upgrade, x-hop\r\nUpgrade: websocket\r\nX-Hop: 1\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"GET /w HTTP/1.1\r\nHost: a\r\nX-A:   spaced  \r\nX-B:\ttab\t\r\nX-Empty:\r\nCookie: a=b; c=d\r\n\r\n",
    b"GET /fold HTTP/1.1\r\nHost: a\r\nX-Fold: one\r\n two\r\n\r\n",
    b"DELETE /d HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    b"\r\nGET /crlf HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n",
    b"GET /h HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    b"GET /h2 HTTP/2.0\r\nHost: a\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /close HTTP/1.1\r\nHost: a\r\nConnection: close\r\nKeep-Alive: 3\r\nProxy-Connection: x\r\n\r\n",
]

RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2;x\r\nok\r\n0\r\nT: 1\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\nuntil close",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\nSet-Cookie: a=b\r\nX:  y \r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Fold: a\r\n b\r\n\r\nclosing",
    b"HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
]

PIECES = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b": ", b",", b";", b"%", b"%00", b"%2e", b"\"",
          b"\x7f", b"\x80", b"\xff", b"\x01", b"\x0b", b"/", b"//", b"..", b"?", b"#", b"@", b"*", b"=", b"\\", b"|", b"{",
          b"0", b"-1", b"+5", b"0x5", b"00005", b"18446744073709551616", b"9" * 20, b"5, 5", b"5 5", b"chunked",
          b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Transfer-Encoding : chunked\r\n",
          b"Content-Length: 3\r\n", b"Content-Length:\r\n", b"Content-Length: abc\r\n", b"Content_Length: 3\r\n",
          b"Host: b\r\n", b"Host:\r\n", b"Host: a b\r\n", b"Host: a:99999\r\n", b"Connection: close\r\n", b" HTTP/1.1",
          b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.2", b"HTTP/3.0", b"http/1.1", b"HTTP/1.10", b"GET ", b"get ",
          b"\r\n 0\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"fffffffffffffffff\r\n", b"5 \r\n", b";a=\"b\r\n\"\r\n"]


def mutate(rng, seeds):
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
        at = rng.randrange(len(data) + 1)
        what = rng.randrange(8)
        if what == 0 and data:
            data[min(at, len(data) - 1)] = rng.randrange(256)
        elif what <= 3:
            data[at:at] = rng.choice(PIECES)
        elif what == 4:
            del data[at:at + rng.choice((1, 1, 1, 2, 3, 8))]
        elif what == 5:
            piece = rng.choice(PIECES)
            data[at:at + len(piece)] = piece
        elif what == 6:  # a line twice, or somewhere else
            lines = bytes(data).split(b"\r\n")
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            data = bytearray(b"\r\n".join(lines))
        elif data:  # the other case
            i = min(at, len(data) - 1)
            data[i] ^= 0x20 if chr(data[i]).isalpha() else 0
    return bytes(data)


class Message:
    """Cuts a stream into messages; knows no mercy, as a strict server."""

    def __init__(self):
        self.buffer = b""

    def cut(self):
        """(head, body) or None while more is needed."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head, rest = self.buffer[:end], self.buffer[end + 4:]
        lower = head.lower()
        if b"\r\ntransfer-encoding:" in lower:
            body, at = b"", 0
            while True:
                line = rest.find(b"\r\n", at)
                if line < 0:
                    return None
                try:
                    size = int(rest[at:line].split(b";")[0], 16)
                except ValueError:
                    return None
                at = line + 2
                if size == 0:
                    break
                if len(rest) < at + size + 2:
                    return None
                body += rest[at:at + size]
                at += size + 2
            while True:  # trailers
                line = rest.find(b"\r\n", at)
                if line < 0:
                    return None
                empty, at = line == at, line + 2
                if empty:
                    break
            self.buffer = rest[at:]
            return head, body
        found = re.search(rb"\r\ncontent-length: *(\d+)", lower)
        size = int(found[1]) if found else 0
        if len(rest) < size:
            return None
        self.buffer = rest[size:]
        return head, rest[:size]


class Server(asyncio.Protocol):
    """Answers each request and notes it under the port of the client it came from."""

    def __init__(self, side):
        self.side, self.message = side, Message()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.message.buffer += data
        while (one := self.message.cut()) is not None:
            head, body = one
            lines = head.split(b"\r\n")
            port = 0
            for line in lines[1:]:
                if line.startswith(b"x-case: "):
                    port = int(line[8:])
            rest = sorted(line for line in lines[1:] if not line.startswith(b"x-case: "))
            self.side.seen[port].append((lines[0], tuple(rest), body))
            answer = self.side.answers.get(port)
            if answer is None:
                self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            else:
                self.transport.write(answer)
                self.transport.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Side:
    """One proxy and the server behind it."""

    def __init__(self, binary):
        self.binary, self.seen, self.answers = binary, collections.defaultdict(list), {}

    async def start(self, folder):
        server = await asyncio.get_running_loop().create_server(lambda: Server(self), "127.0.0.1", 0, backlog=1000)
        self.server, self.port = server, free_port()
        path = os.path.join(folder, f"{self.port}.cfg")
        with open(path, "w") as f:
            f.write(CONFIG.format(front=self.port, back=server.sockets[0].getsockname()[1]))
        self.process = subprocess.Popen([self.binary, "-f", path, "-db"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                await asyncio.sleep(0.02)
        raise RuntimeError(f"{self.binary} does not listen")

    async def play(self, data, answer=None):
        """What the client got and what the server saw."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        port = writer.get_extra_info("sockname")[1]
        self.seen.pop(port, None)
        if answer is not None:
            self.answers[port] = answer
        got = b""
        try:
            writer.write(data)
            while piece := await asyncio.wait_for(reader.read(65536), 5):
                got += piece
        except (ConnectionError, asyncio.TimeoutError):
            pass
        writer.close()
        self.answers.pop(port, None)
        return got, self.seen.pop(port, [])

    def alive(self):
        return self.process.poll() is None


def statuses(got):
    return tuple(int(s) for s in re.findall(rb"(?:^|\n|\}|>)HTTP/1\.\d (\d{3})", got))


def show(value):
    return repr(value) if len(repr(value)) < 600 else repr(value)[:600] + "…"


def kind_of_request(mine, theirs):
    """A short name of how two results differ; empty when they do not."""
    (got_a, seen_a), (got_b, seen_b) = mine, theirs
    parts = []
    a, b = statuses(got_a), statuses(got_b)
    if a != b:
        parts.append(f"answers {a} instead of {b}")
    if [s[0] for s in seen_a] != [s[0] for s in seen_b]:
        parts.append(f"the server sees {len(seen_a)} requests instead of {len(seen_b)}"
                     if len(seen_a) != len(seen_b) else "another request line")
    elif [s[2] for s in seen_a] != [s[2] for s in seen_b]:
        parts.append("another body")
    elif [s[1] for s in seen_a] != [s[1] for s in seen_b]:
        parts.append("other fields")
    return "; ".join(parts)


DATE = re.compile(rb"\r\ndate: [^\r]*", re.I)


def kind_of_response(mine, theirs):
    a, b = DATE.sub(b"", mine[0]), DATE.sub(b"", theirs[0])
    if a == b:
        return ""
    if statuses(a) != statuses(b):
        return f"answers {statuses(a)} instead of {statuses(b)}"
    head_a, _, body_a = a.partition(b"\r\n\r\n")
    head_b, _, body_b = b.partition(b"\r\n\r\n")
    if sorted(head_a.split(b"\r\n")) != sorted(head_b.split(b"\r\n")):
        return "other fields"
    return "another body" if body_a != body_b else ""


async def run(options):
    rng = random.Random(options.seed)
    sides = [Side(options.proxy), Side(options.reference)]
    kinds = collections.defaultdict(list)
    done, began = 0, time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for side in sides:
            await side.start(folder)
        cases = iter(range(options.count))

        async def work():
            nonlocal done
            for _ in cases:
                if options.side == "request":
                    case = mutate(rng, SEEDS)
                    results = await asyncio.gather(*(s.play(case + END) for s in sides))
                    kind = kind_of_request(*results)
                else:
                    case = mutate(rng, RESPONSES)
                    ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                    results = await asyncio.gather(*(s.play(ask, case) for s in sides))
                    kind = kind_of_response(*results)
                if kind:
                    kinds[kind].append((case, results))
                done += 1
                if not all(s.alive() for s in sides):
                    raise RuntimeError(f"a proxy has ended, last after {case!r}")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        for side in sides:
            side.process.terminate()
            side.process.wait()
    report(options, kinds, done, time.monotonic() - began)
    known = [re.compile(line.strip()) for line in open(options.known)] if options.known else []
    return any(not any(k.search(kind) for k in known) for kind in kinds)


def report(options, kinds, done, seconds):
    differ = sum(len(v) for v in kinds.values())
    print(f"{done} cases in {seconds:.0f} s, {differ} differ, in {len(kinds)} kinds")
    for kind, cases in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"\n{len(cases):6} {kind}")
        for case, results in sorted(cases, key=lambda c: len(c[0]))[:options.examples]:
            print(f"       {show(case)}")
            for name, (got, seen) in zip(("proxy", "reference"), results):
                first = got.split(b"\r\n\r\n")[0] if options.side == "request" else got
                print(f"         {name}: {show(first)} {show(seen)}")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("proxy")
    ap.add_argument("reference")
    ap.add_argument("--count", type=int, default=100_000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--examples", type=int, default=3)
    ap.add_argument("--side", choices=("request", "response"), default="request")
    ap.add_argument("--known", help="a file of patterns of kinds that are explained")
    sys.exit(asyncio.run(run(ap.parse_args())))


if __name__ == "__main__":
    main()
