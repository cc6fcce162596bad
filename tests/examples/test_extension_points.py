"""examples/extension-points: fetches, converters, actions, services, tasks."""
import threading

from harness import eventually


def run(example, web, **servers):
    servers = {"APP1": web("app1"), "APP2": web("app2"), "CHECKER": web("allow"), **servers}
    return example("extension-points", {"PORT": "fe", "SHOUT_PORT": "shout"}, **servers)


def test_fetch_converter_and_action(example, web):
    verdict = ["allow"]
    proxy = run(example, web, CHECKER=web(lambda request: verdict[0]))
    assert proxy.get("/", {"X-Rate": "9"}).status == 200
    assert proxy.get("/", {"X-Rate": "11"}).status == 429
    assert proxy.get("/company").headers["location"] == "/Vinyl+%26+Rare+Music"
    assert proxy.get("/guarded").status == 200
    verdict[0] = "deny"
    assert proxy.get("/guarded").status == 403


def test_services(example, web):
    proxy = run(example, web)
    assert proxy.get("/magic", method="POST", body="Will it rain?").text.startswith("Will it rain? ")
    with proxy.connect("shout") as wire:
        assert wire.send("one\ntwo\n", "three\n", "\n").read_all() == b"ONE\nTWO\nTHREE\n"


def test_the_task_runs_beside_the_traffic(example, web):
    proxy = run(example, web)
    first = int(proxy.get("/ticks").text)
    eventually(lambda: int(proxy.get("/ticks").text) > first + 2, what="a few ticks")


def test_the_backend_with_the_fewest_sessions(example, web):
    arrived, hold = threading.Event(), threading.Event()

    def slow(request):
        if request.target == "/hold":
            arrived.set()
            hold.wait(10)
        return "app1"

    proxy = run(example, web, APP1=web(slow))
    assert proxy.get("/").text == "app1"
    busy = threading.Thread(target=proxy.get, args=("/hold",))
    busy.start()
    assert arrived.wait(10)
    assert [proxy.get("/").text for _ in range(4)] == ["app2"] * 4
    hold.set()
    busy.join()
