#!/usr/bin/env python3
"""Random scripts against a running proxy: lua_api.py PROXY [SECONDS [SEED]].

Each round starts the proxy (best a build with AddressSanitizer) with four workers and a script that calls the API at
random in actions, fetches, converters, services, filters, tasks and commands, sends traffic through all of them, and then asks
whether the process still answers and ends when told to. The seed of a round that failed is printed.
"""
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BAD = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error: member", "cannot be represented", "terminate called")

CONFIG = """
global
    nbthread 4
    stats socket {dir}/cli level admin
    tune.lua.bool-sample-conversion normal
    tune.lua.session-timeout 2s
    tune.lua.service-timeout 2s
    tune.lua.burst-timeout 500
    tune.lua.maxmem 200
    {load} {script} {seed} {turns}
defaults
    mode http
    timeout connect 1s
    timeout client 2s
    timeout server 2s
frontend fe
    bind unix@{dir}/fe
    filter lua.fuzz
    http-request lua.fuzz
    http-request set-header x-a %[lua.fuzz,lua.fuzz]
    http-request use-service lua.fuzz if {{ path /svc }}
    http-response lua.fuzz
    http-after-response lua.fuzz
    use_backend %[lua.fuzz] if {{ path /dyn }}
    default_backend be
frontend alive
    bind unix@{dir}/alive
    http-request return status 200
frontend tcp
    mode tcp
    bind unix@{dir}/tcp
    filter lua.fuzz
    tcp-request inspect-delay 100ms
    tcp-request content lua.fuzz
    tcp-request content use-service lua.fuzz_tcp if {{ req.len gt 5 }}
    default_backend tbe
backend be
    filter lua.fuzz
    server s1 unix@{dir}/srv check inter 200ms
backend tbe
    mode tcp
    tcp-response content lua.fuzz
    server s1 unix@{dir}/srv
frontend srv
    bind unix@{dir}/srv
    http-request return status 200 content-type text/plain string hello
"""


def talk(path, data, wait=3.0):
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(wait)
            s.connect(path)
            s.sendall(data)
            out = b""
            while piece := s.recv(65536):
                out += piece
                if len(out) > 1 << 20:
                    break
            return out
    except OSError:
        return b""


def traffic(folder, rng, until):
    while time.monotonic() < until:
        kind = rng.randrange(6)
        body = b"b" * rng.randrange(20000)
        target = rng.choice((b"/", b"/svc", b"/dyn", b"/x?y=1"))
        request = b"POST %s HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (target, len(body), body)
        if kind < 4:
            talk(folder + "/fe", request)
        elif kind == 4:
            talk(folder + "/tcp", request[: rng.randrange(len(request))])
        else:
            talk(folder + "/cli", b"fuzz\n")


def one_round(proxy, seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        config = folder + "/fuzz.cfg"
        with open(config, "w") as f:
            f.write(CONFIG.format(dir=folder, script=HERE + "/lua_api.lua", seed=seed, turns=rng.choice((5, 20, 60)),
                                  load=rng.choice(("lua-load", "lua-load-per-thread"))))
        with open(folder + "/log", "w+b") as log:
            process = subprocess.Popen([proxy, "-f", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                                       env=dict(os.environ, ASAN_OPTIONS="detect_leaks=1:abort_on_error=0"))
            end = time.monotonic() + 15
            while not os.path.exists(folder + "/alive") and process.poll() is None and time.monotonic() < end:
                time.sleep(0.05)
            until = time.monotonic() + 4
            threads = [threading.Thread(target=traffic, args=(folder, random.Random(seed * 10 + i), until)) for i in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            trouble = ""
            if (early := process.poll()) is not None:
                trouble = f"it ended by itself with {early}"
            elif b"200" not in talk(folder + "/alive", b"GET / HTTP/1.0\r\n\r\n", 10):
                trouble = "it does not answer any more"
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                code = process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                code, trouble = process.wait(), trouble or "it does not end"
            log.seek(0)
            text = log.read().decode("utf-8", "replace")
            if code not in (0, 1, -signal.SIGTERM, 128 + signal.SIGTERM):
                trouble = trouble or f"it ended with {code}"
            for mark in BAD:
                if mark in text:
                    trouble = trouble or mark
            if trouble:
                # A report tells first what happened, then who had and who freed it.
                begin = min((text.find(mark) for mark in BAD if mark in text), default=max(0, len(text) - 6000))
                begin = text.rfind("\n", 0, begin) + 1
                print(f"seed {seed}: {trouble}\n{text[begin:begin + 20000]}", flush=True)
            return not trouble


def main():
    proxy = os.path.abspath(sys.argv[1])
    until = time.monotonic() + float(sys.argv[2] if len(sys.argv) > 2 else 60)
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time()) % 1000000
    rounds = failures = 0
    while time.monotonic() < until and failures < 5:
        rounds += 1
        failures += not one_round(proxy, seed)
        seed += 1
    print(f"{rounds} rounds, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
