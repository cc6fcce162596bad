"""Every sample and converter that asks a stick table gives what stick_samples.tsv says, asked line by line on one
connection, so that each sees what those before it have counted: the expression and its value, or "~" and a
regular expression for what depends on the moment.

`python3 tests/test_stick_samples.py` writes the table anew, from the proxy that PROXY names; the reference
gives values of the lines that are there.
"""
import re
import subprocess
import sys
from pathlib import Path

import pytest

import harness
from harness import BINARY, IS_REFERENCE

TABLE = Path(__file__).with_name("stick_samples.tsv")
AT_ONCE = 8  # expressions in a request
COMMON = ("conn_cnt,conn_rate(1h),conn_cur,sess_cnt,sess_rate(1h),http_req_cnt,http_req_rate(1h),http_err_cnt,"
          "http_err_rate(1h),http_fail_cnt,http_fail_rate(1h),bytes_in_cnt,bytes_in_rate(1h),bytes_out_cnt,"
          "bytes_out_rate(1h),glitch_cnt,glitch_rate(1h),server_id")
SINGLE = COMMON + ",gpc0,gpc0_rate(1h),gpc1,gpc1_rate(1h),gpt0"

CONFIG = """
defaults
    mode http
    timeout connect 5s
    timeout client 11s
    timeout server 12s
frontend fe
    bind @fe@
    stick-table type ip size 100 expire 1h store {single}
    tcp-request connection track-sc0 src
    http-request track-sc1 src table arrays
    http-request track-sc2 hdr(host) table named
    http-request sc-inc-gpc0(0) if {{ path /set }}
    http-request sc-inc-gpc1(0) if {{ path /set }}
    http-request sc-set-gpt0(0) int(7) if {{ path /set }}
    http-request sc-add-gpc(1,1) int(3) if {{ path /set }}
    http-request sc-set-gpt(1,1) int(5) if {{ path /set }}
    http-request sc-inc-gpc0(2) if {{ path /set }}
    http-request sc-set-gpt0(2) int(9) if {{ path /set }}
    http-request deny deny_status 404 if {{ path /wrong }}
{asked}
    default_backend be
backend be
    server s1 @s1@
backend arrays
    stick-table type ip size 100 expire 1h store {common},gpc(3),gpc_rate(3,1h),gpt(3)
backend named
    stick-table type string len 32 size 100 expire 1h store {single}
"""


def keywords():
    """name -> (its arguments, whether it is a converter), of those that ask a table."""
    found = {}
    for kind in ("smp", "cnv"):
        listed = subprocess.run([BINARY, f"-dK{kind}"], capture_output=True, text=True, check=True).stdout
        for line in listed.splitlines():
            if match := re.match(r"(?:\[ .* \] )?((?:sc\d?|src|table)_\w+|in_table)(\([^)]*\))?:", line):
                if match[1] not in ("src_is_local", "src_port", "table_avl", "table_cnt"):
                    found[match[1]] = match[2] or "", kind == "cnv"
    return found


def expression(name, arguments, converter):
    arrays = name.endswith(("_gpc", "_gpt", "_gpc_rate"))
    if converter or name.startswith("src_"):
        call = f"{name}({'1,arrays' if arrays else 'fe'})"
        return f"src,{call}" if converter else call
    if name.startswith("sc_"):
        return f"{name}({'1,1' if arrays else '0'})"
    return f"{name}(1)" if arrays and arguments else name


def rows():
    return [line.split("\t") for line in TABLE.read_text().splitlines()]


def measure(proxy, expressions):
    values = []
    with proxy.connect() as wire:
        for path in ("/set", "/", "/wrong", "/broken"):
            wire.send(f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n")
            wire.response()
        for first in range(0, len(expressions), AT_ONCE):
            wire.send(f"GET /ask/{first} HTTP/1.1\r\nhost: a\r\n\r\n")
            values += wire.response().text.split("|")[:-1]
    return values


def configuration(expressions):
    asked = [f'    http-request return status 200 content-type text/plain lf-string "'
             + "".join(f"%[{e}]|" for e in expressions[first:first + AT_ONCE]) + f'" if {{ path /ask/{first} }}'
             for first in range(0, len(expressions), AT_ONCE)]
    return CONFIG.format(single=SINGLE, common=COMMON, asked="\n".join(asked))


def answer(request):
    return harness.Answer(503 if request.target == "/broken" else 200, "no")


def test_values(start, web):
    table = rows()
    expressions = [e for e, _ in table]
    proxy = start(configuration(expressions), s1=web(answer))
    wrong = [f"{e} gave {value!r}, not {expected!r}"
             for (e, expected), value in zip(table, measure(proxy, expressions), strict=True)
             if not (re.fullmatch(expected[1:], value) if expected.startswith("~") else value == expected)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(IS_REFERENCE, reason="the table is of this proxy")
def test_no_keyword_is_left_out():
    asked = {re.sub(r"\(.*", "", e.removeprefix("src,")) for e, _ in rows()}
    assert not set(keywords()) - asked


def fill_in():
    if IS_REFERENCE:
        expressions = [e for e, _ in rows()]
    else:
        expressions = [expression(name, *how) for name, how in sorted(keywords().items())]
    server = harness.HttpServer(answer)
    proxy = harness.Proxy(configuration(expressions), s1=server).start()
    values = measure(proxy, expressions)
    proxy.stop()
    server.close()
    TABLE.write_text("".join(f"{e}\t{v}\n" for e, v in zip(expressions, values, strict=True)))


if __name__ == "__main__":
    sys.exit(fill_in())
