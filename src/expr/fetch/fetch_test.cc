#include <gtest/gtest.h>

#include "expr/testing.h"
#include "expr/user_list.h"
#include "http/h1.h"

namespace expr {
namespace {

class Bytes final : public txn::Channel {
 public:
  std::string_view data() override { return text; }
  bool complete() const override { return over; }
  bool full() const override { return false; }
  rt::Wait wait_more(rt::Instant) override { return rt::Wait::timed_out; }
  bool replace(std::size_t, std::size_t, std::string_view) override { return false; }
  bool forward(std::size_t) override { return false; }
  std::size_t output() const override { return 0; }
  void close() override {}
  std::string text;
  bool over = true;
};

struct Fetch : testing::Test, TestBench {
  Fetch() {
    session.frontend = proxy;
    session.source = net::Address::of(net::Ip::parse("192.0.2.7"), 4321);
    session.destination = net::Address::of(net::Ip::parse("127.0.0.1"), 80);
    exchange.frontend = proxy;
  }
  void request(std::string text) {
    request_bytes = std::move(text);
    std::size_t consumed = 0;
    http::ParseError problem;
    ASSERT_EQ(http::parse_request_head(request_bytes, {}, exchange.request, consumed, problem),
              http::Parse::complete)
        << problem.what;
    exchange.request_valid = exchange.is_http = true;
  }
  void stream(std::string_view bytes, bool over = true) {
    channel.text = bytes;
    channel.over = over;
    exchange.request_channel = &channel;
  }
  // 1, 0 or -1, as a condition sees it.
  int acl(std::initializer_list<std::string_view> words, bool final = true) {
    Acl made;
    config::Line text = line(words);
    config::Arguments args(text, diagnostics, 0);
    if (!Acl::parse(args, context, made)) return -2;
    Context at = here();
    at.final = final;
    return made.evaluate(at);
  }
  std::string request_bytes;
  Bytes channel;
};

TEST_F(Fetch, TakesTargetsApart) {
  request("GET /a/b?x=1&y=2 HTTP/1.1\r\nHost: h:8\r\n\r\n");
  EXPECT_EQ(evaluate("path"), "/a/b");
  EXPECT_EQ(evaluate("pathq"), "/a/b?x=1&y=2");
  EXPECT_EQ(evaluate("query"), "x=1&y=2");
  EXPECT_EQ(evaluate("query(with_qm)"), "?x=1&y=2");
  EXPECT_EQ(evaluate("base"), "h:8/a/b");
  EXPECT_EQ(evaluate("baseq"), "h:8/a/b?x=1&y=2");
  EXPECT_EQ(evaluate("url_param(y)"), "2");
  EXPECT_EQ(evaluate("urlp(Y,,i)"), "2");
  EXPECT_EQ(evaluate("urlp_val(x)"), "1");
  EXPECT_EQ(evaluate("url_param(z)"), "<none>");
  EXPECT_EQ(evaluate("method"), "GET");
  EXPECT_EQ(evaluate("req.ver"), "1.1");
  EXPECT_EQ(evaluate("capture.req.uri"), "/a/b?x=1&y=2");
  EXPECT_EQ(evaluate("base32"), evaluate("base,sdbm(1)"));
  EXPECT_EQ(acl({"urlp", "2"}), 1);
  EXPECT_EQ(acl({"path_beg", "/a"}), 1);
}

TEST_F(Fetch, TakesAbsoluteTargetsApart) {
  request("GET http://10.0.0.1:81/p?q HTTP/1.1\r\nHost: 10.0.0.1:81\r\n\r\n");
  EXPECT_EQ(evaluate("path"), "/p");
  EXPECT_EQ(evaluate("url_ip"), "10.0.0.1");
  EXPECT_EQ(evaluate("url_port"), "81");
  EXPECT_EQ(evaluate("url"), "http://10.0.0.1:81/p?q");
}

TEST_F(Fetch, FindsHeadersByNameAndNumber) {
  request(
      "GET / HTTP/1.1\r\nHost: h\r\nX-L: a, \"b,c\" ,d\r\nUser-Agent: x, y\r\nX-L: e\r\n"
      "X-Forwarded-For: 10.1.1.1, [::1], 10.2.2.2:80\r\nX-N: 12 apples\r\n\r\n");
  EXPECT_EQ(evaluate("req.hdr(host)"), "h");
  EXPECT_EQ(evaluate("hdr(X-L)"), "e");
  EXPECT_EQ(evaluate("req.hdr(x-l,1)"), "a");
  EXPECT_EQ(evaluate("req.hdr(x-l,2)"), "\"b,c\"");
  EXPECT_EQ(evaluate("req.hdr(x-l,-2)"), "d");
  EXPECT_EQ(evaluate("req.hdr(x-l,9)"), "<none>");
  EXPECT_EQ(evaluate("req.hdr_cnt(x-l)"), "4");
  EXPECT_EQ(evaluate("req.fhdr_cnt(x-l)"), "2");
  EXPECT_EQ(evaluate("req.fhdr(user-agent)"), "x, y");
  EXPECT_EQ(evaluate("req.hdr(user-agent)"), "y");
  EXPECT_EQ(evaluate("req.hdr_ip(x-forwarded-for)"), "10.2.2.2");
  EXPECT_EQ(evaluate("req.hdr_ip(x-forwarded-for,2)"), "::1");
  EXPECT_EQ(evaluate("req.hdr_val(x-n)"), "12");
  EXPECT_EQ(evaluate("req.hdr(none)"), "<none>");
  EXPECT_EQ(evaluate("req.hdr_names(:)"), "host:x-l:user-agent:x-l:x-forwarded-for:x-n");
  EXPECT_EQ(acl({"hdr(x-l)", "d"}), 1);
  EXPECT_EQ(acl({"hdr(x-l)", "c"}), 0);
  EXPECT_EQ(acl({"hdr_ip(x-forwarded-for)", "10.1.0.0/16"}), 1);
}

TEST_F(Fetch, FindsCookies) {
  request("GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=2; a=3\r\n\r\n");
  EXPECT_EQ(evaluate("req.cook(a)"), "3");
  EXPECT_EQ(evaluate("req.cook(b)"), "2");
  EXPECT_EQ(evaluate("req.cook"), "1");
  EXPECT_EQ(evaluate("req.cook_cnt(a)"), "2");
  EXPECT_EQ(evaluate("req.cook_names"), "a,b,a");
  EXPECT_EQ(acl({"cook(a)", "1"}), 1);
  exchange.response.headers.add("Set-Cookie", "s=9; Path=/", exchange.arena);
  exchange.response_valid = true;
  EXPECT_EQ(evaluate("res.cook(s)"), "9");
  EXPECT_EQ(evaluate("res.cook_cnt"), "1");
}

TEST_F(Fetch, KnowsTheConnection) {
  EXPECT_EQ(evaluate("src"), "192.0.2.7");
  EXPECT_EQ(evaluate("src_port"), "4321");
  EXPECT_EQ(evaluate("dst_is_local"), "1");
  EXPECT_EQ(evaluate("src_is_local"), "0");
  EXPECT_EQ(evaluate("ssl_fc"), "0");
  EXPECT_EQ(evaluate("ssl_fc_sni"), "<none>");
  EXPECT_EQ(evaluate("fe_name"), "f");
  EXPECT_EQ(evaluate("fc_pp_tlv(0x05)"), "<none>");
}

TEST_F(Fetch, KeepsConstantsAndVariables) {
  EXPECT_EQ(evaluate("str(a b)"), "a b");
  EXPECT_EQ(evaluate("bin(4142)"), "AB");
  EXPECT_EQ(evaluate("bool(true)"), "1");
  EXPECT_TRUE(evaluate("bin(4)").starts_with("<error>"));
  EXPECT_EQ(evaluate("uuid").size(), 36u);
  EXPECT_EQ(evaluate("uuid(7)")[14], '7');
  EXPECT_EQ(evaluate("var(txn.a)"), "<none>");
  EXPECT_EQ(evaluate("var(txn.a,dflt)"), "dflt");
  EXPECT_EQ(evaluate("str(v),set-var(txn.a)"), "v");
  EXPECT_EQ(evaluate("var(txn.a)"), "v");
  EXPECT_EQ(evaluate("int(5),set-var(sess.n)"), "5");
  EXPECT_EQ(evaluate("dump_all_vars"), "sess.n=5, txn.a=\"v\"");
  EXPECT_TRUE(evaluate("internal.htx_blk.type(second)").starts_with("<error>"));
}

TEST_F(Fetch, AsksNamedAcls) {
  config::Line text = line({"acl", "local", "src", "192.0.2.0/24"});
  config::Arguments args(text, diagnostics);
  ASSERT_TRUE(Acl::declare(args, context));
  EXPECT_EQ(evaluate("acl(local)"), "1");
  EXPECT_EQ(evaluate("acl(local,!TRUE)"), "0");
  EXPECT_TRUE(evaluate("acl(nope)").starts_with("<error>"));
}

TEST_F(Fetch, WaitsForBytesOfStreams) {
  stream("abc", false);
  EXPECT_EQ(acl({"req.len", "gt", "5"}, false), -1);
  EXPECT_EQ(acl({"req.len", "gt", "2"}, false), 1);
  EXPECT_EQ(acl({"req.len", "gt", "5"}), 0);
  EXPECT_EQ(evaluate("req.payload(1,2)"), "bc");
  EXPECT_EQ(acl({"req.payload(0,4)", "-m", "found"}, false), -1);
  EXPECT_EQ(acl({"wait_end"}, false), -1);
  EXPECT_EQ(acl({"wait_end"}), 1);
  stream(std::string_view("\x00\x02hi!", 5));
  EXPECT_EQ(evaluate("req.payload_lv(0,2)"), "hi");
  EXPECT_EQ(evaluate("req.payload_lv(0,2,+1)"), "i!");
  stream("GET /x HTTP/1.1\r\nHo", false);
  EXPECT_EQ(acl({"req.proto_http"}, false), -1);
  stream("GET /x HTTP/1.1\r\nHost: q\r\n\r\n");
  EXPECT_EQ(evaluate("path"), "/x");
  EXPECT_EQ(evaluate("hdr(host)"), "q");
}

TEST_F(Fetch, ReadsClientHellos) {
  auto sized = [](std::string bytes, std::size_t width) {
    std::string head;
    for (std::size_t i = width; i-- > 0;) head += static_cast<char>(bytes.size() >> (8 * i));
    return head + bytes;
  };
  std::string sni = std::string("\0\0", 2) + sized(sized('\0' + sized("a.example", 2), 2), 2);
  std::string alpn = std::string("\0\x10", 2) + sized(sized(sized("h2", 1) + sized("x", 1), 2), 2);
  std::string hello = "\x03\x03" + std::string(32, 'r') + sized("", 1) + sized("\x13\x01", 2) +
                      sized(std::string(1, '\0'), 1) + sized(sni + alpn, 2);
  std::string record = "\x16\x03\x01" + sized('\x01' + sized(hello, 3), 2);
  stream(record);
  EXPECT_EQ(evaluate("req.ssl_hello_type"), "1");
  EXPECT_EQ(evaluate("req.ssl_sni"), "a.example");
  EXPECT_EQ(evaluate("req_ssl_sni"), "a.example");
  EXPECT_EQ(evaluate("req.ssl_alpn"), "h2,x");
  EXPECT_EQ(evaluate("req.ssl_st_ext"), "0");
  for (std::size_t n = 0; n < record.size(); ++n) {
    stream(std::string_view(record).substr(0, n), false);
    EXPECT_EQ(acl({"req.ssl_hello_type", "1"}, false), -1) << n;
  }
}

TEST_F(Fetch, ChecksCredentials) {
  auto list = std::make_shared<UserList>();
  list->name = "l";
  for (auto words :
       {std::initializer_list<std::string_view>{"group", "g", "users", "u"},
        {"user", "u", "insecure-password", "p:w"},
        {"user", "v", "password", "$5$s$6kPGh1Exd4JQUMMnLAwGrmKKzBJXhEqtLkKfsQQfCS5"}}) {
    config::Line text = line(words);
    config::Arguments args(text, diagnostics);
    ASSERT_TRUE(list->parse(args));
  }
  ASSERT_TRUE(list->finish(diagnostics));
  std::map<std::string, std::shared_ptr<UserList>, std::less<>> lists{{"l", list}};
  context.user_lists = &lists;
  request("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic dTpwOnc=\r\n\r\n");
  auto made = expression("http_auth(l)");
  ASSERT_NE(made, nullptr) << error;
  resolve();
  Context at = here();
  Value value;
  ASSERT_TRUE(made->evaluate(at, value));
  EXPECT_TRUE(value.boolean);
  EXPECT_EQ(evaluate("http_auth_user"), "u");
  EXPECT_EQ(evaluate("http_auth_pass"), "p:w");
  EXPECT_EQ(evaluate("http_auth_type"), "Basic");
  EXPECT_EQ(list->check("u", "x"), nullptr);
  EXPECT_EQ(list->check("v", "x"), nullptr);
}

}  // namespace
}  // namespace expr
