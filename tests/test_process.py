"""The process as a whole: signals, where it may look, what it says of its start."""
import os
import signal
import threading
from pathlib import Path

import pytest

from harness import Closed, eventually

RUNTIME = """
    global
        stats socket @dir@/cli level admin
    frontend fe
        bind @fe@
        http-request return status 200
    backend be
        server s 127.0.0.1:1
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can change the root directory")
def test_a_jail_of_its_own_leaves_nothing_behind(start):
    before = set(os.listdir("/tmp"))
    proxy = start(RUNTIME.replace("global", "global\n        chroot auto"))
    root = Path(f"/proc/{proxy.process.pid}/root")
    assert os.listdir(root) == [] and os.readlink(root).endswith(" (deleted)")
    assert {name for name in set(os.listdir("/tmp")) - before if "jail" in name} == set()
    assert proxy.get("/").status == 200


def test_reports_of_servers_that_come_and_go(start):
    proxy = start(RUNTIME)
    over = threading.Event()

    def ask():
        while not over.wait(0.002):
            proxy.signal(signal.SIGHUP)

    asking = threading.Thread(target=ask)
    asking.start()
    for i in range(60):
        assert "registered" in proxy.cli(f"add server be/new{i} 127.0.0.1:1")
        if i % 2:
            assert "deleted" in proxy.cli(f"del server be/new{i}")
    over.set()
    asking.join()
    proxy.signal(signal.SIGHUP)
    proxy.wait_output(r"Server be/new58 is ")


def refused(proxy):
    try:
        return proxy.get("/").status != 200
    except (OSError, Closed):
        return True


def test_a_pause_by_signal(start):
    proxy = start(RUNTIME)
    for _ in range(3):
        proxy.signal(signal.SIGTTOU)
        eventually(lambda: refused(proxy))
        proxy.signal(signal.SIGTTIN)
        eventually(lambda: not refused(proxy))


def test_signals_until_the_very_end(start):
    proxy = start(RUNTIME)
    proxy.signal(signal.SIGUSR1)
    while proxy.process.poll() is None:
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTTOU, signal.SIGTTIN):
            proxy.signal(number)
    assert proxy.wait() == 0


def test_what_is_said_later_is_no_message_of_the_start(start):
    proxy = start(RUNTIME)
    proxy.signal(signal.SIGHUP)
    proxy.wait_output(r"SIGHUP: Server be/s is ")
    assert "SIGHUP" not in proxy.cli("show startup-logs")
