#include "expr/log_format.h"

#include <gtest/gtest.h>

#include "expr/testing.h"

namespace expr {
namespace {

struct Format : testing::Test, TestBench {
  Format() {
    session.frontend = proxy;
    session.source = net::Address::of(net::Ip::parse("127.0.0.1"), 1234);
    exchange.frontend = proxy;
    exchange.is_http = exchange.request_valid = true;
    exchange.request.method = http::Method::get;
    exchange.request.method_text = "GET";
    exchange.request.target = "/p?q=\"1";
    exchange.request.headers.add("X-A", "v\n\"", exchange.arena);
    exchange.response.status = 200;
    exchange.response_valid = true;
  }
  std::string in_log(std::string_view text) { return made(text, FormatUse::log); }
  std::string in_rule(std::string_view text) { return made(text, FormatUse::rule); }
  std::string made(std::string_view text, FormatUse use) {
    auto format = LogFormat::parse(text, context, {}, use);
    if (format == nullptr) return "<error> " + diagnostics.messages().back().text;
    Context at = here();
    std::string line;
    format->format(at, line);
    if (use != FormatUse::log) {
      EXPECT_EQ(format->text(at), line);
    }
    return line;
  }
};

TEST_F(Format, WritesAliases) {
  EXPECT_EQ(in_log("%ci:%cp %ST %s %b %ts %tsc %%"), "127.0.0.1:1234 200 <NOSRV> f -- ---- %");
  EXPECT_EQ(in_log("%{+Q}r"), "\"GET /p?q=#221 HTTP/1.1\"");
  EXPECT_EQ(in_log("%HM %HP %HPO %HQ %HV"), "GET /p /p ?q=#221 HTTP/1.1");
  EXPECT_EQ(in_log("%CC %{+Q}CC %bi"), "- \"\" -");
  EXPECT_EQ(in_rule("a%CC|"), "a|");
  EXPECT_EQ(in_log("%{+X}ci:%{+X}cp"), "7F000001:04D2");
}

TEST_F(Format, MergesBlanksInLogsOnly) {
  EXPECT_EQ(in_log("  a   b %hr c"), "a b c");
  EXPECT_EQ(in_rule("a   b "), "a   b ");
}

TEST_F(Format, KeepsHeadersClean) {
  EXPECT_EQ(in_rule("x %[req.hdr(x-a)]"), "x v%0A\"");
  EXPECT_EQ(in_rule("%[req.hdr(x-a)]"), "v%0A\"");
  EXPECT_EQ(made("%[req.hdr(x-a)]", FormatUse::raw), "v\n\"");
  EXPECT_EQ(in_log("%{+E}[req.hdr(x-a)]"), "v\n\\\"");
}

TEST_F(Format, FindsWhatAHeaderMustNotHoldWhereverItIs) {
  const std::pair<char, std::string> bytes[] = {{'\x1f', "%1F"}, {'\x7f', "%7F"}, {'\0', "%00"},
                                                {'\t', "\t"},    {' ', " "},      {'\xff', "\xff"}};
  for (const auto& [byte, written] : bytes) {
    for (std::size_t size : {1u, 7u, 8u, 9u, 16u, 20u})
      for (std::size_t at = 0; at < size; ++at) {
        std::string value(size, 'v'), wanted = value;
        value[at] = byte;
        exchange.request_variables.set(state::parse_variable("req.text")->id,
                                       state::Value::str(value));
        wanted.replace(at, 1, written);
        EXPECT_EQ(in_rule("%[var(req.text)]"), wanted) << size << ' ' << at;
      }
  }
}

TEST_F(Format, WritesCaptures) {
  proxy->request_captures = {{"x", 10}, {"", 10}};
  exchange.request_captures = {"a|b", {}};
  EXPECT_EQ(in_log("%hr|%hs"), "{a#7Cb|}|");
  EXPECT_EQ(in_log("%{+Q}hrl"), "\"a#7Cb\" \"\"");
}

TEST_F(Format, EncodesObjects) {
  EXPECT_EQ(in_log("%{+json}o %(ip)ci %(st)ST no %(b)[bool(true)] %(n)[req.hdr(none)] "
                   "%(s:str)[int(5)] %(i:sint)[str(12)] %(t)[str(a\\\\b)]"),
            "{\"ip\": \"127.0.0.1\", \"st\": 200, \"b\": true, \"n\": \"\", \"s\": \"5\", "
            "\"i\": 12, \"t\": \"a\\\\b\"}");
  EXPECT_EQ(in_log("%{+cbor}o %(ci)ci %(st)ST %(n)[req.hdr(none)] %(b)[bool(true)]"),
            "BF626369693132372E302E302E3162737418C8616EF66162F5FF");
  EXPECT_EQ(in_log("%{+json}[str(x)] %(a:bool){+json}[int(4)] %(y){+cbor}ST"), "\"x\" true 18C8");
}

TEST_F(Format, NamesMistakes) {
  EXPECT_NE(in_log("%foo").find("no such format alias 'foo'"), std::string::npos);
  EXPECT_NE(in_log("%[src").find("missing ']'"), std::string::npos);
  EXPECT_NE(in_log("%[nope]").find("unknown fetch method 'nope'"), std::string::npos);
  EXPECT_NE(in_log("%{+Q").find("truncated line after '+Q'"), std::string::npos);
  EXPECT_NE(in_log("a%").find("truncated line after '%'"), std::string::npos);
}

TEST_F(Format, DefaultsParse) {
  for (std::string_view text :
       {default_tcp_log_format(), default_tcp_clf_log_format(), default_http_log_format(),
        default_http_clf_log_format(), default_https_log_format()})
    EXPECT_FALSE(in_log(text).starts_with("<error>")) << text;
}

}  // namespace
}  // namespace expr
