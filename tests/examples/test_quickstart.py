"""examples/quickstart, as `make run` starts it (on its own ports)."""
import re

import pytest

import harness
from harness import ROOT, eventually


@pytest.fixture
def quickstart():
    command = [ROOT / "examples/quickstart/run.sh", harness.BINARY]
    proxy = harness.Proxy("", defaults=False)
    proxy.command, proxy.ports = command, {"fe": 8080, "stats": 8404}
    proxy.start(wait=False)
    proxy.wait_for_port(8080)
    yield proxy
    proxy.stop()


@pytest.mark.xdist_group("quickstart")
def test_what_the_readme_promises(quickstart):
    answer = eventually(lambda: (a := quickstart.get("/ask")).status == 200 and a)
    loads = dict(re.findall(r"(\w+)=(\d+)", answer.headers["x-why"]))
    assert set(loads) == {"amber", "birch", "cedar"}
    assert loads[answer.headers["x-picked"]] == min(loads.values(), key=int)
    assert answer.text.startswith(f"hello from {answer.headers['x-picked']}")
    assert "<!doctype html>" in quickstart.get("/").text
    assert '"name":"amber"' in quickstart.get("/facts").text
    assert quickstart.get("/", to="stats").status == 200
    quickstart.wait_output(r'shop/\w+ .* "GET /ask HTTP/1.1"')
