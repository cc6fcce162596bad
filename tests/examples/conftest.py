"""The `example` fixture runs a folder of examples/ as it stands; its ports come through the environment."""
import pytest

import harness


@pytest.fixture
def example(start):
    """example(folder, ports={"PORT": "fe"}, NODE1=server, …): variables name servers, texts or free ports."""

    def run(folder, ports=None, **variables):
        source = harness.ROOT / "examples" / folder
        taken = {variable: harness.Ports.take() for variable in (ports or {"PORT": "fe"})}
        env = {name: str(getattr(value, "address", value)) for name, value in variables.items()}
        env |= {variable: str(port) for variable, port in taken.items()}
        files = {path.name: path.read_text() for path in source.iterdir() if path.suffix in (".lua", ".html")}
        proxy = start((source / "moongate.cfg").read_text(), wait=False, files=files, env=env, defaults=False)
        for variable, name in (ports or {"PORT": "fe"}).items():
            proxy.ports[name] = taken[variable]
            proxy.wait_for_port(taken[variable])
        return proxy

    return run
