#!/usr/bin/env python3
"""Scripts of the shared Lua state (lua-load) that wait, and that compute for long, beside other binaries.

usage: scripts.py BINARY [REFERENCE...] [--seconds N] [--threads 2,4] [--connections 1,10,100,2000] [--rate N] [--only NAME]

waiting  A service asks a server over a unix socket for each request; the server (slow_server.c, compiled here)
         answers after 1 ms. Requests per second (wrk) by connections, for each number of threads, and in brackets
         how many a second of the proxy's processor time does: the first should grow until the processors are busy,
         the second should not fall. The server and wrk run on the same machine: read the ratios.
burning  One request in a thousand computes for 50 ms, at a fixed rate of requests that do not wait for each other.
         Milliseconds until the answer of all others, counted from when the request was due: half, 99 in 100, worst.

The last column holds BINARY against the best of the references.
"""
import argparse
import os
import resource
import select
import socket
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
CONFIGURATION = """
global
    nbthread {threads}
    maxconn 4000
    lua-load {dir}/scripts.lua
defaults
    mode http
    timeout client 30s
    timeout server 30s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{port} backlog 4096
    http-request use-service lua.burn if {{ path /burn }}
    http-request use-service lua.ask if {{ path /ask }}
    http-request use-service lua.quick
"""
SCRIPT = """
local function answer(applet, status, body)
  applet:set_status(status)
  applet:add_header("content-length", #body)
  applet:start_response()
  applet:send(body)
end
local function spin(rounds)
  local sum = 0
  for i = 1, rounds do sum = sum + i % 7 end
  return sum
end
local begin = os.clock()
spin(2000000)
local rounds = 2000000 * 0.05 // (os.clock() - begin)
core.register_service("quick", "http", function(applet) answer(applet, 200, "quick") end)
core.register_service("burn", "http", function(applet) answer(applet, 200, tostring(spin(rounds))) end)
core.register_service("ask", "http", function(applet)
  local s = core.tcp()
  s:settimeout(10)
  local line = s:connect("unix@{dir}/slow") and s:send("?\\n") and s:receive("*l")
  s:close()
  answer(applet, line == "ok" and 200 or 500, line or "none")
end)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Proxy:
    def __init__(self, binary, threads, folder):
        self.port = free_port()
        configuration = folder / "proxy.cfg"
        configuration.write_text(CONFIGURATION.format(threads=threads, port=self.port, dir=folder))
        self.process = subprocess.Popen([binary, "-db", "-f", configuration], stderr=subprocess.DEVNULL)

    def __enter__(self):
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("a proxy does not start") from None
                time.sleep(0.05)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waiting(binary, threads, connections, folder, seconds):
    """Requests per second, and per second of processor time."""
    with Proxy(binary, threads, folder) as proxy:
        before = cpu_seconds(proxy.process.pid)
        done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
                               f"http://127.0.0.1:{proxy.port}/ask"], capture_output=True, text=True, check=True).stdout
        used = cpu_seconds(proxy.process.pid) - before
    requests = int(done.split(" requests in")[0].split()[-1])
    if "Non-2xx" in done:  # not counted: the script was told that the server cannot be reached
        requests -= int(done.split("Non-2xx or 3xx responses:")[1].split()[0])
    return requests / seconds, requests / max(used, 0.01)


class Client:
    """A connection that sends one request at a time; what is due meanwhile waits and is late."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting, self.due, self.burns = [], None, False

    def send_next(self):
        if self.due is None and self.waiting:
            self.due, self.burns = self.waiting.pop(0)
            self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % (b"/burn" if self.burns else b"/"))


def burning(binary, threads, folder, seconds, rate, clients=64):
    """Sorted milliseconds of the requests that do not burn."""
    with Proxy(binary, threads, folder) as proxy:
        pool = [Client(proxy.port) for _ in range(clients)]
        poll = select.epoll()
        by_fd = {c.socket.fileno(): c for c in pool}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        took, sent, total, begin = [], 0, seconds * rate, time.monotonic() + 0.1
        answered = 0
        while answered < total:
            now = time.monotonic()
            while sent < total and begin + sent / rate <= now:
                client = pool[sent % clients]
                client.waiting.append((begin + sent / rate, sent % 1000 == 500))
                client.send_next()
                sent += 1
            for fd, _ in poll.poll(max(0, min(0.001, begin + sent / rate - now))):
                client = by_fd[fd]
                if not client.socket.recv(4096).startswith(b"HTTP/1.1 200"):
                    raise RuntimeError("no answer")
                if not client.burns:
                    took.append((time.monotonic() - client.due) * 1000)
                answered += 1
                client.due = None
                client.send_next()
    return sorted(took)


def show_waiting(args, folder):
    for threads in args.threads:
        for connections in args.connections:
            rates = [waiting(b, threads, connections, folder, args.seconds) for b in args.binaries]
            best = [max(column) for column in zip(*(rates[1:] or rates))]
            print(f"waiting   {threads} threads {connections:5} connections",
                  *(f"{rate:>9,.0f}/s ({per_cpu:,.0f})" for rate, per_cpu in rates),
                  f"   {rates[0][0] / best[0]:.2f} x ({rates[0][1] / best[1]:.2f} x)", flush=True)


def show_burning(args, folder):
    for threads in args.threads:
        rows = []
        for binary in args.binaries:
            took = burning(binary, threads, folder, args.seconds, args.rate)
            rows.append((took[len(took) // 2], took[len(took) * 99 // 100], took[-1]))
        best = min((row[1] for row in rows[1:]), default=rows[0][1])
        print(f"burning   {threads} threads {args.rate:5}/s p50 p99 max",
              *("  " + " ".join(f"{ms:7.2f}" for ms in row) for row in rows),
              f"   p99 {rows[0][1] / best:.2f} x", flush=True)


def main():
    numbers = lambda text: [int(n) for n in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="+", metavar="BINARY")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--threads", type=numbers, default=[2, 4])
    parser.add_argument("--connections", type=numbers, default=[1, 10, 100, 2000])
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--only", choices=["waiting", "burning"])
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "scripts.lua").write_text(SCRIPT.replace("{dir}", name))
        subprocess.run(["cc", "-O2", "-o", folder / "slow_server", HERE / "slow_server.c"], check=True)
        server = subprocess.Popen([folder / "slow_server", folder / "slow", "1000"])
        try:
            if args.only != "burning":
                show_waiting(args, folder)
            if args.only != "waiting":
                show_burning(args, folder)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
