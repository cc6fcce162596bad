#!/usr/bin/env python3
"""Many keep-alive clients for a minute while servers flap and scripts fail at random: no wrong answer, no crash, no leak.

    PROXY=build/asan/moongate tests/soak.py [--clients 1000] [--seconds 60]

Every response must belong to its request (an echo of its number) or be an error that the events explain: 503, 502 or 504
while servers are away, 500 where a script's failure must end the request. At the end the proxy is stopped softly, must exit
with 0 and must have no sessions left; under AddressSanitizer its leak report must be empty.
"""
import argparse
import asyncio
import collections
import random
import resource
import signal
import sys

import harness

SCRIPT = """
local function fail(kind)
  if kind == 1 then error("a failure with a text") end
  if kind == 2 then error({ "a failure with a table" }) end
  if kind == 3 then local x = nil; return x.y end
  if kind == 4 then return string.rep("x", -1) .. nil end
end
core.register_action("flaky", { "http-req" }, function(txn)
  local kind = math.random(20)
  if kind > 10 then core.msleep(math.random(5)) end
  txn:set_var("txn.kind", kind)
  fail(kind)
end)
core.register_fetches("flaky", function(txn)
  fail(math.random(40))
  return txn.sf:req_hdr("x-number")
end)
core.register_converters("flaky", function(text)
  fail(math.random(40))
  return (text:gsub(".", function(c) if math.random(200) == 1 then core.yield() end return c end))
end)
core.register_service("echo", "http", function(applet)
  local number = applet.headers["x-number"][0]
  local body = number .. " " .. applet:receive()
  if math.random(50) == 1 then fail(math.random(4)) end
  applet:set_status(200)
  applet:add_header("content-length", #body)
  applet:start_response()
  if math.random(50) == 1 then fail(math.random(4)) end
  applet:send(body)
end)
core.register_task(function()
  while true do
    core.msleep(20)
    pcall(fail, math.random(8))
    for _, server in pairs(core.backends["be"].servers) do server:get_stats() end
  end
end)
"""

CONFIG = """
global
    stats socket @dir@/cli level admin
    lua-load @dir@/soak.lua
    maxconn 5000
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 10s
    timeout queue 5s
    option redispatch
    retries 2
frontend fe
    bind @fe@
    http-request lua.flaky if { path_beg /lua }
    http-request set-header x-script %[lua.flaky,lua.flaky]
    http-request use-service lua.echo if { path_beg /service }
    http-response set-header x-kind %[var(txn.kind)]
    default_backend be
backend be
    default-server check inter 200ms rise 1 fall 1 maxconn 100
    server s1 @s1@
    server s2 @s2@
    server s3 @s3@
"""


class EchoServer:
    """Answers with the request's number and body; can be away for a while."""

    def __init__(self):
        self.port, self.server, self.open = harness.Ports.take(), None, set()
        self.address = f"127.0.0.1:{self.port}"

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=1000)

    async def stop(self):
        self.server.close()
        for writer in list(self.open):
            writer.transport.abort()

    async def serve(self, reader, writer):
        self.open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                body = await reader.readexactly(int(headers.get(b"content-length", 0)))
                answer = headers[b"x-number"] + b" " + body
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()


class Client:
    def __init__(self, port, number, seen):
        self.port, self.number, self.seen, self.stream = port, number, seen, None

    async def run(self, until):
        count = 0
        while asyncio.get_running_loop().time() < until:
            count += 1
            try:
                await asyncio.wait_for(self.ask(f"{self.number}-{count}"), 30)
            except asyncio.TimeoutError:
                self.seen["STUCK"] += 1
                self.stream = None
            except (OSError, asyncio.IncompleteReadError):
                self.seen["closed"] += 1  # a service that failed after its head, for example
                self.stream = None
        if self.stream:
            self.stream[1].close()

    async def ask(self, number):
        if not self.stream:
            self.stream = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.stream
        path = random.choice(["/plain", "/lua", "/service"])
        body = b"b" * random.choice([0, 0, 1, 1000, 20000])
        head = f"POST {path} HTTP/1.1\r\nHost: soak\r\nX-Number: {number}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        cut = random.randrange(len(head))
        writer.write(head[:cut])
        if random.random() < 0.1:
            await asyncio.sleep(0.002)
        writer.write(head[cut:] + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        lines = answer.lower().split(b"\r\n")
        headers = dict(line.split(b": ", 1) for line in lines[1:-2])
        content = await reader.readexactly(int(headers[b"content-length"]))
        status = int(lines[0].split()[1])
        self.seen[status] += 1
        if status == 200 and content != number.encode() + b" " + body:
            self.seen["WRONG"] += 1
        elif status not in (200, 500, 502, 503, 504):
            self.seen["WRONG"] += 1
        if headers.get(b"connection") == b"close":
            writer.close()
            self.stream = None


async def flap(servers, until):
    while asyncio.get_running_loop().time() < until:
        await asyncio.sleep(random.uniform(0.3, 1.5))
        server = random.choice(servers)
        await server.stop()
        await asyncio.sleep(random.uniform(0.1, 1.0))
        await server.start()


async def soak(clients, seconds):
    servers = [EchoServer() for _ in range(3)]
    for server in servers:
        await server.start()
    proxy = harness.Proxy(CONFIG, files={"soak.lua": SCRIPT}, s1=servers[0], s2=servers[1], s3=servers[2]).start()
    seen = collections.Counter()
    until = asyncio.get_running_loop().time() + seconds
    await asyncio.gather(flap(servers, until), *(Client(proxy.port(), i, seen).run(until) for i in range(clients)))
    print(dict(seen), flush=True)
    info = dict(line.split(": ", 1) for line in proxy.cli("show info").splitlines() if ": " in line)
    proxy.signal(signal.SIGUSR1)
    code = proxy.wait(30)
    proxy.stop()
    print(f"exit {code}, {info.get('CumReq')} requests")
    bad = seen["WRONG"] + seen["STUCK"]
    return code == 0 and not bad and seen[200] > clients


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ok = asyncio.run(soak(options.clients, options.seconds))
    print("ok" if ok else "FAILED")
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
