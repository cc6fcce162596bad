#!/usr/bin/env python3
"""Evaluates random expressions over random requests in two binaries and prints where they differ.

usage: compare_expressions.py BINARY REFERENCE [--count N] [--seed N] [--only WORD]

Expressions are made from the converters that BINARY lists ("-dKcnv") and from sample fetches whose value
follows from the request alone, with arguments by the signature of each. Both binaries must agree on which are
accepted, on whether a sample is found, and on its bytes. Exits with 1 when they do not. Known differences are
told in docs/differences.md and left out here.
"""
import argparse
import collections
import http.client
import random
import re
import socket
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCH = 500

CONFIGURATION = """
global
    nbthread 1
userlist users
    group admins
    user u insecure-password p groups admins
defaults
    mode http
    option http-buffer-request
    timeout client 10s
    timeout server 10s
    timeout connect 10s
frontend f
    bind 127.0.0.1:{port}
    acl root path /
    http-request set-var(txn.text) str(some_text)
    http-request set-var(txn.num) int(42)
    http-request set-var(txn.neg) int(-7)
    http-request set-var(txn.key) str(MTIzNDU2Nzg5MDEyMzQ1Ng==)
    http-request set-var(txn.ip) ipv4(10.1.2.3)
"""
FIXED_LINES = CONFIGURATION.count("\n")

# Fetches by the type they give; the arguments are made by the functions below.
TEXT = ["some text", "a,b,c", "a=1&b=2", "/p/a/t/h", "Hello World", "1.2.3.4", "::1", "2001:db8::7", "x", "", "0", "12",
        "-5", "99999999999", "deadBEEF", "Zm9vYmFy", "Zm9v-_8", "{\"a\":{\"b\":[1,2.5,\"t\"]},\"n\":7}", "%41%2fb+c",
        "Mon, 02 Jan 2006 15:04:05 GMT", "fr;q=0.8,en;q=0.9,de", "h.example.com:8080", "[::1]:99", "true",
        "for=\"[2001:db8::1]:80\";proto=http;host=a", "for=10.0.0.1", "tab\there", "\"quoted\"", "a\\b", "ü€",
        "aaa.bbb.ccc", "key=val;other=x", "10", "7f", "UPPER lower", "  both  ", "abcabcabc"]
HEX = ["616263", "00", "ffffffff", "0102030405060708", "", "450000280000400040060000c0a80001c0a80002",
       "0a0362617212046162636418960122050a036162631d00000040",
       "10140004 4d515454 0402003c 0008 746573745f737562".replace(" ", ""),
       "383d4649582e342e3401393d350133353d300131303d31363301",
       "aabbccddeeff001122334455080045000028000040004006f97cc0a80001c0a800020050c35000000001000000005002200017e10000"]
HEADERS = ["host", "x-text", "x-list", "x-number", "x-ip", "x-none", "user-agent", "accept-language", "x-date", "x-json"]
NAMES = ["txn.text", "txn.num", "txn.neg", "txn.ip", "txn.none"]
SMALL = [-3, -2, -1, 0, 1, 2, 3, 4, 5, 8, 16, 100]


def quoted(text):
    """As one argument of a converter, in double quotes where it must be."""
    if text and not re.search(r"[,()\\\"' #$\[\]]", text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'


def pick_text(rng):
    return rng.choice(TEXT) if rng.random() < 0.8 else "".join(rng.choices(string.printable[:95], k=rng.randrange(12)))


FETCHES = {
    "str": lambda r: f"str({quoted(pick_text(r))})",
    "int": lambda r: f"int({r.choice([*SMALL, 255, 65536, 1700000000, 2**31, 2**63 - 1, -2**63, r.getrandbits(40)])})",
    "bin": lambda r: f"bin({r.choice(HEX)})",
    "bool": lambda r: f"bool({r.choice(['true', 'false', '1', '0', 'yes'])})",
    "ipv4": lambda r: f"ipv4({r.choice(['1.2.3.4', '10.0.0.1', '255.255.255.255', '0.0.0.0'])})",
    "ipv6": lambda r: f"ipv6({r.choice(['::1', '2001:db8::7', '::ffff:1.2.3.4', '2002:102:304::'])})",
    "meth": lambda r: f"meth({r.choice(['GET', 'POST', 'FOO'])})",
    "var": lambda r: f"var({r.choice(NAMES)})" if r.random() < 0.8 else f"var({r.choice(NAMES)},{r.choice(TEXT[-3:])})",
    "header": lambda r: f"{r.choice(['req.hdr', 'req.fhdr', 'hdr', 'req.hdr_ip', 'req.hdr_val'])}({r.choice(HEADERS)}"
                        + (f",{r.choice(SMALL)}" if r.random() < 0.4 else "") + ")",
    "count": lambda r: f"{r.choice(['req.hdr_cnt', 'req.fhdr_cnt', 'hdr_cnt', 'hdr_val'])}({r.choice(HEADERS)})",
    "cookie": lambda r: f"{r.choice(['req.cook', 'cookie', 'req.cook_cnt', 'req.cook_val', 'cook'])}"
                        f"({r.choice(['a', 'b', 'sess', 'none'])})",
    "param": lambda r: f"{r.choice(['url_param', 'urlp', 'urlp_val', 'req.body_param'])}"
                       f"({r.choice(['a', 'b', 'A', 'num', 'none'])}"
                       + r.choice(["", "", ",&", ",;", ",,i", ",&,i"]) + ")",
    "plain": lambda r: r.choice(["path", "pathq", "query", "url", "base", "baseq", "base32", "url32", "method", "req.ver",
                                 "url_ip", "url_port", "req.body", "req.body_len", "req.body_size", "req.hdrs",
                                 "req.hdrs_bin", "req.hdr_names", "req.cook_names", "src", "dst", "capture.req.uri",
                                 "capture.req.method", "capture.req.ver", "http_first_req", "always_true", "always_false",
                                 "fe_name", "fe_id", "http_auth_type", "http_auth_user", "http_auth_pass", "url32+src",
                                 "http_auth_bearer", "req.proto_http", "fc_http_major", "so_id", "status",
                                 "query(with_qm)", "req.hdr_names(;)", "wait_end", "stopping", "thread", "nbproc",
                                 "fe_defbe", "base32+src", "txn.status", "var(txn.num)", "http_auth_bearer(x-text)",
                                 "src_is_local", "dst_is_local", "fc_src", "fc_dst", "fc_src_is_local",
                                 "fc_dst_is_local", "fc_pp_authority", "fc_pp_unique_id", "fc_pp_tlv(1)",
                                 "fc_rcvd_proxy", "fc_err", "fc_err_str", "fc_err_name", "fc_glitches", "so_name",
                                 "req_ver", "req_proto_http", "prio_class", "prio_offset", "unique-id", "env(HOME)",
                                 "fe_client_timeout", "cur_client_timeout", "fe_tarpit_timeout",
                                 "distcc_param(ARGC)", "distcc_body(ARGC)", "rdp_cookie", "req.rdp_cookie_cnt",
                                 "last_rule_line", "last_entity", "waiting_entity", "txn.sess_term_state",
                                 "capture.req.hdr(0)", "fc_pp_tlv(AUTHORITY)", "acl(root)", "acl(root,!root)",
                                 "http_auth_group(users)", "date(0,x)", "hostname,length", "rand(1)", "fs.id",
                                 "fs.aborted", "fs.rst_code", "internal.strm.is_htx"]),
    "sum": lambda r: "internal.htx." + r.choice(["data", "free", "free_data", "has_eom", "nbblks", "size", "used"]),
    "block": lambda r: "internal.htx_blk." + r.choice(["size", "type", "data", "hdrname", "hdrval", "start_line"])
                       + f"({r.choice(['head', 'tail', 'first', *range(-1, 12), 99, 'x', ''])})",
}

# Arguments that mean something to a converter; others come from the signature.
DIGESTS = ["sha256", "md5", "SHA512", "sha1", "none"]
ARGUMENTS = {
    "digest": [DIGESTS], "hmac": [DIGESTS, ["a2V5", "txn.key", "!"]], "sha2": [["256", "512", "224", "384", "1"]],
    "aes_cbc_enc": [["128", "256", "64"], ["MTIzNDU2Nzg5MDEyMzQ1Ng==", "x"], ["Zm9vb2Zvb29mb29vb29vbw==", "txn.key"]],
    "aes_cbc_dec": [["128", "256"], ["MTIzNDU2Nzg5MDEyMzQ1Ng=="], ["Zm9vb2Zvb29mb29vb29vbw==", "txn.key"]],
    "aes_gcm_enc": [["128"], ["MTIzNDU2Nzg5MDEy"], ["Zm9vb2Zvb29mb29vb29vbw=="], ["txn.tag"]],
    "aes_gcm_dec": [["128"], ["MTIzNDU2Nzg5MDEy"], ["Zm9vb2Zvb29mb29vb29vbw=="], ["txn.tag", "txn.text"]],
    "be2dec": [[".", ":", '""', "--"], SMALL, ["0", "1"]], "le2dec": [[".", ":", '""'], [1, 2, 3], ["0", "1"]],
    "be2hex": [[".", '""', ":"], SMALL, ["0", "1"]],
    "date": [], "http_date": [["0", "3600", "-5"], ["s", "ms", "us", "x"]],
    "ltime": [["%Y-%m-%d", "%H:%M:%S", "%d.%m.%y"], ["0", "3600"]], "utime": [["%Y-%m-%d %H", "%s", "%j"], ["0", "-60"]],
    "ms_utime": [["%Y-%N", "%3N", "%H:%M:%S.%6N"], ["0", "60"]], "us_utime": [["%S.%N", "%2N"], ["0", "60"]],
    "ms_ltime": [["%Y-%N", "%3N"]], "us_ltime": [["%S.%N", "%2N"]],
    "ipmask": [["24", "8", "255.255.0.0", "0", "33"], ["64", "128", "ffff::"]],
    "json": [["ascii", "utf8", "utf8s", "utf8p", "utf8ps", "x"]],
    "json_query": [["$.a", "$.n", "'$.a.b[1]'", "$.a.b", "'$.a.b[2]'", "x"], ["int"]],
    "language": [["en;fr;de", "de", "fr;en"], ["xx"]],
    "param": [["a", "b", "key", "none"], ["&", ";"]],
    "regsub": [["a", "[a-c]+", "(b)(c)", "^", "x*", "\\\\s"], ["", "X", "<\\\\1>", "\\\\0\\\\0"], ["g", "i", "gi", "z"]],
    "rfc7239_field": [["for", "proto", "host", "by", "x"]], "url_enc": [["query"]], "url_dec": [["0", "1"]],
    "mqtt_field_value": [["connect", "connack"], ["protocol_name", "flags", "client_identifier", "17", "protocol_version"]],
    "fix_tag_value": [["8", "35", "BeginString", "10"]],
    "protobuf": [["1", "2", "3", "4.1", "5"], ["int32", "uint64", "float", "bool", "sint32", "fixed32", "x"]],
    "ungrpc": [["1", "2"], ["int32", "bool"]],
    "iif": [["yes", "a b"], ["no", ""]], "secure_memcmp": [["txn.text", "txn.none", "txn.num"]],
    "strcmp": [["txn.text", "txn.none"]], "set-var": [["txn.tmp", "req.tmp", "bad"], ["ifexists", "ifnotempty", "ifgt"]],
    "unset-var": [["txn.tmp", "txn.text"]], "field": [SMALL, [".", ",", "/", "=", ";"], ["0", "1", "2"]],
    "word": [SMALL, [".", ",", "/", "=", ";"], ["0", "1", "2"]], "bytes": [[*SMALL, "txn.num"], [*SMALL, "txn.num"]],
    "has_ctl": [["a", "utf8"]], "ltrim": [[" ", "a", "/"]], "rtrim": [[" ", "a", "/"]],
    "add_item": [[",", ";", '"', ", "], ["txn.text", "txn.none"], ["x", ""]],
    "concat": [["<", ".", "txn."], ["txn.text", "txn.num", "txn.none", ""], [">", ""]],
    "capture-req": [], "capture-res": [],
}
NUMBERS = ["1", "2", "3", "-1", "0", "7", "255", "txn.num", "txn.neg", "txn.none", "9223372036854775807", "x"]
for name in ("add", "sub", "mul", "div", "mod", "and", "or", "xor"):
    ARGUMENTS[name] = [NUMBERS]
# Their value changes, they print, or they need what a configuration of one frontend has not.
LEFT_OUT = re.compile(r"^(debug|when|capture-re[qs]|map.*|(in_)?table.*|jwt_.*|srv_.*|nbsrv|fe_exists|x509.*|"
                      r"aes_cbc_enc|aes_gcm_enc|51d.*|da-.*)$")


def converters(binary):
    """{name: (least, most) number of arguments}"""
    out = {}
    for line in subprocess.run([binary, "-dKcnv"], capture_output=True, text=True).stdout.splitlines():
        if line.startswith("#"):
            continue
        head = line.split(": ")[0]
        name, _, arguments = head.partition("(")
        if LEFT_OUT.match(name):
            continue
        needed, _, optional = arguments.rstrip(")").partition("[")
        least = len([a for a in needed.split(",") if a])
        out[name] = (least, least + len([a for a in optional.rstrip("]").split(",") if a]), arguments)
    return out


def make_converter(rng, name, signature):
    least, most, types = signature
    count = rng.randint(least, most) if rng.random() < 0.97 else most + 1
    if least == 0 and types.startswith("[integer"):
        count = max(count, 1)  # HAProxy reads what happens to be there when a number is left out
    if re.match(r"string\[,integer\]", types):
        count = 2
    if count == 0:
        return name if rng.random() < 0.9 else name + "()"
    known = ARGUMENTS.get(name, [])
    kinds = re.split(r"[,\[\]]+", types.rstrip(")").strip("[]"))
    arguments = []
    for i in range(count):
        if i < len(known) and rng.random() < 0.95:
            value = str(rng.choice(known[i]))
            arguments.append(value if value.startswith(("'", '"')) and len(value) > 1 else quoted_argument(value))
        elif i < len(kinds) and kinds[i] == "integer":
            arguments.append(str(rng.choice(SMALL)))
        else:
            arguments.append(quoted_argument(pick_text(rng)))
    return f"{name}({','.join(arguments)})"


def quoted_argument(value):
    return value if not re.search(r"[ ,()'\"#\[\]]", value) else quoted(value)


# Booleans that HAProxy counts with and then writes as bytes are 1 again, whatever the result.
BOOLEAN = r"(always_\w+|acl\([^)]*\)|bool\([^)]*\)|(?:has_ctl|even|odd|not|bool|fix_is_valid|mqtt_is_valid|rfc7239_is_valid|" \
          r"secure_memcmp|http_first_req|req.proto_http|quic_enabled|wait_end|stopping|fs.aborted|" \
          r"internal\.strm\.is_htx|internal\.htx\.has_eom)(\([^)]*\))?)"
KNOWN = re.compile(r"(^|,)" + BOOLEAN + r"(,(un)?set-var\([^)]*\))*,(add|sub|mul|div|mod|and|or|xor|neg|cpl)\b"
                   # Times before 1970 in units below a second; what is no host has no port; counting with
                   # an empty name.
                   r"|[mu]s_[lu]time|port_only|\b(add|sub|mul|div|mod|and|or|xor|bytes)\((\"\")?[,)]"
                   # Ends the process there when the body is empty.
                   r"|\breq\.body,(.*,)?host_only"
                   # Chunks whose number does not fit into 32 bits, padding that is decoded.
                   r"|\ble2dec\([^)]*,([4-9]|\d\d+)")


def make_expression(rng, table, only):
    while True:
        expression = make_any_expression(rng, table, only)
        if not KNOWN.search(expression):
            return expression


def make_any_expression(rng, table, only):
    expression = FETCHES[rng.choice(list(FETCHES))](rng)
    names = list(table)
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4))):
        name = rng.choice(names)
        if re.fullmatch(r"[lu]time|http_date", name):  # the second 0 is in the year 1900 there
            expression += f",add({rng.choice((10**9, 10**12, 10**15))})"
        expression += "," + make_converter(rng, name, table[name])
    if only:
        expression += "," + make_converter(rng, only, table[only])
    return expression


def make_request(rng):
    """(method, target, headers, body)"""
    path = rng.choice(["/", "/a", "/a/b.html", "/p/%41/x", "/long/path/to/some/where", "/x//y"])
    query = rng.choice(["", "?", "?a=1", "?a=1&b=two&A=3", "?b=x;a=y", "?num=007&a", "?none"])
    target = rng.choice([path + query] * 6 + ["http://h.example.com:81" + path + query, "http://10.1.2.3/x?a=5"])
    headers = [("Host", rng.choice(["h.example.com", "h.example.com:8080", "10.0.0.1", "[::1]:80"]))]
    if target.startswith("http"):
        headers = [("Host", target.split("/")[2])]
    for name in HEADERS[1:]:
        for _ in range(rng.choice((0, 1, 1, 2))):
            value = {"x-number": str(rng.choice(SMALL)), "x-ip": rng.choice(["1.2.3.4", "::1", "10.0.0.1, 10.0.0.2", "no", "1.2.3.4:80",
                                                                      "[::1]:80", "01.2.3.4", "1.2.3.4 x", "1.2.3.4.5"]),
                     "x-json": TEXT[17], "x-date": TEXT[19], "accept-language": TEXT[20]}.get(name)
            value = (value or pick_text(rng)).replace("\t", " ").encode("utf-8").decode("latin-1")
            headers.append((rng.choice([name, name.title()]), "".join(c for c in value if c >= " ")))
    if rng.random() < 0.6:
        headers.append(("Cookie", rng.choice(["a=1; b=2", "sess=xyz", "a=1; a=2;b=3", "b", "a=\"q\"; sess=0"])))
    if rng.random() < 0.3:
        headers.append(("Authorization", rng.choice(["Basic dTpw", "Bearer tok.en", "Basic !!", "Other x"])))
    method = rng.choice(["GET", "GET", "POST", "PUT", "OPTIONS", "FOO"])
    body = rng.choice([b"", b"a=1&b=2", b"{\"a\":1}", bytes(range(60))]) if method in ("POST", "PUT") else b""
    return method, target, headers, body


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write(path, port, expressions):
    lines = []
    for i, expression in expressions:
        word = "'" + expression.replace("'", "'\\''") + "'"
        lines.append(f"    http-request set-var(txn.r) {word} if {{ req.hdr(x-n) -m str {i} }}")
    path.write_text(CONFIGURATION.format(port=port) + "\n".join(lines) + """
    http-request return status 404 if !{ var(txn.r) -m found }
    http-request return status 200 content-type text/plain lf-string "[%[var(txn.r)]]"
""")


def refused(binary, path, expressions):
    """{number of the expression: message} of those that are not accepted."""
    out = {}
    while True:  # some binaries do not tell all at once
        left = [(n, e) for n, e in expressions if n not in out]
        write(path, 1, left)
        text = subprocess.run([binary, "-c", "-f", path], capture_output=True, text=True, errors="replace").stderr
        found = {left[int(line) - FIXED_LINES - 1][0]: message
                 for line, message in re.findall(r"\[ALERT\].*parsing \[[^\]]*:(\d+)\] ?: (.*)", text)
                 if FIXED_LINES < int(line) <= FIXED_LINES + len(left)}
        if not found:
            return out
        out.update(found)


class Proxy:
    def __init__(self, binary, folder, expressions):
        self.port = free_port()
        path = folder / "run.cfg"
        write(path, self.port, expressions)
        self.process = subprocess.Popen([binary, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit(f"{binary} does not start:\n" + self.process.stderr.read().decode(errors="replace"))
                time.sleep(0.02)
        self.connection = None

    def ask(self, number, request):
        method, target, headers, body = request
        for _ in range(2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                c = self.connection
                c.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
                for name, value in [("x-n", str(number)), *headers]:
                    c.putheader(name, value.encode("latin-1"))
                if body:
                    c.putheader("Content-Length", str(len(body)))
                c.endheaders(body or None)
                response = c.getresponse()
                text = response.read()
                if response.status == 200:
                    return text[1:-1]
                return None if response.status == 404 else b"status %d" % response.status
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                self.connection = None
                if self.process.poll() is not None:
                    sys.exit(f"died at expression {number}: {error}")
        return b"no answer"

    def close(self):
        self.process.kill()
        self.process.wait()


def explained(expression, here):
    """Whether docs/differences.md tells of it."""
    if re.search(r"rfc7239_n[np]\b", expression):  # numbers stand in reused memory there
        return True
    if "rfc7239_n2nn" in expression and here is None:  # what stands behind an address
        return True
    if "ub64dec" in expression and (here is None or "64" in expression.split("ub64dec")[0]):  # padding
        return True
    if re.search(r"(hdr|cook|urlp)_val", expression):  # 32 bits there
        return True
    return bool(re.search(r"ip\.(hdr|data)\b", expression))  # headers that claim to be too short


def compare(binaries, folder, expressions, requests):
    """Prints differences, returns how many there are."""
    numbered = list(enumerate(expressions))
    verdicts = [refused(binary, folder / "check.cfg", numbered) for binary in binaries]
    differences = 0
    for number, expression in numbered:
        here, there = (v.get(number) for v in verdicts)
        if (here is None) != (there is None):
            differences += 1
            print(f"{expression}\n    here   {here or 'accepted'}\n    there  {there or 'accepted'}")
    good = [(n, e) for n, e in numbered if n not in verdicts[0] and n not in verdicts[1]]
    proxies = []
    try:
        for binary in binaries:
            proxies.append(Proxy(binary, folder, good))
        for number, expression in good:
            here, there = (p.ask(number, requests[number]) for p in proxies)
            if here != there and not explained(expression, here):
                differences += 1
                print(f"{expression}\n    request {requests[number]}\n    here   {here}\n    there  {there}")
    finally:
        for proxy in proxies:
            proxy.close()
    return differences, len(good)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("reference")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="end every expression with this converter")
    args = parser.parse_args()
    rng = random.Random(args.seed)
    table = converters(args.binary)
    totals = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        while totals["made"] < args.count:
            size = min(BATCH, args.count - totals["made"])
            expressions = [make_expression(rng, table, args.only) for _ in range(size)]
            requests = [make_request(rng) for _ in range(size)]
            differences, evaluated = compare((args.binary, args.reference), Path(folder), expressions, requests)
            totals.update(made=size, evaluated=evaluated, differences=differences)
    print(f"{totals['made']} expressions, {totals['evaluated']} accepted by both and evaluated, "
          f"{totals['differences']} differences")
    sys.exit(1 if totals["differences"] else 0)


main()
