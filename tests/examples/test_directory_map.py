"""examples/directory-map: the pod of a customer is asked once and kept in a map."""
from harness import Answer, at_once

WHERE = {"one.example.com": "pod0", "two.example.com": "pod1", "three.example.com": "pod2"}


def test_customers_reach_their_pod(example, web):
    def directory(request):
        pod = WHERE.get(request.target.rsplit("/", 1)[1])
        return pod or Answer(404, "unknown")

    servers = {f"POD{n}": web(f"pod{n}") for n in (0, 1, 2)}
    asked = web(directory)
    proxy = example("directory-map", DIRECTORY=asked, SOCKET="unix@cli", **servers)
    for host, pod in WHERE.items():
        assert proxy.get("/", {"Host": host}).text == pod
    assert len(asked.requests) == 3
    assert at_once(30, lambda i: proxy.get("/", {"Host": "Two.example.com:80"}).text) == ["pod1"] * 30
    assert len(asked.requests) == 3, "the map answers from then on"
    assert proxy.get("/", {"Host": "nobody.example.com"}).status == 404
    assert "two.example.com pod1" in proxy.cli("show map virt@pods")
    proxy.cli("set map virt@pods two.example.com pod2")
    assert proxy.get("/", {"Host": "two.example.com"}).text == "pod2"
