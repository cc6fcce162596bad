"""The pages of docs/reference/ tell what the keyword tables hold."""
import subprocess
import sys

import pytest

from harness import BINARY, ROOT


@pytest.mark.beyond
def test_pages_are_up_to_date():
    tool = ROOT / "tools" / "reference_pages.py"
    done = subprocess.run([sys.executable, str(tool), BINARY, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
