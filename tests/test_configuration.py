"""Loading a configuration: everything wrong is said at once, nothing is started, right ones load."""
import os
import subprocess

import pytest

import harness
from harness import Ports


@pytest.mark.beyond
def test_misplaced_keyword_is_told_where_it_belongs(check):
    code, text = check("""
        global
            timeout client 1s
        frontend fe
            bind @fe@
            nbthread 2
            group admins
    """)
    assert code == 1
    assert "'timeout' in 'global' section; it belongs in sections 'defaults', 'frontend', 'backend', 'listen'" in text
    assert "'nbthread' in 'frontend' section; it belongs in section 'global'" in text
    assert "'group' in 'frontend' section; it belongs in sections 'global', 'userlist'" in text


@pytest.mark.beyond
def test_every_error_is_reported(check):
    code, text = check("""
        global
            maxcon 5
        frontend fe
            bind @fe@
            mode htp
            http-request deny if { path_bog /x }
            http-request set-haeder a b
            use_backend nowhere
        backend be
            balance roundrobbin
            server s1 127.0.0.1:99999
    """)
    assert code == 1
    for word in ("maxcon", "htp", "path_bog", "set-haeder", "nowhere", "roundrobbin", "99999"):
        assert word in text, word


@pytest.mark.beyond
def test_errors_show_the_line_a_caret_and_a_suggestion(check):
    code, text = check("""
        frontend fe
            bind @fe@
            default_backned be
        backend be
            server s1 127.0.0.1:1 chekc
    """)
    assert code == 1
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if "default_backned be" in line and "ALERT" not in line)
    assert lines[at + 1].index("^") == lines[at].index("default_backned")
    assert "default_backend" in text and "'check'" in text


def test_a_valid_configuration(check):
    code, text = check("""
        frontend fe
            bind @fe@
            default_backend be
        backend be
            server s1 127.0.0.1:1
    """, args=("-V",))
    assert (code, "Configuration file is valid" in text) == (0, True)


def test_environment_and_conditions(start):
    proxy = start("""
        global
            setenv STATUS 201
            presetenv GIVEN default
        .if defined(GIVEN) && streq("$GIVEN",outside)
        frontend fe
            bind @fe@
            http-request return status "${STATUS}" content-type text/plain string "${GIVEN} ${MISSING-none}"
        .else
        .alert "not this way"
        .endif
    """, env={"GIVEN": "outside"})
    answer = proxy.get()
    assert (answer.status, answer.text) == (201, "outside none")


def test_several_files_and_a_folder(start):
    port = Ports.take()
    proxy = start("""
        global
            stats socket @dir@/cli
    """, args=("-f", "parts"), wait=False, files={
        "parts/1.cfg": f"defaults\n mode http\n timeout client 1s\n timeout server 1s\n timeout connect 1s\nfrontend fe\n bind 127.0.0.1:{port}\n default_backend be\n",
        "parts/2.cfg": "backend be\n http-request return status 202\n",
        "parts/ignored.txt": "nonsense\n"})
    proxy.ports["fe"] = port
    proxy.wait_for_port(port)
    assert proxy.get().status == 202


def test_defaults_are_inherited_by_name(start):
    proxy = start("""
        defaults base
            mode http
            timeout client 1s
            timeout connect 1s
            timeout server 1s
        defaults tagged from base
            errorfile 503 @dir@/503.http
        frontend fe from tagged
            bind @fe@
        frontend plain from base
            bind @plain@
    """, files={"503.http": "HTTP/1.1 503 Own\r\ncontent-length: 0\r\n\r\n"})
    assert proxy.get().reason == "Own"
    assert proxy.get(to="plain").reason != "Own"


def test_a_taken_port_is_named(start, web):
    taken = web("mine")
    config = f"frontend fe\n bind {taken.address}\n default_backend be\nbackend be\n server s 127.0.0.1:1\n"
    proxy = harness.Proxy(harness.DEFAULTS + config)
    done = subprocess.run(proxy.command, capture_output=True, timeout=20, check=False)
    assert done.returncode == 1
    assert str(taken.port) in (done.stderr + done.stdout).decode()


def test_a_missing_file_is_named(check):
    code, text = check("""
        frontend fe
            bind @fe@
            http-request deny if { src -f /no/such/file }
    """)
    assert code == 1 and "/no/such/file" in text


def test_a_script_that_does_not_load(check):
    code, text = check("""
        global
            lua-load @dir@/bad.lua
    """, files={"bad.lua": "local x = nil\nx.y = 1\n"})
    assert code == 1 and "bad.lua:2" in text


@pytest.mark.parametrize("what, words", [
    ("bind 127.0.0.1:1 ssl crt x.pem", ["ssl"]), ("compression algo gzip", ["compression"]),
    ("filter compression", ["compression"]), ("http-request cache-use c", ["cache"])])
@pytest.mark.beyond
def test_what_is_not_there_yet_is_refused(check, what, words):
    code, text = check(f"""
        frontend fe
            bind @fe@
            {what}
    """)
    assert code == 1
    for word in words:
        assert word in text


@pytest.mark.parametrize("expression, status", [
    ("1", 0), ("true", 2), ("0", 1), ("", 1), ("streq(a,a)", 0), ("version_atleast(2.4)", 0), ("feature(LUA)", 0),
    ("!feature(NOTHING) && (streq(a,b) || strneq(a,b))", 0), ("nonsense(", 2)])
def test_condition_checks(expression, status):
    done = subprocess.run([harness.BINARY, "-cc", expression], capture_output=True, timeout=10, check=False)
    assert done.returncode == status


def test_version(tmp_path):
    done = subprocess.run([harness.BINARY, "-v"], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0 and done.stdout
    done = subprocess.run([harness.BINARY, "-vv"], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 0 and "TARGET  = linux-glibc" in done.stdout


def test_pid_file_and_daemon(tmp_path):
    port = Ports.take()
    config = tmp_path / "d.cfg"
    config.write_text(harness.DEFAULTS + f"frontend fe\n bind 127.0.0.1:{port}\n http-request return status 200\n")
    pid_file = tmp_path / "pid"
    done = subprocess.run([harness.BINARY, "-D", "-f", config, "-p", pid_file], capture_output=True, timeout=20, check=False)
    assert done.returncode == 0
    pid = int(pid_file.read_text())
    try:
        import socket
        with harness.Wire(socket.create_connection(("127.0.0.1", port))) as wire:
            assert wire.ask().status == 200
    finally:
        os.kill(pid, 15)
        harness.eventually(lambda: not os.path.exists(f"/proc/{pid}") or "Z" in open(f"/proc/{pid}/stat").read())


def test_forms_that_old_configurations_use(check):
    code, text = check("""
        global
            external-check
        defaults
            mode tcp
            timeout connect 1s
            timeout client 1s
            timeout server 1s
        listen fe
            bind @fe@
            balance
            tcp-request inspect-delay 1s
            tcp-request content reject if !{ req.ssl_ver 3.0-3.1 }
            option external-check
            external-check command /bin/true
            server s1 127.0.0.1:1 check
    """)
    assert code == 0, text
    assert "insecure-fork-wanted" in text


ONE_RULE = """
    frontend fe
        bind @fe@
        acl known path /
        {line}
    backend be
        server s1 127.0.0.1:1
"""


@pytest.mark.parametrize("line, told", [
    ("http-request set-header x %[req.hdr()]", None),
    ("http-request set-header x %[req.hdr(a,b)]", "hdr"),
    ("http-request set-header x %[req.hdr(a,1,2)]", "hdr"),
    ("http-request set-header x %[int(x)]", "int"),
    ("http-request set-header x %[ipv4(1.2.3)]", "ipv4"),
    ("http-request set-header x %[str(a),field(x,.)]", "field"),
    ("http-request set-header x %[str(a),field(1)]", "field"),
    ("http-request set-header x %[str(a),nothing]", "nothing"),
    ("http-request set-header x %[nothing]", "nothing"),
    ("http-request set-header x %[src,ltime(%Y),even]", None),
    ("http-request set-header x %[method,ipmask(24)]", "ipmask"),
    ("http-request set-header x %[res.hdr(a)]", "res.hdr"),
    ("http-request set-var(txn.a) be_name", "backend"),
    ("http-request set-var(txn.a) str(a),add_item(',',,)", "add_item"),
    ("http-request set-var(txn.a) str(a),fix_tag_value(0)", "fix_tag_value"),
    ("http-request deny if { status 200 }", None),  # a warning
    ("http-request deny if { path -m nonsense x }", "nonsense"),
    ("http-request deny if { src not-an-address/33 }", "not-an-address"),
    ("http-request deny if { dst_port a:b }", "a:b"),
    ("http-request deny if { path -m reg ( }", "("),
    ('http-request deny if { path "" }', "argument number 5"),
    ("http-request set-var(bad) str(a)", "bad"),
    ("http-request set-var(txn.a) str(a),regsub(\"(\",b)", "regsub"),
])
def test_mistakes_in_expressions_are_told(check, line, told):
    code, text = check(ONE_RULE.format(line=line))
    if told is None:
        assert code == 0 or "ALERT" in text
    else:
        assert code == 1 and told in text, text


def test_expressions_go_on_in_the_next_word(start):
    proxy = start("""
        frontend fe
            bind @fe@ name one
            http-request set-var(txn.a) path, lower, length if { req.fhdr(x), upper -m str ABC }
            http-request return status 200 content-type text/plain lf-string "%[var(txn.a)] %[so_name]"
    """)
    assert proxy.get("/A", {"X": "abc"}).text == "2 one"
    assert proxy.get("/A", {"X": "x"}).text == " one"


@pytest.mark.beyond
def test_sample_of_the_other_side_is_refused_with_the_reason(check):
    _, text = check(ONE_RULE.format(line="http-request set-header x %[res.hdr(a)]"))
    assert "needs 'HTTP response headers' which is not available here" in text


@pytest.mark.beyond
def test_every_bad_line_of_a_large_map_is_told(check):
    lines = [f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}/32 value-{i:060}" for i in range(1_000_000)]
    lines[2] = "not-an-address value"
    lines[899_999] = "10.0.0.0/99 value"
    code, text = check(ONE_RULE.format(line="http-request set-header x %[src,map_ip(@dir@/large.map)]"),
                       files={"large.map": "\n".join(lines)})
    assert code == 1
    assert "'not-an-address' is not a valid IPv4 or IPv6 address at line 3 of file" in text
    assert "'10.0.0.0/99' is not a valid IPv4 or IPv6 address at line 900000 of file" in text


@pytest.mark.beyond
def test_a_map_of_mistakes_is_told_in_few_words(check):
    lines = "\n".join(f"not-an-address-{i} value" for i in range(100_000))
    code, text = check(ONE_RULE.format(line="http-request set-header x %[src,map_ip(@dir@/bad.map)]"),
                       files={"bad.map": lines})
    assert code == 1 and "at line 1 of file" in text and len(text) < 200_000


@pytest.mark.beyond
def test_messages_about_garbage_are_few_and_short(check):
    code, text = check("frontend fe\n bind @fe@\n" + "x" * 3_000_000 + "\n" + " y\n" * 100_000)
    assert code == 1 and "too many errors" in text and len(text) < 1_000_000


@pytest.mark.beyond
def test_messages_hold_no_terminal_commands(check):
    code, text = check("frontend fe\n bind @fe@\n \x1b[31mred\x1b[0m\n")
    assert code == 1 and "\x1b" not in text and "\\x1b[31mred" in text


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/urandom"])
def test_endless_configurations_are_refused(path):
    done = subprocess.run([harness.BINARY, "-c", "-f", path], capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "input is too large" in done.stderr


@pytest.mark.parametrize("sections, told", [
    ("defaults a from a", "'a' not found"),
    ("defaults a from b\ndefaults b from a", "'b' not found"),
    ("backend a\n server x 127.0.0.1:1 track b/y\nbackend b\n server y 127.0.0.1:1 track a/x", "unable to track"),
    ("backend a\n server x 127.0.0.1:1 track x", "unable to track"),
    ("frontend f\n acl a a\n use_backend b if a\nbackend b", "unknown fetch method 'a'"),
])
def test_what_needs_itself_is_refused(check, sections, told):
    code, text = check(sections + "\n", defaults=False)
    assert code == 1 and told in text, text


def test_binary_garbage_is_refused(check):
    garbage = bytes(range(1, 256)).decode("latin-1") * 20
    code, text = check("frontend fe\n bind @fe@\n" + garbage)
    assert code == 1 and "ALERT" in text


def test_numbers_of_listeners(start, check):
    proxy = start("""
        global
            stats socket @dir@/cli level admin
        frontend fe
            option socket-stats
            bind @fe@ id 2
            bind @b@
            bind @c@
            bind @d@ id 1
            bind @e@,@f@
            http-request return status 200
    """)
    lines = [line.split(",") for line in proxy.cli("show stat").splitlines() if line.startswith("fe,sock-")]
    assert [line[28] for line in lines] == ["2", "3", "4", "1", "5", "6"]
    for binds, told in (("bind @fe@ id 2\n            bind @b@ id 2", "custom id 2 already used"),
                        ("bind @fe@,@b@ id 2", "'id' can only be used with a single socket")):
        code, text = check(f"""
        frontend fe
            {binds}
            http-request return status 200
        """)
        assert code == 1 and told in text
