#!/usr/bin/env python3
"""What one request costs: nanoseconds of CPU by room, system calls and allocations, in the steady state.

    tools/request_budget.py build/release/moongate [forward|rules|return|tcp …] [--seconds 3]

Needs wrk, nginx, perf, strace and cc. The proxy has one thread on CPU 0; clients and the server share CPU 1. The
figures are the base of docs/performance.md.
"""
import argparse
import collections
import mmap
import os
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

GLOBAL = """
global
    nbthread 1
    maxconn 2000
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
backend app
    http-reuse always
    server s 127.0.0.1:{server}
"""

CONFIGS = {
    "forward": "frontend f\n bind 127.0.0.1:{port}\n default_backend app\n",
    "rules": """frontend f
 bind 127.0.0.1:{port}
 acl is_api path_beg /api /v1
 acl is_static path_end .png .css .js
 http-request set-header X-Forwarded-Proto http
 http-request set-header X-Real-IP %[src]
 http-request deny if {{ hdr(user-agent) -m sub badbot evil }}
 http-request set-var(txn.tenant) req.hdr(host),field(1,.),lower
 http-response del-header Server
 http-response set-header X-Tenant %[var(txn.tenant)]
 use_backend app if is_api !is_static
 default_backend app
""",
    "return": "frontend f\n bind 127.0.0.1:{port}\n http-request return status 200 content-type text/plain string hello\n",
    "tcp": "listen t\n mode tcp\n bind 127.0.0.1:{port}\n server s 127.0.0.1:{server}\n",
}

NGINX = """worker_processes 1; daemon off; pid {dir}/pid; error_log {dir}/err;
events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
 client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u;
 scgi_temp_path {dir}/s;
 server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ default_type text/plain; return 200 {body}; }} }} }}
"""

# Counts into the first eight bytes of the file that BUDGET_COUNTER names.
COUNTER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
static unsigned long dummy, *count = &dummy;
static void *(*real)(size_t);
__attribute__((constructor)) static void begin(void) {
  int fd = open(getenv("BUDGET_COUNTER"), O_RDWR);
  void *at = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) count = at;
}
void *malloc(size_t size) {
  if (!real) real = dlsym(RTLD_NEXT, "malloc");
  __atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
  return real(size);
}
"""

ROOMS = ("base", "rt", "http", "net", "obs", "state", "txn", "wire", "expr", "rules", "upstream", "proxy")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start(command, port, cpu, env=None):
    process = subprocess.Popen(["taskset", "-c", str(cpu), *command], env=env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{command[0]} does not listen")


def load(port, seconds):
    """Requests done."""
    out = subprocess.run(["taskset", "-c", "1", "wrk", "-t1", "-c64", f"-d{seconds}s", f"http://127.0.0.1:{port}/api/x"],
                         capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+) requests in", out)[1])


def room_of(symbol, binary):
    if "[k]" in symbol:
        return "kernel"
    found = re.search(r"\b(%s)::" % "|".join(ROOMS), symbol)
    return found[1] if found else ("libraries" if binary not in symbol else "other")


def shares(pid, port, seconds, folder, binary):
    """The part of the time that each room takes."""
    data = os.path.join(folder, "perf.data")
    perf = subprocess.Popen(["perf", "record", "-o", data, "-p", str(pid), "--", "sleep", str(seconds)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    load(port, seconds)
    perf.wait()
    text = subprocess.run(["perf", "report", "-i", data, "--stdio", "--no-children", "--sort", "dso,sym"],
                          capture_output=True, text=True).stdout
    rooms = collections.Counter()
    for line in text.splitlines():
        if found := re.match(r"\s*([\d.]+)%\s+(.*)", line):
            rooms[room_of(found[2], os.path.basename(binary))] += float(found[1]) / 100
    return rooms


def system_calls(pid, port, folder):
    path = os.path.join(folder, "calls")
    trace = subprocess.Popen(["strace", "-c", "-f", "-p", str(pid), "-o", path], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    done = load(port, 2)
    trace.send_signal(signal.SIGINT)
    trace.wait()
    calls = {}
    for line in open(path, encoding="ascii"):
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and int(words[3]) / done > 0.001:
            calls[words[-1]] = int(words[3]) / done
    calls.pop("total", None)
    return calls


def measure(name, options, folder, server):
    port = free_port()
    config = os.path.join(folder, "proxy.cfg")
    with open(config, "w", encoding="ascii") as f:
        f.write((GLOBAL + CONFIGS[name]).format(port=port, server=server))
    command = [options.binary, "-f", config, "-db"]
    proxy = start(command, port, 0)
    try:
        load(port, 1)
        before, done = cpu_seconds(proxy.pid), load(port, options.seconds)
        ns = (cpu_seconds(proxy.pid) - before) / done * 1e9
        rooms = shares(proxy.pid, port, options.seconds, folder, options.binary)
        calls = system_calls(proxy.pid, port, folder)
    finally:
        proxy.terminate()
        proxy.wait()
    print(f"{name}: {ns:.0f} ns a request")
    print("  " + ", ".join(f"{room} {ns * part:.0f}" for room, part in rooms.most_common() if ns * part >= 5))
    print("  system calls: " + ", ".join(f"{call} {n:.2f}" for call, n in sorted(calls.items())))
    print(f"  allocations: {allocations(command, port, folder):.3f}")


def allocations(command, port, folder):
    source, library, counter = (os.path.join(folder, n) for n in ("count.c", "count.so", "counter"))
    with open(source, "w", encoding="ascii") as f:
        f.write(COUNTER)
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    with open(counter, "wb") as f:
        f.write(bytes(4096))
    proxy = start(command, port, 0, {**os.environ, "LD_PRELOAD": library, "BUDGET_COUNTER": counter})
    try:
        with open(counter, "r+b") as f, mmap.mmap(f.fileno(), 4096) as count:
            load(port, 1)
            before, = struct.unpack_from("<Q", count)
            done = load(port, 2)
            after, = struct.unpack_from("<Q", count)
    finally:
        proxy.terminate()
        proxy.wait()
    # The load opens its 64 connections anew.
    return (after - before) / done


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("binary")
    ap.add_argument("what", nargs="*", choices=[*CONFIGS, []])
    ap.add_argument("--seconds", type=int, default=3)
    options = ap.parse_args()
    options.binary = os.path.abspath(options.binary)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        server = free_port()
        with open(f"{folder}/nginx.conf", "w", encoding="ascii") as f:
            f.write(NGINX.format(dir=folder, port=server, body="0123456789" * 10))
        backend = start(["nginx", "-c", f"{folder}/nginx.conf"], server, 1)
        try:
            for name in options.what or CONFIGS:
                measure(name, options, folder, server)
        finally:
            backend.terminate()
            backend.wait()


if __name__ == "__main__":
    main()
