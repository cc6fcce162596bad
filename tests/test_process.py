"""The process as a whole: signals, where it may look, what it says of its start."""
import os
from pathlib import Path

import pytest

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
