"""warn-blocked-traffic-after: workers that are busy with one thing for too long."""
import re

import pytest
from harness import WITH_THREAD_SANITIZER, eventually

SCRIPT = """
local function search(text)
    return text:find(".-.-.-b")
end

core.register_fetches("slow", function(txn)
    local begun = os.clock()
    local text = string.rep("a", tonumber(txn.f:req_hdr("x-length")))
    search(text)
    return "done"
end)
"""

CONFIG = """
    global
        {line}
        tune.lua.bool-sample-conversion normal
        lua-load @dir@/slow.lua
        stats socket @dir@/cli level admin
    defaults
        mode http
        timeout client 10s
    frontend fe
        bind @fe@
        http-request return status 200 content-type text/plain lf-string %[lua.slow]
"""
WARNING = r"has stopped processing traffic for (\d+) milliseconds"


def begin(start, line):
    return start(CONFIG.format(line=line), files={"slow.lua": SCRIPT})


def length_that_takes(proxy, seconds):
    """How long a text must be for the search in it to take so long here."""
    import time
    length = 100
    while True:
        begun = time.monotonic()
        assert proxy.get("/", {"x-length": str(length)}).text == "done"
        if time.monotonic() - begun >= seconds:
            return
        length = length * 5 // 4


def test_a_busy_worker_is_told_of(start):
    proxy = begin(start, "warn-blocked-traffic-after 60ms")
    length_that_takes(proxy, 0.25)
    proxy.wait_output(WARNING)
    assert all(int(ms) >= 55 for ms in re.findall(WARNING, proxy.output()))


@pytest.mark.beyond
@pytest.mark.skipif(WITH_THREAD_SANITIZER, reason="the sanitizer holds signals back")
def test_the_warning_names_the_function_and_its_line(start):
    proxy = begin(start, "warn-blocked-traffic-after 60ms")
    length_that_takes(proxy, 0.25)
    proxy.wait_output(r"thread \d+ has stopped .* 'slow'.*slow\.lua:3 \(in the function at line 2\)")


@pytest.mark.beyond
def test_a_script_that_gives_way_is_not(start):
    script = SCRIPT.replace("    search(text)\n", "    while os.clock() < begun + 0.4 do end\n")
    proxy = start(CONFIG.format(line="warn-blocked-traffic-after 100ms"), files={"slow.lua": script})
    assert proxy.get("/", {"x-length": "1"}).text == "done"
    assert "has stopped" not in proxy.output()


@pytest.mark.parametrize("line, told", [("warn-blocked-traffic-after 0", "between 1 and"),
                                        ("warn-blocked-traffic-after 2s", "between 1 and")])
def test_limits_of_the_limit(check, line, told):
    code, output = check(f"""
        global
            {line}
        frontend fe
            bind @fe@
    """)
    assert code == 1 and told in output.replace("\n", " ")


def test_threads_are_shown(start):
    proxy = begin(start, "nbthread 2")
    shown = proxy.cli("show threads")
    assert re.search(r"^[* ] Thread 1 ", shown, re.M) and re.search(r"^[* ] Thread 2 ", shown, re.M)
    assert re.search(r"act=\d", shown) and re.search(r"cpu_ns:.*now=\d+", shown)


@pytest.mark.beyond
def test_the_time_of_a_thread_grows(start):
    proxy = begin(start, "nbthread 1")

    def used():
        return int(re.search(r"now=(\d+)", proxy.cli("show threads")).group(1))

    before = used()
    length_that_takes(proxy, 0.1)
    eventually(lambda: used() - before > 50_000_000)
