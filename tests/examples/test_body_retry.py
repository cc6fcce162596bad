"""examples/body-retry: a fault in the body of a 200 sends the request to the other node."""
import pytest

from harness import Answer, at_once

FAULT = "<fault><faultCode><value><i4>1007</i4></value></faultCode></fault>"


@pytest.fixture
def nodes(web):
    overloaded = set()

    def node(n):
        return lambda request: FAULT if n in overloaded else Answer(
            200, f"node{n} {request.method} {request.target} {request.text}", [("X-Node", str(n))])

    return overloaded, {f"NODE{n}": web(node(n)) for n in (1, 2)}


def test_overloaded_nodes_are_not_seen(example, nodes):
    overloaded, servers = nodes
    proxy = example("body-retry", **servers)
    assert {proxy.get("/a?x=1").text for _ in range(8)} == {"node1 GET /a?x=1 ", "node2 GET /a?x=1 "}
    overloaded.add(1)
    assert {proxy.get("/b").text for _ in range(8)} == {"node2 GET /b "}
    overloaded.add(2)
    assert proxy.get("/c").status == 503
    overloaded.clear()
    assert at_once(20, lambda i: proxy.get(f"/{i}").text[6:]) == [f"GET /{i} " for i in range(20)]


@pytest.mark.beyond
@pytest.mark.parametrize("segments", [1, 2])
def test_the_body_survives_the_retry(example, nodes, segments):
    overloaded, servers = nodes
    proxy = example("body-retry", **servers)
    overloaded.add(1)
    head = "POST /d HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    for _ in range(4):
        with proxy.connect() as wire:
            wire.send(*([head + "hello"] if segments == 1 else [head, "hello"]))
            assert wire.response().text == "node2 POST /d hello"
