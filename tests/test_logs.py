"""Log targets, formats, levels and samples; what a traffic line says is in the tests of the traffic."""
import re
import socket
import time

import pytest
from harness import at_once, eventually

DATE = r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d"

HEADERS = {
    "": rf"<134>{DATE} \S+\[\d+\]: ",
    "local": rf"<134>{DATE} \S+\[\d+\]: ",
    "rfc3164": rf"<134>{DATE} \S+ \S+\[\d+\]: ",
    "rfc5424": rf"<134>1 {ISO} \S+ \S+ \d+ - - ",
    "priority": r"<134>",
    "short": r"<6>",
    "timed": rf"<6>{ISO} ",
    "iso": rf"{ISO} ",
    "raw": r"",
}

FRONTEND = """
    frontend fe
        bind @fe@
        {log}
        log-format "line %HU from %ci"
        http-request return status 200
"""


def frontend(*logs, before=""):
    return before + FRONTEND.format(log="\n        ".join(logs))


@pytest.mark.parametrize("name", HEADERS)
def test_formats_over_udp(start, syslog, name):
    log = syslog()
    proxy = start(frontend(f"log @log@ {'format ' + name if name else ''} local0"), log=log)
    proxy.get("/hi")
    line = log.next("line").string
    assert re.fullmatch(HEADERS[name] + r"line /hi from 127\.0\.0\.1\n", line), line


@pytest.mark.parametrize("target", ["stdout", "stderr", "fd@1"])
def test_descriptors(start, target):
    proxy = start(frontend(f"log {target} format raw local0"))
    at_once(5, lambda i: proxy.get(f"/{i}"))
    for i in range(5):
        proxy.wait_output(rf"^line /{i} from 127\.0\.0\.1$")


def test_unix_socket(start, syslog, tmp_path):
    log = syslog(tmp_path / "log")
    proxy = start(frontend("log @log@ format short daemon"), log=log)
    proxy.get("/unix")
    assert log.next("line").string == "<6>line /unix from 127.0.0.1\n"


def test_levels(start, syslog):
    kept, capped, dropped = syslog(), syslog(), syslog()
    proxy = start(frontend("log @kept@ format short local0 info", "log @capped@ format short local0 debug debug",
                           "log @dropped@ format short local0 notice"),
                  kept=kept, capped=capped, dropped=dropped)
    proxy.get("/x")
    assert kept.next("line").string.startswith("<6>")
    assert capped.next("line").string.startswith("<7>")
    assert not dropped.lines


def test_length_counts_all(start, syslog):
    log = syslog()
    proxy = start(frontend("log @log@ len 80 format short local0"), log=log)
    proxy.get("/" + "a" * 200)
    line = log.next("line").string
    assert len(line) == 80 and line.endswith("a\n")


def test_sample_ranges(start, syslog):
    odd, even = syslog(), syslog()
    proxy = start(frontend("log @odd@ format raw sample 1,3:4 local0", "log @even@ format raw sample 2,4:4 local0"),
                  odd=odd, even=even)
    with proxy.connect() as wire:  # one connection: its lines come in order
        for i in range(1, 9):
            wire.ask(target=f"/{i}")
    odd.next("/7"), even.next("/8")
    assert [line[6] for line in odd.lines] == list("1357")
    assert [line[6] for line in even.lines] == list("2468")


def test_tag_and_host_name(start, syslog):
    log, modern = syslog(), syslog()
    proxy = start(frontend("log global", "log-tag frontend", before="""
    global
        log @log@ local0
        log @modern@ format rfc5424 local0
        log-tag process
        log-send-hostname box
    """), log=log, modern=modern)
    proxy.get("/tag")
    assert re.match(rf"<134>{DATE} box frontend\[\d+\]: line /tag", log.next("line").string)
    assert re.match(rf"<134>1 {ISO} box frontend \d+ - - line /tag", modern.next("line").string)


def test_structured_data(start, syslog):
    log = syslog()
    proxy = start(frontend("log @log@ format rfc5424 local0", r"log-format-sd [x@1234\ uri=\"%HU\"]"), log=log)
    proxy.get("/sd")
    assert ' - [x@1234 uri="/sd"] line /sd' in log.next("line").string


def test_no_log_empties_the_list(start, syslog):
    log, own = syslog(), syslog()
    proxy = start("""
        defaults
            mode http
            timeout client 5s
            log @log@ format raw local0
        frontend fe
            bind @fe@
            no log
            log @own@ format raw local0
            http-request return status 200
    """, log=log, own=own)
    proxy.get("/")
    own.next("HTTP|Connect from")
    assert not log.lines


def test_ring_is_shown_by_events(start):
    proxy = start(frontend("log ring@recent local0", before="""
    global
        stats socket @dir@/cli level admin
    ring recent
        format raw
        maxlen 1200
        size 32764
    """))
    for i in range(3):
        proxy.get(f"/{i}")
    assert proxy.cli("show events recent").split("\n") == [f"line /{i} from 127.0.0.1" for i in range(3)]
    assert "recent" in proxy.cli("show events")
    assert proxy.cli("show events none") == "No such event sink"


@pytest.mark.parametrize("line, message", [
    ("log", "expects <address> and <facility>"),
    ("log stdout loacl0", "unknown log facility 'loacl0'"),
    ("log stdout len 5 local0", "invalid log length '5'"),
    ("log stdout format blah local0", "unknown log format 'blah'"),
    ("log stdout sample 1 local0", "Missing sample size"),
    ("log stdout sample 1-4:3 local0", "sample size 3 should be greater or equal to 4"),
    ("log stdout sample 0:3 local0", "wrong sample range '0'"),
    ("log stdout local0 blah", "unknown optional log level 'blah'"),
    ("log stdout local0 info blah", "unknown optional minimum log level 'blah'"),
    ("log stdout local0 info info more", "cannot handle unexpected argument 'more'"),
    ("log fd@x local0", "'x' is not a valid integer in 'fd@x'"),
    ("no log x", "'no log' does not expect arguments"),
])
def test_wrong_lines_are_named(check, line, message):
    code, text = check(frontend(line))
    assert code == 1
    assert message in text


@pytest.mark.parametrize("proto, expected", [
    ("", b"line /0 from 127.0.0.1\nline /1 from 127.0.0.1\n"),
    ("log-proto octet-count", b"22 line /0 from 127.0.0.122 line /1 from 127.0.0.1"),
])
def test_ring_forwards_over_a_stream(start, tcp, proto, expected):
    received = []
    server = tcp(lambda wire: received.append(wire.read(len(expected))))
    proxy = start(frontend("log ring@out local0", before=f"""
    ring out
        format raw
        maxlen 1200
        size 32764
        timeout connect 1s
        timeout server 5s
        server syslog @log@ {proto}
    """), log=server)
    proxy.get("/0"), proxy.get("/1")
    eventually(lambda: received)
    assert received[0] == expected


def test_stream_target(start, tcp):
    received = []
    server = tcp(lambda wire: received.append(wire.read_until(b"\n")))
    proxy = start(frontend("log tcp@@log@ format short local0"), log=server)
    proxy.get("/tcp")
    eventually(lambda: received)
    assert received[0] == b"<6>line /tcp from 127.0.0.1\n"


def test_log_global_says_everything_once(start, syslog):
    log = syslog()
    proxy = start("""
        global
            log @log@ local0
        frontend fe
            bind @fe@
            log global
            log-format "request %HP"
            http-request return status 200
    """, log=log)
    for target in ("/1", "/2"):
        proxy.get(target)
    log.next("request /2")
    assert len([line for line in log.lines if "request /" in line]) == 2


STEPS = """
    frontend fe
        bind @fe@
        log stdout format raw local0
        log-format "line %OG %ST %ts"
        {extra}
        tcp-request content do-log
        http-request deny if {{ path /deny }}
        http-request do-log
        default_backend be
    backend be
        http-response do-log
        server s1 @s1@
"""


def test_log_steps(start, web):
    proxy = start(STEPS.format(extra="log-steps all"), s1=web("hello"))
    proxy.get("/a")
    proxy.wait_output(r"^line txn_close 200 --$")
    proxy.get("/deny")
    proxy.wait_output(r"^line txn_close 403 PR$")
    assert re.findall(r"^line (.*)", proxy.output(), re.M) == [
        "txn_accept 0 --", "tcp-req-cont -1 --", "txn_request -1 --", "http-req -1 --", "txn_connect -1 --",
        "http-res 200 --", "txn_response 200 --", "txn_close 200 --",
        "txn_accept 0 --", "tcp-req-cont -1 --", "txn_request -1 --", "txn_close 403 PR"]


@pytest.mark.parametrize("fmt, extra, origin", [
    ("%ci", "", "response"), ("%ST", "", "response"), ("%B", "", "close"), ("%B", "option logasap", "response"),
    ("%ST", "log-steps connect", "connect"), ("%ST", "log-steps all\n option logasap", "response")])
def test_a_line_is_logged_once_it_is_settled(start, web, fmt, extra, origin):
    proxy = start(f"""
        frontend fe
            bind @fe@
            log stdout format raw local0
            log-format "%OG {fmt}"
            {extra}
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("hello"))
    proxy.get("/1"), proxy.get("/2")
    found = eventually(lambda: (all := re.findall(r"^(txn_\w+)", proxy.output(), re.M))[1:] and all)
    assert found == [f"txn_{origin}"] * 2


def test_log_profiles(start, syslog, web):
    plain, named, local = syslog(), syslog(), syslog()
    proxy = start("""
        log-profile named
            log-tag custom
            on connect drop
            on close format "closed" sd "[x@1 step=\\"%OG\\"]"
            on error format "failed"
            on any format "any %OG"
        log-profile local
            on tcp-req-conn format "from %ci"
            on http-req format "asked"
            on any drop
        frontend fe
            bind @fe@
            log @plain@ format rfc5424 local0
            log @named@ format rfc5424 profile named local0
            log @local@ format raw profile local local0
            log-format "plain %OG"
            log-steps connect,response,close
            tcp-request connection do-log profile local
            http-request do-log if { path /asked }
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("hello"), plain=plain, named=named, local=local)
    proxy.get("/asked")
    for log, expected in {
            plain: ["- from 127.0.0.1", "- plain http-req", "- plain txn_connect", "- plain txn_response",
                    "- plain txn_close"],
            named: ["- from 127.0.0.1", "- any http-req", "- any txn_response",
                    '[x@1 step="txn_close"] closed'],
            local: ["from 127.0.0.1", "asked"]}.items():
        for text in expected:
            assert log.next("").string.endswith(text + "\n")
    with proxy.connect() as wire:
        wire.send(b"BAD\r\n\r\n")
        wire.read_all()
    for log, text in ((plain, "- from 127.0.0.1"), (plain, "- plain sess_error"), (named, "- from 127.0.0.1"),
                      (named, "- failed")):
        assert log.next("").string.endswith(text + "\n")
    assert re.search(r">1 \S+ \S+ custom ", "\n".join(named.lines))


@pytest.mark.parametrize("section, message", [
    ("log-profile", "missing name for log-profile section"),
    ("log-profile a\nlog-profile a", "same name as another"),
    ("log-profile a\n foo", "unknown keyword 'foo' in log-profile section"),
    ("log-profile a\n on x", "'on' expects a log step"),
    ("log-profile a\n on any", "'on any' expects 'drop', 'format' or 'sd'"),
    ("log-profile a\n on any format", "'on any format' expects a logformat string"),
    ("frontend f\n log-steps foo", "invalid log step name (foo)"),
    ("frontend f\n http-request do-log profile no", "profile 'no' is invalid"),
])
def test_wrong_profiles_are_named(check, section, message):
    code, text = check(frontend("log stdout local0") + "\n" + section + "\n")
    assert code == 1
    assert message in text


SYSLOG_LINES = {
    b"<34>Oct 11 22:14:15 machine su[12]: failed": {
        "": "<34>Oct 11 22:14:15 machine su[12]: failed", "local": "<34>Oct 11 22:14:15 su[12]: failed",
        "rfc5424": "<34>1 YEAR-10-11T22:14:15-00:00 machine su 12 - - failed", "priority": "<34>failed",
        "short": "<2>failed", "timed": "<2>YEAR-10-11T22:14:15-00:00 failed", "iso": "YEAR-10-11T22:14:15-00:00 failed",
        "raw": "failed"},
    b'<165>1 2003-10-01T22:14:15.003Z machine app 87 ID47 [a@1 x="y z"][b@1] text\n': {
        "": '<165>1 2003-10-01T22:14:15.003Z machine app 87 ID47 [a@1 x="y z"][b@1] text',
        "rfc3164": "<165>Oct  1 22:14:15 machine app[87]: text", "local": "<165>Oct  1 22:14:15 app[87]: text",
        "timed": "<5>2003-10-01T22:14:15.003Z text", "raw": "text"},
    b"<165>1 - - - - - - nothing known": {
        "": "<165>1 - 127.0.0.1 - - - - nothing known", "rfc3164": "<165>NOW 127.0.0.1 nothing known"},
    b"<13>plain text": {"": "<13>NOW 127.0.0.1 plain text", "local": "<13>NOW plain text", "short": "<5>plain text"},
    b"no header": {"": "<184>NOW 127.0.0.1 no header", "priority": "<184>no header", "raw": "no header"},
}


@pytest.mark.parametrize("sent", SYSLOG_LINES, ids=range(len(SYSLOG_LINES)))
def test_log_forward_keeps_or_changes_the_format(start, syslog, sent):
    logs = {name: syslog() for name in SYSLOG_LINES[sent]}
    targets = "\n".join(f"log @t{i}@ {'format ' + name if name else ''} local7" for i, name in enumerate(logs))
    proxy = start(f"""
        log-forward in
            dgram-bind @in@
            {targets}
        frontend fe
            bind @fe@
    """, **{f"t{i}": log for i, log in enumerate(logs.values())})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(sent, ("127.0.0.1", proxy.port("in")))
    for name, log in logs.items():
        expected = re.escape(SYSLOG_LINES[sent][name]).replace("NOW", DATE).replace("YEAR", str(time.localtime().tm_year))
        assert re.fullmatch(expected + "\n", log.next("").string), name


@pytest.mark.parametrize("way, expected", [
    ("replace", ["127.0.0.1 a", "127.0.0.1 plain"]), ("fill", ["machine a", "127.0.0.1 plain"]),
    ("keep", ["machine a", "localhost plain"]), ("append", ["machine,127.0.0.1 a", "127.0.0.1 plain"])])
def test_log_forward_option_host(start, syslog, way, expected):
    log = syslog()
    proxy = start(f"""
        log-forward in
            dgram-bind @in@
            option host {way}
            log @log@ format rfc3164 local7
        frontend fe
            bind @fe@
    """, log=log)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for line in (b"<34>Oct 11 22:14:15 machine a", b"plain"):
            sender.sendto(line, ("127.0.0.1", proxy.port("in")))
    for text in expected:
        assert re.fullmatch(rf"<\d+>{DATE} {text}\n", log.next("").string)


@pytest.mark.parametrize("option, segments, expected", [
    ("", [b"<34>one\n<34>tw", b"o\n"], ["one", "two"]),
    ("", [b"5 <34>a6 <34>", b"bb7 <34>ccc"], ["a", "bb", "ccc"]),
    ("", [b"<34>a\r\n<34>b\x00\n"], ["a", "b"]),
    ("", [b"<34>good\nbad\n<34>never\n"], ["good"]),
    ("option assume-rfc6587-ntf", [b"12 monkeys\n<34>more\n"], ["12 monkeys", "more"]),
    ("option dont-parse-log", [b"<34>Oct 11 22:14:15 a b: c\n"], ["<34>Oct 11 22:14:15 a b: c"])])
def test_log_forward_over_streams(start, syslog, option, segments, expected):
    log = syslog()
    proxy = start(f"""
        log-forward in
            bind @in@
            timeout client 5s
            {option}
            log @log@ format raw local7
        frontend fe
            bind @fe@
    """, log=log)
    with proxy.connect("in") as wire:
        wire.send(*segments)
        for text in expected:
            assert log.next("").string == text + "\n"
    assert len(log.lines) == len(expected)


def log_backend(start, syslog, algorithm, count=2, **more):
    servers = {f"l{i}": syslog() for i in range(count)}
    lines = "\n".join(f"server l{i} udp@@l{i}@" for i in range(count))
    proxy = start(f"""
        global
            stats socket @dir@/cli level admin
        frontend fe
            bind @fe@
            log backend@logs format raw local0
            log-format "line %HU"
            http-request return status 200
        backend logs
            mode log
            {algorithm}
            {lines}
    """, **servers, **more)
    return proxy, list(servers.values())


def test_log_backend_round_robin(start, syslog):
    proxy, logs = log_backend(start, syslog, "balance roundrobin")
    for i in range(6):
        proxy.get(f"/{i}")
    eventually(lambda: [len(log.lines) for log in logs] == [3, 3])


def test_log_backend_hash(start, syslog):
    proxy, logs = log_backend(start, syslog, "balance log-hash field(2,/)\nhash-type map-based none")
    for target in ("/0", "/1", "/0", "/3"):
        proxy.get(target)
    eventually(lambda: sum(len(log.lines) for log in logs) == 4)
    assert [sorted(log.lines) for log in logs] == [["line /0\n"] * 2, ["line /1\n", "line /3\n"]]


def test_log_backend_sticky(start, syslog):
    proxy, logs = log_backend(start, syslog, "balance sticky", 3)
    proxy.get("/first")
    logs[0].next("/first")
    proxy.cli("disable server logs/l0")
    proxy.get("/second")
    logs[1].next("/second")
    proxy.cli("disable server logs/l1"), proxy.cli("enable server logs/l0")
    proxy.get("/third")
    logs[2].next("/third")
    proxy.cli("disable server logs/l2")
    proxy.get("/again")
    logs[0].next("/again")


def test_log_backend_over_a_stream(start, tcp):
    received = []
    server = tcp(lambda wire: received.append(wire.read_until(b"\n")))
    proxy = start("""
        frontend fe
            bind @fe@
            log backend@logs format short local0
            log-format "line %HU"
            http-request return status 200
        backend logs
            mode log
            server s1 tcp@@log@
    """, log=server)
    proxy.get("/tcp")
    eventually(lambda: received)
    assert received[0] == b"<6>line /tcp\n"


@pytest.mark.parametrize("section, message", [
    ("log-forward", "missing name for log-forward section"),
    ("log-forward fe", "has the same name as frontend 'fe'"),
    ("log-forward a\n foo", "unknown keyword 'foo' in log-forward section"),
    ("log-forward a\n timeout server 1s", "unknown keyword 'timeout server' in log-forward section"),
    ("log-forward a\n option foo", "unknown option 'foo' in log-forward section"),
    ("log-forward a\n option host foo", "option 'host' expects {replace|fill|keep|append}"),
    ("log-forward a\n dgram-bind 127.0.0.1", "missing port specification in '127.0.0.1'"),
    ("frontend f\n mode log", "mode syslog is only applicable on proxies with backend capability"),
    ("backend b\n mode log\n balance leastconn", "only supports 'roundrobin', 'random', 'sticky' and 'log-hash'"),
    ("backend b\n mode log\n balance log-hash", "balance log-hash requires a converter list"),
    ("backend b\n mode log\n balance log-hash foo", "unknown converter 'foo'"),
    ("backend b\n mode log\n balance log-hash lower\n hash-type consistent", "unsupported hash method"),
    ("frontend f\n bind :1\n default_backend b\nbackend b\n mode log", "tries to use incompatible"),
])
def test_wrong_log_sections_are_named(check, section, message):
    code, text = check(frontend("log stdout local0") + "\n" + section + "\n")
    assert code == 1
    assert message in text


def test_samples_of_servers_in_a_log_format(start, web):
    proxy = start("""
        global
            log stdout format raw local0
        frontend fe
            bind @fe@
            log global
            log-format "up=%[srv_is_up(be/s1)] of %[nbsrv(be)]"
            default_backend be
        backend be
            server s1 @s1@
    """, s1=web("x"))
    assert proxy.get("/").status == 200
    proxy.wait_output("up=1 of 1")


KEPT = """
    global
        stats socket @dir@/cli level admin
    ring kept
        format raw
        maxlen 1200
        size {size}
        backing-file {path}
"""


def test_a_ring_outlives_the_process_in_its_file(start, tmp_path):
    path = tmp_path / "lines"

    def run(*targets):
        proxy = start(frontend("log ring@kept local0", before=KEPT.format(size=32768, path=path)))
        for target in targets:
            proxy.get(target)
        assert proxy.cli("show events kept").split("\n")[-1] == f"line {targets[-1]} from 127.0.0.1"
        proxy.process.terminate()
        proxy.process.wait()
        proxy.ended = True

    run("/a", "/b")
    assert path.stat().st_mode & 0o777 == 0o600 and path.stat().st_size == 32768
    for target in (b"/a", b"/b"):
        assert b"line " + target + b" from 127.0.0.1" in path.read_bytes()
    run("/c")  # what was there is the older file now
    assert b"line /c" in path.read_bytes() and b"line /a" not in path.read_bytes()
    older = tmp_path / "lines.bak"
    assert b"line /a" in older.read_bytes()
    run("/d")
    assert b"line /c" in older.read_bytes() and b"line /a" not in older.read_bytes()


def test_a_ring_in_a_file_forgets_the_oldest(start, tmp_path):
    path = tmp_path / "lines"
    proxy = start(frontend("log ring@kept local0", before=KEPT.format(size=16384, path=path)))
    with proxy.connect() as wire:
        for i in range(600):
            wire.ask("GET", f"/{i}-{'x' * 40}")
    lines = proxy.cli("show events kept").split("\n")
    assert lines[-1].startswith("line /599-") and 100 < len(lines) < 400
    assert path.stat().st_size == 16384 and b"line /599-" in path.read_bytes()


@pytest.mark.parametrize("lines, message", [
    ("backing-file @dir@/none/x", "cannot open backing-file '@dir@/none/x' for ring 'r': No such file or directory"),
    ("backing-file @dir@/x\n    backing-file @dir@/y", "'backing-file' already specified for ring 'r' (was '@dir@/x')"),
    ("backing-file @dir@/x\n    size 32768", "cannot resize an already mapped file"),
])
def test_backing_files_that_cannot_be(check, tmp_path, lines, message):
    lines, message = (text.replace("@dir@", str(tmp_path)) for text in (lines, message))
    code, text = check(f"ring r\n    {lines}\n")
    assert code == 1 and message in text


@pytest.mark.parametrize("line", ["option tcplog clf", 'log-format "${HAPROXY_TCP_CLF_LOG_FMT}"'])
def test_connections_in_the_common_log_format(start, tcp, syslog, line):
    log = syslog()
    proxy = start(f"""
        frontend fe
            mode tcp
            bind @fe@
            log @log@ format raw local0
            {line}
            default_backend be
        backend be
            mode tcp
            server s @s@
    """, log=log, s=tcp(lambda wire: wire.send("four")))
    with proxy.connect() as wire:
        assert wire.read_all() == b"four"
    assert re.fullmatch(r'127\.0\.0\.1 - - \[[^]]+\] "TCP " 000 4 "" "" \d+ \d+ "fe" "be" "s" 0 \d+ \d+ \d+ 0 ---- '
                        r'1 1 0 0 0 0 0 "" "" ', log.next("TCP").string.rstrip("\n"))
