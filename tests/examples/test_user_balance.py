"""examples/user-balance: two users a server, kept there, with expiry."""
from harness import Closed, at_once, eventually


def ask(proxy, user):
    try:
        return proxy.get(source=f"127.0.21.{user}").text
    except (Closed, ConnectionResetError):
        return "turned away"


def run(example, web, expiry):
    servers = {f"APP{n}": web(f"server {n}") for n in (1, 2, 3)}
    return example("user-balance", {"PORT": "fe", "STATS_PORT": "stats"}, EXPIRY=expiry, SOCKET="unix@cli", **servers)


def test_users_are_spread_and_kept(example, web):
    proxy = run(example, web, 86400)
    seen = {user: ask(proxy, user) for user in range(1, 7)}
    assert sorted(seen.values()) == sorted(2 * ["server 1", "server 2", "server 3"])
    assert ask(proxy, 7) == "turned away"
    assert at_once(60, lambda i: ask(proxy, i % 6 + 1)) == [seen[i % 6 + 1] for i in range(60)]
    page = proxy.get("/", to="stats")
    assert page.status == 200 and "app_servers" in page.text


def test_a_place_is_free_again_after_the_expiry(example, web):
    proxy = run(example, web, 1)
    assert "turned away" not in {ask(proxy, user) for user in range(1, 7)}
    assert eventually(lambda: ask(proxy, 8) != "turned away", what="an expiry")
