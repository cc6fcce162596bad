// Checks against tiny servers that live in fibers of the same worker.
#include "upstream/checker.h"
#include "upstream/testing.h"

namespace upstream {
namespace {

using rt::milliseconds;
using state::CheckStatus;
using testing::Farm;
using testing::in_fiber;
using testing::Lines;
using testing::TinyServer;

TinyServer::Talk says(std::string text) {
  return [text](net::Connection& c) {
    (void)c.write(text, rt::now() + milliseconds(500));
    char byte;
    while (c.read({&byte, 1}, rt::now() + milliseconds(400)).value_or(0) != 0) {
    }
  };
}

TinyServer::Talk answers(std::string text, std::string* heard = nullptr) {
  return [text, heard](net::Connection& c) {
    char bytes[4096];
    const auto got = c.read(bytes, rt::now() + milliseconds(500));
    if (got && heard) *heard = std::string(bytes, *got);
    (void)c.write(text, rt::now() + milliseconds(500));
  };
}

struct Found {
  CheckStatus status;
  int code;
  std::string text;
  bool up;
};

// What one check of a backend with these lines finds.
Found check(const std::vector<std::string>& lines, std::uint16_t port) {
  Farm farm([](BackendSettings& s) { s.check_timeout_ms = 60; });
  Lines section(farm);
  for (const std::string& line : lines) EXPECT_TRUE(section.feed(line)) << line;
  EXPECT_TRUE(section.feed("server s1 127.0.0.1:" + std::to_string(port) +
                           " check inter 80ms rise 1 fall 1"));
  farm.prepare();
  Server& server = *farm.backend->find("s1");
  const CheckOutcome outcome = server.checker()->probe_now();
  server.checker()->conclude(outcome, 0);
  return {outcome.status, outcome.code, outcome.text, server.state().usable()};
}

const std::string kOk = "HTTP/1.1 200 OK\r\nX-A: foo, bar\r\nContent-Length: 11\r\n\r\nhello world";

TEST(TcpCheck, ConnectsOrSaysWhyNot) {
  in_fiber(1, [] {
    TinyServer server(says(""));
    EXPECT_EQ(check({}, server.port()).status, CheckStatus::l4_ok);
    const Found refused = check({}, 1);
    EXPECT_EQ(refused.status, CheckStatus::l4_connection);
    EXPECT_EQ(refused.text, "ECONNREFUSED returned by OS (Connection refused)");
    EXPECT_FALSE(refused.up);
    EXPECT_EQ(
        check({"option tcp-check", "tcp-check connect", "tcp-check connect port 1"}, server.port())
            .text,
        "ECONNREFUSED returned by OS (Connection refused) at step 2 of tcp-check (connect port 1)");
  });
}

TEST(TcpCheck, Expectations) {
  in_fiber(1, [] {
    TinyServer server(says("+OK ready\r\nabc"));
    const auto expect = [&](const std::string& rule) {
      return check({"option tcp-check", "tcp-check connect", "tcp-check expect " + rule},
                   server.port());
    };
    EXPECT_EQ(expect("string +OK").status, CheckStatus::l7_ok);
    EXPECT_EQ(expect("string +OK").text, "(tcp-check)");
    EXPECT_EQ(expect("binary 2B4F4B").status, CheckStatus::l7_ok);
    EXPECT_EQ(expect("rbinary ^2B4F").status, CheckStatus::l7_ok);
    EXPECT_EQ(expect("rstring ready$").status, CheckStatus::l7_timeout);
    EXPECT_EQ(expect("string NO").text, " at step 2 of tcp-check (expect string 'NO')");
    EXPECT_EQ(expect("min-recv 0 string NO").text, "TCPCHK did not match content 'NO' at step 2");
    EXPECT_EQ(expect("! string +OK").text, "TCPCHK matched unwanted content '+OK' at step 2");
    EXPECT_EQ(expect("comment why min-recv 0 string NO").text,
              "TCPCHK did not match content 'NO' at step 2 comment: 'why'");
    EXPECT_EQ(expect("ok-status L4OK string +OK").status, CheckStatus::l4_ok);
    EXPECT_EQ(expect("error-status L6RSP min-recv 0 string NO").status, CheckStatus::l6_response);
  });
}

TEST(HttpCheck, SendsAndJudges) {
  in_fiber(1, [] {
    std::string heard;
    TinyServer server(answers(kOk, &heard));
    const auto good = check({"option httpchk"}, server.port());
    EXPECT_EQ(good.status, CheckStatus::l7_ok);
    EXPECT_EQ(good.code, 200);
    EXPECT_EQ(heard, "OPTIONS / HTTP/1.0\r\n\r\n");
    check({"option httpchk GET /x HTTP/1.1", "http-check send body hello"}, server.port());
    EXPECT_EQ(heard, "GET /x HTTP/1.1\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
    const auto expect = [&](const std::string& rule) {
      return check({"option httpchk", "http-check expect " + rule}, server.port());
    };
    EXPECT_EQ(expect("status 200-204").status, CheckStatus::l7_ok);
    EXPECT_EQ(expect("status 201").status, CheckStatus::l7_status);
    EXPECT_EQ(expect("status 201").text, "OK");
    EXPECT_EQ(expect("! rstatus ^2").status, CheckStatus::l7_status);
    EXPECT_EQ(expect("string world").status, CheckStatus::l7_ok);
    EXPECT_EQ(expect("string nope").text, "HTTP content check did not match");
    EXPECT_EQ(expect("! string hello").text, "HTTP check matched unwanted content");
    EXPECT_EQ(expect("hdr name x-a value bar").status, CheckStatus::l7_ok);
    EXPECT_EQ(expect("fhdr name x-a value bar").status, CheckStatus::l7_status);
    EXPECT_EQ(expect("hdr name -m beg x- value -m reg ^f").status, CheckStatus::l7_ok);
  });
}

TEST(HttpCheck, FailuresAndSoftStop) {
  in_fiber(1, [] {
    TinyServer bad(answers("HTTP/1.1 500 Bad Thing\r\nContent-Length: 0\r\n\r\n"));
    const auto found = check({"option httpchk"}, bad.port());
    EXPECT_EQ(found.text, "Bad Thing");
    EXPECT_EQ(found.code, 500);
    EXPECT_FALSE(found.up);
    TinyServer junk(answers("garbage\r\n\r\n"));
    EXPECT_EQ(check({"option httpchk"}, junk.port()).status, CheckStatus::socket_error);
    TinyServer silent(says(""));
    EXPECT_EQ(check({"option httpchk"}, silent.port()).status, CheckStatus::l7_timeout);
    TinyServer gone(answers("HTTP/1.1 404 Nope\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(check({"option httpchk", "http-check disable-on-404"}, gone.port()).status,
              CheckStatus::l7_ok_conditional);
  });
}

TEST(ProtocolChecks, KnowTheirServers) {
  in_fiber(1, [] {
    TinyServer redis(answers("+PONG\r\n"));
    EXPECT_EQ(check({"option redis-check"}, redis.port()).text, "Redis server is ok");
    TinyServer broken(answers("-Error message\r\n"));
    EXPECT_EQ(check({"option redis-check"}, broken.port()).text, "-Error message");
    TinyServer smtp([](net::Connection& c) {
      char bytes[100];
      for (const char* line : {"220 hi\r\n", "250-a\r\n250 b\r\n", "221 bye\r\n"}) {
        (void)c.write(line, rt::now() + milliseconds(500));
        (void)c.read(bytes, rt::now() + milliseconds(500));
      }
    });
    const auto mail = check({"option smtpchk EHLO x.y"}, smtp.port());
    EXPECT_EQ(mail.code, 221);
    EXPECT_EQ(mail.text, "bye");
    TinyServer other(says("I'm not a SMTP server\r\n"));
    EXPECT_EQ(check({"option smtpchk"}, other.port()).text, "I'm not a SMTP server");
    TinyServer ldap(
        answers(std::string("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", 14)));
    EXPECT_EQ(check({"option ldap-check"}, ldap.port()).text, "Success");
    TinyServer spop(answers(std::string("\0\0\0\x14\x65\0\0\0\1\0\0\7version\x8\0031.0", 24)));
    EXPECT_EQ(check({"option spop-check"}, spop.port()).text, "unsupported version");
    TinyServer pgsql(answers(std::string("R\0\0\0\x8\0\0\0\0", 9)));
    EXPECT_EQ(check({"option pgsql-check user u"}, pgsql.port()).text, "PostgreSQL server is ok");
  });
}

TEST(Health, RisesAndFallsByCount) {
  Farm farm;
  Lines lines(farm);
  lines.feed("server s1 127.0.0.1:80 check rise 2 fall 3");
  farm.prepare();
  Checker& checker = *farm.backend->find("s1")->checker();
  state::Server& st = farm.backend->find("s1")->state();
  const auto tell = [&](bool good) {
    CheckOutcome outcome;
    outcome.verdict = good ? CheckOutcome::Verdict::passed : CheckOutcome::Verdict::failed;
    outcome.status = good ? CheckStatus::l4_ok : CheckStatus::l4_connection;
    checker.conclude(outcome, 0);
    return st.usable();
  };
  EXPECT_TRUE(tell(true));
  EXPECT_TRUE(tell(false));
  EXPECT_TRUE(tell(false));
  EXPECT_FALSE(tell(false));
  EXPECT_FALSE(tell(true));
  EXPECT_TRUE(tell(true));
  EXPECT_EQ(st.check.failed_checks, 3u);
  EXPECT_EQ(farm.backend->state().usable_servers.load(), 1u);
}

TEST(Agent, SteersWeightStateAndHealth) {
  in_fiber(1, [] {
    TinyServer agent(says("75%,maxconn:30 drain down#too hot\n"));
    Farm farm;
    Lines lines(farm);
    ASSERT_TRUE(lines.feed("server s1 127.0.0.1:80 weight 100 agent-check agent-port " +
                           std::to_string(agent.port())));
    farm.prepare();
    Server& server = *farm.backend->find("s1");
    const CheckOutcome outcome = server.agent()->probe_now();
    server.agent()->conclude(outcome, 0);
    EXPECT_EQ(server.state().user_weight.load(), 75u);
    EXPECT_EQ(server.state().maximum.load(), 30u);
    EXPECT_TRUE(server.state().draining());
    EXPECT_EQ(outcome.text, "down (too hot)");
    EXPECT_EQ(server.state().oper.load(), state::OperState::stopped);
  });
}

}  // namespace
}  // namespace upstream
