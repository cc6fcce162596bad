#!/usr/bin/env python3
"""Look-ups in maps: requests per CPU second beside other binaries, and what loading a large map costs.

usage: lookups.py BINARY REFERENCE [REFERENCE...] [--seconds N] [--rounds N] [--only SCENARIO]

Every binary gets the same maps and configuration and runs one thread; wrk asks for 100,000 different keys at
random, about half of them in the map, so that a cache of recent results helps nobody. A request is answered
by the proxy itself, so that little but the look-up is measured.
CPU time is the kernel's own count for the process: read the ratios, not the rates. "goal" is against the
faster of the references (requests), or the smaller (loading).
"""
import argparse
import os
import random
import resource
import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

CONFIGURATION = """
global
    nbthread 1
defaults
    mode http
    timeout client 10s
    timeout server 10s
    timeout connect 5s
frontend f
    bind 127.0.0.1:{port}
    http-request return status 200 hdr x-found %[{sample},{converter}({file},none)]
"""

WRK = """
local keys = {{ {keys} }}
local requests = {{}}
function init()
  for i, key in ipairs(keys) do requests[i] = wrk.format("GET", {path}, {headers}) end
end
function request() return requests[math.random(#requests)] end
"""


def word(i):
    """A word that looks random and is the same in every run."""
    rng = random.Random(i)
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randrange(6, 12)))


def address(i):
    rng = random.Random(i)
    return f"{rng.randrange(1, 224)}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"


def network(i):
    rng = random.Random(-i)
    return f"{address(i)}/{rng.choice((16, 20, 22, 24, 24, 24, 28, 32))}"


def expression(i):
    shapes = (rf"^.*/{word(i)}/.*$", rf"^/[a-z]+/.*{word(i)}.*$", rf"^.*{word(i)}\.(png|jpg)$",
              rf"^.*[/-]{word(i)}-[a-z]+.*$", rf"^/shop/.*({word(i)}|{word(i + 1)}).*/page")
    return shapes[i % len(shapes)]


ASKED = 100_000

# name -> (sample, converter, entries, the map's key by number, what is asked for by number, goal)
SCENARIOS = {
    "map_str": ("path", "map_str", 100_000, lambda i: f"/{word(i)}/{i}", lambda i: f"/{word(i)}/{i}", 1.15),
    "map_ip": ("req.hdr_ip(x-key)", "map_ip", 100_000, network, address, 1.15),
    "map_beg": ("path", "map_beg", 10_000, lambda i: f"/{word(i)}/", lambda i: f"/{word(i)}/some/page-{random.random()}.html", 1.15),
    "map_sub": ("path", "map_sub", 10_000, word, lambda i: f"/some/folder/{word(i)}/page-{random.random()}.html", 20),
    "map_reg": ("path", "map_reg", 1_000, expression,
                lambda i: f"/shop/{word(i)}/{i}/some-long-name-of-a-product/page-{random.random()}.html", 20),
}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Scenario:
    def __init__(self, name, folder):
        self.name, self.folder = name, folder
        self.sample, self.converter, self.entries, key, asked, self.goal = SCENARIOS[name]
        self.file = folder / f"{name}.map"
        self.file.write_text("".join(f"{key(i)} value{i % 100}\n" for i in range(self.entries)))
        in_header = self.sample != "path"
        wanted = [asked(random.randrange(2 * self.entries)) for _ in range(ASKED)]
        self.script = folder / f"{name}.lua"
        self.script.write_text(WRK.format(keys=", ".join(f'"{k}"' for k in wanted),
                                          path='"/"' if in_header else "key",
                                          headers='{["x-key"] = key}' if in_header else "nil"))

    def rate(self, binary, seconds):
        """Requests per CPU second."""
        port = free_port()
        configuration = self.folder / "proxy.cfg"
        configuration.write_text(CONFIGURATION.format(port=port, sample=self.sample, converter=self.converter,
                                                      file=self.file))
        proxy = subprocess.Popen([binary, "-db", "-f", configuration], stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if proxy.poll() is not None:
                        raise RuntimeError(f"{binary} does not start") from None
                    time.sleep(0.05)
            before = cpu_seconds(proxy.pid)
            done = subprocess.run(["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", self.script, f"http://127.0.0.1:{port}/"],
                                  capture_output=True, text=True, check=True).stdout
            used = cpu_seconds(proxy.pid) - before
            requests = int(done.split(" requests in")[0].split()[-1])
            if "Non-2xx" in done:
                raise RuntimeError(done)
            return requests / used
        finally:
            proxy.kill()
            proxy.wait()


def loading(binary, folder):
    """(CPU seconds, megabytes) of reading a configuration with a map of a million entries."""
    file, configuration = folder / "million.map", folder / "million.cfg"
    if not file.exists():
        with file.open("w") as out:
            out.writelines(f"host-{i}.example.com backend_{i % 100}\n" for i in range(1_000_000))
    configuration.write_text(CONFIGURATION.format(port=free_port(), sample="path", converter="map_str", file=file))
    child = subprocess.Popen([binary, "-c", "-q", "-f", configuration])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="+", metavar="BINARY")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=[*SCENARIOS, "loading"])
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # First: a child is charged with the memory of its parent.
        if args.only in (None, "loading"):
            costs = [loading(binary, folder) for binary in args.binaries]
            best = [min(c[i] for c in costs[1:] or costs) for i in (0, 1)]
            print(f"{'loading':10}", *(f"{seconds:.2f} s {size:.0f} MB" for seconds, size in costs),
                  f"   {costs[0][0] / best[0]:.2f} of the time, {costs[0][1] / best[1]:.2f} of the memory, goal 0.5")

        for scenario_name in SCENARIOS if args.only is None else [args.only] if args.only in SCENARIOS else []:
            scenario = Scenario(scenario_name, folder)
            rates = [[] for _ in args.binaries]
            for _ in range(args.rounds):
                for i, binary in enumerate(args.binaries):
                    rates[i].append(scenario.rate(binary, args.seconds))
            rates = [statistics.median(r) for r in rates]
            best = max(rates[1:], default=rates[0])
            print(f"{scenario_name:10}", *(f"{rate:>12,.0f}/s" for rate in rates),
                  f"   {rates[0] / best:.2f} x, goal {scenario.goal}", flush=True)

main()
