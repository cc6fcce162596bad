"""Fixtures: `start` runs the proxy, `web`, `tcp` and `syslog` make what it talks to; all end with the test."""
import pytest

import harness


def pytest_collection_modifyitems(items):
    if not harness.IS_REFERENCE:
        return
    for item in items:
        if item.get_closest_marker("beyond"):
            item.add_marker(pytest.mark.skip(reason="more than the reference does"))


def pytest_report_header():
    return f"proxy under test: {harness.BINARY}"


@pytest.fixture
def start(request):
    """start(config, files={}, args=(), env={}, defaults=True, wait=True, name=server…) -> harness.Proxy"""
    running = []

    def run(config, wait=True, **settings):
        proxy = harness.Proxy(config, **settings)
        running.append(proxy)
        return proxy.start(wait)

    yield run
    failed = getattr(request.node, "failed", False)
    for proxy in running:
        if failed:
            print(f"--- configuration\n{proxy.config}\n--- the proxy said\n{proxy.output()}")
        proxy.stop()


@pytest.fixture
def check():
    """check(config, …) -> (exit code, text) of a run with -c."""
    return lambda config, **settings: harness.Proxy(config, **settings).check()


def _servers(kind):
    open_ones = []

    def make(*args, **settings):
        open_ones.append(kind(*args, **settings))
        return open_ones[-1]

    yield make
    for server in open_ones:
        server.close()


@pytest.fixture
def web():
    """web(answer) -> harness.HttpServer"""
    yield from _servers(harness.HttpServer)


@pytest.fixture
def tcp():
    """tcp(handler) -> harness.TcpServer"""
    yield from _servers(harness.TcpServer)


@pytest.fixture
def syslog():
    """syslog() -> harness.Syslog"""
    yield from _servers(harness.Syslog)


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.failed = report.failed
