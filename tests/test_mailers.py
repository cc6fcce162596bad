"""Mails about servers: what a mailer receives, and from whom scripts take its settings."""
import threading

import pytest

from harness import PATIENCE, eventually


class MailServer:
    """Answers like an SMTP server with a banner of several lines and keeps what it is told."""

    def __init__(self, refuse=""):
        self.mails, self.refuse = [], refuse

    def __call__(self, wire):
        said, data = [], b""
        wire.send("220-mail\r\n220 ready\r\n")
        while True:
            line = wire.read_until(b"\r\n").decode().rstrip()
            word = line.split(" ")[0].split(":")[0]
            if self.refuse and line.startswith(self.refuse):
                wire.send("550 no\r\n")
            elif word == "DATA":
                wire.send("354 go on\r\n")
                data = wire.read_until(b"\r\n.\r\n").decode()
                self.mails.append((said, data))
                wire.send("250 taken\r\n")
            elif word == "QUIT":
                wire.send("221 bye\r\n")
                return
            else:
                said.append(line)
                wire.send("250 fine\r\n")


CONFIG = """
    global
        stats socket @dir@/cli level admin
    mailers office
        timeout mail 5s
        mailer one @mail@
    backend be
        option httpchk
        email-alert mailers office
        email-alert from proxy@example.org
        email-alert to admin@example.org
        email-alert myhostname here
        {more}
        server s1 @s1@ check inter 100ms rise 1 fall 1 {server}
    frontend fe
        bind @fe@
        default_backend be
"""


@pytest.mark.beyond  # the reference sends mails by a script only
def test_server_down(start, web, tcp):
    mail = MailServer()
    server = web("hello")
    start(CONFIG.format(more="", server=""), s1=server, mail=tcp(mail))
    eventually(lambda: server.requests)
    server.close()
    said, data = eventually(lambda: mail.mails, what="a mail")[0]
    assert said == ["HELO here", "MAIL FROM:<proxy@example.org>", "RCPT TO:<admin@example.org>"]
    head, body = data.split("\r\n\r\n", 1)
    assert "From: proxy@example.org\r\nTo: admin@example.org\r\nDate: " in head
    assert "Subject: [HAProxy Alert] Server be/s1 is DOWN, reason: Layer4 connection problem" in head
    assert body.startswith("Server be/s1 is DOWN")


@pytest.mark.beyond
def test_level_decides(start, web, tcp):
    mail = MailServer()
    proxy = start(CONFIG.format(more="email-alert level notice", server=""), s1=web("hello"), mail=tcp(mail))
    subject = lambda i: eventually(lambda: len(mail.mails) > i, what="a mail") and mail.mails[i][1].split("\r\n")[3]
    proxy.cli("set server be/s1 state drain")
    assert "Server be/s1 enters drain state" in subject(0)
    proxy.cli("set server be/s1 state ready")
    proxy.cli("set server be/s1 health down")
    assert "Server be/s1 is DOWN" in subject(1)


@pytest.mark.beyond
def test_mailer_that_refuses(start, web, tcp):
    server = web("hello")
    proxy = start(CONFIG.format(more="", server=""), s1=server, mail=tcp(MailServer("RCPT")))
    eventually(lambda: server.requests)
    server.close()
    proxy.wait_output("Can't send email alert to one: 550 no")


@pytest.mark.beyond
def test_mailer_that_is_silent(start, web, tcp):
    server = web("hello")
    done = threading.Event()
    config = CONFIG.replace("timeout mail 5s", "timeout mail 200ms").format(more="", server="")
    proxy = start(config, s1=server, mail=tcp(lambda wire: done.wait(PATIENCE)))
    eventually(lambda: server.requests)
    server.close()
    proxy.wait_output("Can't send email alert to one: ")
    done.set()


SCRIPT = """
    core.use_native_mailers_config()
    core.register_service("mailers", "http", function(applet)
        local m = core.backends["be"]:get_mailers()
        local text = string.format("%s %d %s %d %s %s %s", m.track_server_health, m.log_level, m.mailservers.one,
            m.mailservers_timeout, m.smtp_hostname, m.smtp_from, m.smtp_to)
        local none = core.frontends["fe"]:get_mailers()
        text = text .. " " .. tostring(none)
        applet:set_status(200)
        applet:add_header("content-length", #text)
        applet:start_response()
        applet:send(text)
    end)
"""


def test_scripts_see_the_settings(start, web, tcp):
    mail = tcp(MailServer())
    proxy = start("""
        global
            tune.lua.bool-sample-conversion normal
            lua-load @dir@/mailers.lua
    """ + CONFIG.replace("global\n", "global # more\n").format(
        more="email-alert level warning\n        option log-health-checks", server="") + """
            http-request use-service lua.mailers
    """, files={"mailers.lua": SCRIPT}, s1=web("hello"), mail=mail)
    assert proxy.get("/").text == f"true 4 {mail.address} 5000 here proxy@example.org admin@example.org nil"


@pytest.mark.parametrize("line, text", [
    ("email-alert", "missing argument after 'email-alert'"),
    ("email-alert foo x", "email-alert: unknown argument 'foo'"),
    ("email-alert level foo", "unknown log level"),
    ("email-alert mailers none", "unable to find mailers 'none'"),
])
def test_mistakes(check, line, text):
    code, said = check(f"""
        backend be
            email-alert from a@b
            email-alert to c@d
            email-alert mailers none
            {line}
    """)
    assert code != 0 and text in said


@pytest.mark.parametrize("section, text", [
    ("mailers\n", "missing name for mailers section"),
    ("mailers m\n    mailer x\n", "expects <name> and <addr>[:<port>]"),
    ("mailers m\n    mailer x 127.0.0.1\n", "missing port specification"),
    ("mailers m\n    timeout foo 1\n", "'timeout' expects 'mail' and <time>"),
    ("mailers m\n    foo\n", "unknown keyword 'foo' in 'mailers' section"),
    ("mailers m\nmailers m\n", "has the same name as another mailers section"),
])
def test_mistakes_in_sections(check, section, text):
    code, said = check(section)
    assert code != 0 and text in said
