"""Every sample fetch and converter gives what samples.tsv says, one line each: on which side it is asked
(req or res), the keyword, the expression, and its value in hexadecimal, "-" for none or "~" and a regular
expression for values that change from run to run.

`python3 tests/test_samples.py` fills in the values of lines that have "?", from the proxy that PROXY names.
"""
import re
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness import BINARY, IS_REFERENCE, Answer

TABLE = Path(__file__).with_name("samples.tsv")

CONFIG = """
global
    setenv SAMPLE_ENV value
userlist users
    group admins
    user u insecure-password p groups admins
defaults
    mode http
    option http-buffer-request
    timeout connect 5s
    timeout client 11s
    timeout server 12s
frontend fe
    bind @fe@ name listener
    declare capture request len 20
    declare capture response len 20
    capture request header x-list len 10
    capture response header x-answer len 10
    unique-id-format fixed
    acl is_get method POST
    http-request set-var(txn.n) req.hdr(x-n)
    http-request del-header x-n
    http-request set-var(txn.text) str("some text")
    http-request set-var(txn.num) int(42)
{req}
    http-after-response set-header x-found 1 if {{ var(txn.r) -m found }}
    http-after-response set-header x-value %[var(txn.r),concat(),hex]
    default_backend be
backend be
    acl is_get always_true
    timeout tunnel 13s
    timeout queue 14s
{res}
    server s1 @s1@
"""

MAPS = {"str": "exact", "beg": "/pre", "end": ".end", "sub": "sub", "dir": "dir", "dom": "dom", "reg": "^reg[0-9]+$",
        "int": "5", "ip": "10.0.0.0/8", "regm": "^(reg)([0-9]+)$"}

REQUEST = [("X-List", "a, b,c"), ("X-Ip", "192.0.2.7"), ("X-Number", "12 apples"), ("Cookie", "a=7; b=x"),
           ("User-Agent", "agent/1.0"), ("Authorization", "Basic dTpw"), ("Host", "h.example.com"),
           ("Content-Type", "application/x-www-form-urlencoded")]
BODY = b"p=body value&q=2"


def answer(_):
    return Answer(headers=[("X-Answer", "one, two"), ("X-Ip", "192.0.2.9"), ("X-Number", "34"),
                           ("Set-Cookie", "r=9; path=/")], body="answer text")


def rows():
    return [line.split("\t") for line in TABLE.read_text().splitlines() if line]


def files():
    out = {}
    for name, key in MAPS.items():
        value = r"<\2\1>" if name == "regm" else "found"
        out[f"{name}.map"] = f"{key} {value}\n"
        out[f"{name}_int.map"] = f"{key} 77\n"
        out[f"{name}_ip.map"] = f"{key} 192.0.2.1\n"
    return out


def configuration(table):
    lines = {"req": [], "res": []}
    for number, (side, _, expression, *_) in enumerate(table):
        word = "'" + expression.replace("'", "'\\''") + "'"
        rule = "http-request" if side == "req" else "http-response"
        lines[side].append(f"    {rule} set-var(txn.r) {word} if {{ var(txn.n) -m str {number} }}")
    return CONFIG.format(req="\n".join(lines["req"]), res="\n".join(lines["res"]))


def measure(proxy, table):
    """The value of each line: bytes or None."""
    out = []
    for number in range(len(table)):
        response = proxy.get("/a/b.html?x=1&y=two", [*REQUEST, ("X-N", str(number))], "POST", BODY)
        out.append(bytes.fromhex(response.headers["x-value"]) if "x-found" in response.headers else None)
    return out


def test_values(start, web):
    table = rows()
    proxy = start(configuration(table), files=files(), s1=web(answer))
    wrong = []
    for (_, _, expression, expected), value in zip(table, measure(proxy, table)):
        if expected == "-":
            good = value is None
        elif expected.startswith("~"):
            good = value is not None and re.fullmatch(expected[1:], value.decode("latin-1"))
        else:
            good = value == bytes.fromhex(expected)
        if not good:
            wanted = expected if expected[:1] in ("-", "~") else bytes.fromhex(expected)
            wrong.append(f"{expression} gave {value!r}, not {wanted!r}")
    assert not wrong, "\n".join(wrong)


# What needs parts of which there are none here, or is asked in test_stick_samples.py.
ELSEWHERE = re.compile(r"(sc\d?_|table_|ssl_|res\.ssl|req[._]ssl|jwt_decrypt_cert|jwt_verify_cert"
                       r"|src_(?!is_local|port)|in_table$|fcgi\.|spoe\.|(req|res)[._]len$|res\.(comp|cache)|quic_|[bf]c_settings)")


@pytest.mark.skipif(IS_REFERENCE, reason="the table is of this proxy")
@pytest.mark.parametrize("kind", ["smp", "cnv"])
def test_no_keyword_is_left_out(kind):
    listed = subprocess.run([BINARY, f"-dK{kind}"], capture_output=True, text=True, check=True).stdout
    names = {re.match(r"(?:\[ .* \] )?([^(:\s]+)", line)[1] for line in listed.splitlines() if not line.startswith("#")}
    known = {re.split(r"\(", keyword)[0] for _, keyword, *_ in rows()}
    assert not {n for n in names - known if not ELSEWHERE.search(n)}


def fill_in():
    table = rows()
    server = harness.HttpServer(answer)
    values = []
    for _ in range(2):
        proxy = harness.Proxy(configuration(table), files=files(), s1=server).start()
        values.append(measure(proxy, table))
        proxy.stop()
    server.close()
    for row, one, two in zip(table, *values):
        if row[3] == "?":
            same = "-" if one is None else one.hex()
            row[3] = same if one == two else r"~-?\d+" if re.fullmatch(rb"-?\d+", one or b"") else "~(?s).+"
    TABLE.write_text("".join("\t".join(row) + "\n" for row in table))


if __name__ == "__main__":
    sys.exit(fill_in())
