"""The statistics page: HTML, CSV and JSON, users, and actions of an administrator."""
import base64
import json
import re

import pytest

CONFIG = """
    listen fe
        bind @fe@
        stats enable
        stats uri /stats
        stats refresh 5s
        stats admin if TRUE
        server own @s1@
    backend b1
        server srv1 @s1@
        server srv2 @s1@
        server srv3 @s1@
    backend b2
        server srv1 @s1@
        server srv2 @s1@
"""


@pytest.fixture
def proxy(start, web):
    return start(CONFIG, s1=web("behind"))


def rows(proxy, suffix=""):
    head, *lines = proxy.get("/stats;csv" + suffix).text.strip().split("\n")
    names = head[2:].split(",")
    table = [dict(zip(names, line.split(","))) for line in lines]
    return {(row["pxname"], row["svname"]): row for row in table}


def post(proxy, body, target="/stats", headers=()):
    answer = proxy.get(target, headers, "POST", body)
    assert answer.status == 303
    return answer.headers["location"]


def test_html_names_every_server(proxy):
    answer = proxy.get("/stats")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["refresh"] == "5"
    for name in ("fe", "b1", "b2", "srv1", "srv2", "srv3", "own"):
        assert name in answer.text
    assert 'name="action"' in answer.text or "name=action" in answer.text
    assert "refresh" not in proxy.get("/stats;norefresh").headers
    assert "<script src" not in answer.text


def test_other_targets_go_on(proxy):
    assert proxy.get("/else").text == "behind"
    head = proxy.get("/stats", method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_csv_and_json(proxy):
    answer = proxy.get("/stats;csv")
    assert answer.headers["content-type"].startswith("text/plain")
    table = rows(proxy)
    assert ("b1", "BACKEND") in table and ("b2", "srv2") in table
    assert table["fe", "FRONTEND"]["type"] == "0"
    answer = proxy.get("/stats;json")
    assert answer.headers["content-type"].startswith("application/json")
    assert json.loads(answer.text)[0][0]["field"]["name"] == "pxname"
    assert re.search(r"^B\.\d+\.0\.0\.pxname\.1:KNSV:str:b1$", proxy.get("/stats;typed").text, re.M)


def test_scope_in_the_address(start, web):
    proxy = start(CONFIG.replace("uri /stats", "uri /"), s1=web("x"))
    text = proxy.get("/?;csv;scope=b1").text
    assert "\nb1,BACKEND" in text and "\nb2,BACKEND" not in text


def test_scope_in_the_configuration(start, web):
    proxy = start(CONFIG.replace("stats refresh 5s", "stats scope .\n        stats scope b2"), s1=web("x"))
    assert {name for name, _ in rows(proxy)} == {"fe", "b2"}
    assert post(proxy, "s=srv1&action=maint&b=b1").endswith(";st=DENY")
    assert post(proxy, "s=srv1&action=maint&b=b2").endswith(";st=DONE")


def test_actions(proxy):
    backend = {name: row["iid"] for (name, _), row in rows(proxy).items()}
    assert post(proxy, f"s=srv1&s=srv2&s=srv3&action=maint&b=%23{backend['b1']}") == "/stats;st=DONE"
    assert post(proxy, f"s=srv2&action=drain&b=%23{backend['b1']}") == "/stats;st=DONE"
    assert post(proxy, "s=srv1&action=maint&b=b2") == "/stats;st=DONE"
    table = rows(proxy)
    assert [table["b1", s]["status"] for s in ("srv1", "srv2", "srv3")] == ["MAINT", "DRAIN", "MAINT"]
    assert table["b1", "BACKEND"]["status"] == "DOWN"
    assert [table["b2", s]["status"] for s in ("srv1", "srv2")] == ["MAINT", "no check"]
    assert "srv1" not in {s for b, s in rows(proxy, ";no-maint") if b == "b2"}
    assert post(proxy, "s=srv1&action=ready&b=b2") == "/stats;st=DONE"
    assert rows(proxy)["b2", "srv1"]["status"] == "no check"


@pytest.mark.parametrize("body, result", [
    ("b=nope&s=srv1&action=drain", "ERRP"),
    ("b=b1&s=srv1&action=foo", "ERRP"),
    ("b=b1&s=zzz&action=drain", "ERRP"),
    ("b=b1&s=srv1&s=zzz&action=drain", "PART"),
    ("foo", "NONE"),
])
def test_results_of_wrong_forms(proxy, body, result):
    assert post(proxy, body) == f"/stats;st={result}"
    assert proxy.get(f"/stats;st={result}").status == 200


def test_forms_from_other_sites_are_refused(proxy):
    form = "b=b1&s=srv1&action=maint"
    assert post(proxy, form, headers={"Origin": "http://evil"}).endswith("DENY")
    assert post(proxy, form, headers={"Referer": "http://evil/stats"}).endswith("DENY")
    assert rows(proxy)["b1", "srv1"]["status"] == "no check"
    assert post(proxy, form, headers={"Host": "here", "Origin": "http://here"}).endswith("DONE")


def test_without_admin_nothing_changes(start, web):
    proxy = start(CONFIG.replace("stats admin if TRUE", "stats admin if FALSE"), s1=web("x"))
    assert post(proxy, "b=b1&s=srv1&action=maint") == "/stats;st=DENY"
    assert rows(proxy)["b1", "srv1"]["status"] == "no check"


def test_users_and_realm(start, web):
    proxy = start(r"""
        listen fe
            bind @fe@
            stats enable
            stats realm My\ Realm
            stats auth anna:secret
            stats auth ben:other
            server s1 @s1@
    """, s1=web("behind"))

    def ask(credentials):
        token = base64.b64encode(credentials.encode()).decode()
        return proxy.get("/haproxy?stats", {"Authorization": f"Basic {token}"})

    refused = proxy.get("/haproxy?stats")
    assert (refused.status, refused.headers["www-authenticate"]) == (401, 'Basic realm="My Realm"')
    assert ask("anna:wrong").status == 401
    assert ask("anna:secret").status == 200
    assert ask("ben:other").status == 200
    assert proxy.get("/").text == "behind"


def test_access_rules(start, web):
    proxy = start("""
        listen fe
            bind @fe@
            stats enable
            stats uri /stats
            stats http-request deny if { hdr(x) no }
            server s1 @s1@
    """, s1=web("behind"))
    assert proxy.get("/stats", {"X": "no"}).status == 403
    assert proxy.get("/stats").status == 200
