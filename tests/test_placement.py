"""Which threads run where, and which of them serve what."""
import os
from pathlib import Path

import pytest
from harness import eventually

CPUS = sorted(os.sched_getaffinity(0))
no_number = pytest.mark.skipif("nbthread" in os.environ.get("GLOBAL_EXTRA", ""), reason="the number of threads is given")
two_cpus = pytest.mark.skipif(CPUS[:2] != [0, 1], reason="needs CPUs 0 and 1")

CONFIG = """
    global
        nbthread 2
        {lines}
    defaults
        mode http
        timeout client 10s
    frontend fe
        bind @fe@ {bind}
        {more}
        http-request return status 200 content-type text/plain lf-string "%[thread,add(1)]"
"""


def places(proxy):
    """On which CPUs the threads of the process may run."""
    tasks = Path(f"/proc/{proxy.process.pid}/task")
    found = set()
    for task in tasks.iterdir():
        for line in (task / "status").read_text().splitlines():
            if line.startswith("Cpus_allowed_list:"):
                found.add(line.split()[1])
    return found


@two_cpus
@pytest.mark.parametrize("lines", [
    "cpu-map 1/1 0\ncpu-map 1/2 1", "cpu-map auto:1/1-2 0-1", "cpu-map auto:1/all 0-63", "cpu-map auto:1/1-2 1 0",
    "cpu-map 1/odd 0\ncpu-map 1/even 1", "cpu-map 1/all 0\ncpu-map 1/2 1", "cpu-map auto:1-2/1-2 1,0",
    "cpu-map 1/1 0,1000\ncpu-map 1/2- 1-1"])
def test_each_thread_has_its_cpu(start, lines):
    proxy = start(CONFIG.format(lines=lines, bind="", more=""))
    eventually(lambda: {"0", "1"} <= places(proxy))
    assert proxy.get("/").status == 200


@two_cpus
@pytest.mark.parametrize("lines", ["cpu-map 1/all 1000", "cpu-map 2 0", "cpu-map 1/3- 0", "cpu-map 1/all 0-"])
def test_what_is_not_there_is_passed_over(start, lines):
    proxy = start(CONFIG.format(lines=lines, bind="", more=""))
    assert proxy.get("/").status == 200
    assert not {"0", "1"} & places(proxy)


@pytest.mark.parametrize("line, told", [
    ("cpu-map auto:1/1-3 0-1", "same size"), ("cpu-map 1/65 0", "from 1 to 64"), ("cpu-map 1/1 x", "CPU range"),
    ("cpu-map 1/x 0", "'x' is not a valid"), ("cpu-map 1/1 2000", "from 0 to 1023"), ("cpu-map 1/1", "expects")])
def test_mistakes_in_maps(check, line, told):
    code, output = check(CONFIG.format(lines=line, bind="", more=""))
    assert code == 1 and told in output


@pytest.mark.parametrize("line", ["cpu-map 1/1 0", "cpu-map 1/all 0"])
def test_places_that_threads_compete_for(check, line):
    code, output = check(CONFIG.format(lines=line, bind="", more=""))
    assert code == 0 and "cpu-map" in output and "WARNING" in output


@pytest.mark.parametrize("bind, answer", [
    ("thread 1", "1"), ("thread 2", "2"), ("thread 2-9", "2"), ("thread 1/even", "2"), ("thread -1", "1"),
    ("thread 1/1,1/5-", "1"), ("thread odd", "1")])
def test_a_listener_of_some_threads(start, bind, answer):
    proxy = start(CONFIG.format(lines="", bind=bind, more=""))
    assert {proxy.get("/").text for _ in range(20)} == {answer}


def test_two_listeners_on_one_port(start):
    proxy = start(CONFIG.format(lines="", bind="thread 1", more="bind @fe@ thread 2"))
    eventually(lambda: proxy.get("/").text == "1")
    eventually(lambda: proxy.get("/").text == "2")


@pytest.mark.parametrize("bind, told", [
    ("thread 3", "thread"), ("thread 2/1", "group"), ("thread 1/1,2", "not permitted after a group-relative"),
    ("thread 1,1/2", "not permitted after a"), ("thread x", "invalid first thread number 'x'"),
    ("thread 1-2-3", "invalid character '-'"), ("thread 33/1", "permitted range is 1..32"), ("thread 1/65", "1..64")])
def test_mistakes_in_thread_sets(check, bind, told):
    code, output = check(CONFIG.format(lines="", bind=bind, more=""))
    assert code == 1 and told in output


ALONE = """
    global
        {lines}
        stats socket @dir@/cli level admin
    defaults
        mode http
        timeout client 10s
    frontend fe
        bind @fe@
        http-request return status 200 content-type text/plain lf-string "%[thread,add(1)]"
"""


def threads_of(proxy):
    return int(next(line for line in proxy.cli("show info").splitlines() if line.startswith("Nbthread")).split()[1])


@no_number
@two_cpus
@pytest.mark.parametrize("lines, count, where", [
    ("cpu-set drop-cpu 0", 1, {"1"}), ("cpu-set only-cpu 0", 1, {"0"}), ("cpu-set reset only-cpu 1", 1, {"1"}),
    ("cpu-set drop-cpu 0\nnbthread 2", 2, {"1"}), ("no numa-cpu-mapping\ncpu-set drop-cpu 1", 1, {"0"}),
    ("cpu-set only-cpu 0-\ncpu-set drop-cpu 0", 1, {"1"}), ("cpu-policy none\ncpu-set drop-cpu 1", 1, {"0"})])
def test_a_set_says_how_many_threads_and_where(start, lines, count, where):
    proxy = start(ALONE.format(lines=lines))
    assert threads_of(proxy) == count
    eventually(lambda: where <= places(proxy))
    assert not ({"0", "1"} - where) & places(proxy)
    assert proxy.get("/").status == 200


@no_number
@pytest.mark.skipif(len(CPUS) != 2, reason="needs two CPUs in all")
@pytest.mark.parametrize("lines, count", [
    ("cpu-policy none", 2), ("cpu-set drop-cpu 0-63", 2), ("cpu-policy performance", 2), ("thread-hard-limit 1", 1),
    ("cpu-policy group-by-2-clusters", 2), ("cpu-policy first-usable-node", 2), ("nbthread 3\ncpu-affinity per-core", 3)])
def test_without_a_choice_threads_run_anywhere(start, lines, count):
    proxy = start(ALONE.format(lines=lines))
    assert threads_of(proxy) == count
    assert not {"1"} & places(proxy)


@no_number
@two_cpus
@pytest.mark.skipif(len(CPUS) != 2, reason="needs two CPUs in all")
@pytest.mark.parametrize("lines", [
    "cpu-affinity per-core", "cpu-policy performance threads-per-core 1",
    pytest.param("cpu-affinity per-thread", marks=pytest.mark.beyond)])
def test_a_thread_for_each_core(start, lines):
    proxy = start(ALONE.format(lines=lines))
    assert threads_of(proxy) == 2
    eventually(lambda: {"0", "1"} <= places(proxy))


@pytest.mark.parametrize("line, told", [
    ("cpu-set bogus 1", "unknown directive 'bogus'"), ("cpu-set drop-cpu", "missing CPU set"),
    ("cpu-set only-cpu x", "'x' is"), ("cpu-set only-cpu 2000", "from 0 to 1023"), ("cpu-policy foo", "policy 'foo'"),
    ("cpu-affinity foo", "'foo'"), ("cpu-affinity per-core loose", "'loose'")])
def test_mistakes_in_sets_and_policies(check, line, told):
    code, output = check(ALONE.format(lines=line))
    assert code == 1 and told in output


@two_cpus
def test_more_threads_than_a_set_has_cpus(check):
    code, output = check(ALONE.format(lines="cpu-set only-cpu 0\nnbthread 2"))
    assert code == 0 and "WARNING" in output and "compete" in output


def time_on_cpu(proxy):
    words = Path(f"/proc/{proxy.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_busy_polling_never_sleeps(start):
    proxy = start(ALONE.format(lines="nbthread 1\n        busy-polling"))
    begun = time_on_cpu(proxy)
    eventually(lambda: time_on_cpu(proxy) - begun > 0.5)
    assert proxy.get("/").status == 200
