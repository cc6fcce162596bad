#include "expr/condition.h"

#include <gtest/gtest.h>

#include "expr/testing.h"

namespace expr {
namespace {

struct Case {
  std::string_view condition;
  bool holds;
};
constexpr Case kCases[] = {
#include "expr/match/conditions_test.inc"
};

// A GET of /abc from the local host.
struct Bench : TestBench {
  Bench() {
    exchange.is_http = exchange.request_valid = true;
    exchange.request.method_text = "GET";
    exchange.request.target = "/abc";
    session.source = net::Address::of(net::Ip::parse("127.0.0.1"), 1234);
  }
  std::unique_ptr<Condition> parse(std::string_view text, std::string_view keyword = "if") {
    words.words = {{"http-request", 0}, {"deny", 0}, {std::string(keyword), 0}};
    split(text);
    config::Arguments args(words, diagnostics, 2);
    return Condition::parse(args, context);
  }
  bool declare(std::string_view text) {
    words.words = {{"acl", 0}};
    split(text);
    config::Arguments args(words, diagnostics, 1);
    return Acl::declare(args, context);
  }
  void split(std::string_view text) {
    while (!text.empty()) {
      std::size_t end = std::min(text.find(' '), text.size());
      if (end != 0) words.words.push_back({std::string(text.substr(0, end)), 0});
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  int holds(std::string_view text, std::string_view keyword = "if") {
    auto condition = parse(text, keyword);
    if (condition == nullptr) return -2;
    Context at = here();
    return condition->evaluate(at);
  }
  std::string message() const {
    return diagnostics.messages().empty() ? "" : diagnostics.messages().back().text;
  }
  config::Line words;
};

TEST(Condition, HoldsAsInTheReference) {
  for (const Case& each : kCases) {
    Bench bench;
    EXPECT_EQ(bench.holds(each.condition), each.holds) << each.condition << " " << bench.message();
  }
}

TEST(Condition, AddsUpLinesOfOneName) {
  Bench bench;
  ASSERT_TRUE(bench.declare("a path /x"));
  EXPECT_EQ(bench.holds("a"), 0);
  ASSERT_TRUE(bench.declare("a path_beg /a"));
  EXPECT_EQ(bench.holds("a"), 1);
  EXPECT_EQ(bench.holds("a", "unless"), 0);
  EXPECT_EQ(bench.holds("!a || METH_GET"), 1);
  EXPECT_FALSE(bench.diagnostics.failed());
}

TEST(Condition, TriesEveryOccurrence) {
  Bench bench;
  bench.exchange.request.headers.add("x-a", "one, two", bench.arena);
  bench.exchange.request.headers.add("x-a", "three", bench.arena);
  EXPECT_EQ(bench.holds("{ hdr(x-a) two }"), 1);
  EXPECT_EQ(bench.holds("{ hdr(x-a) three }"), 1);
  EXPECT_EQ(bench.holds("{ hdr(x-a) four }"), 0);
}

TEST(Condition, ReportsErrors) {
  struct {
    std::string_view line, message;
  } cases[] = {
      {"nope",
       "error detected while parsing an 'http-request deny' condition : no such ACL : 'nope'."},
      {"{ path",
       "error detected while parsing an 'http-request deny' condition : missing closing '}' in "
       "condition."},
      {"{ }",
       "error detected while parsing an 'http-request deny' condition : missing fetch method in "
       "ACL "
       "expression ''."},
  };
  for (const auto& each : cases) {
    Bench bench;
    EXPECT_EQ(bench.holds(each.line), -2);
    EXPECT_EQ(bench.message(), each.message);
  }
}

TEST(Acl, ReportsErrors) {
  struct {
    std::string_view line, message;
  } cases[] = {
      {"a", "missing fetch method in ACL expression ''."},
      {"a zzzzzzzz x", "unknown fetch method 'zzzzzzzz' in ACL expression 'zzzzzzzz'."},
      {"a path -m foo x", "unknown matching method 'foo' when parsing ACL expression."},
      {"a path -m ip x", "'x' is not a valid IPv4 or IPv6 address."},
      {"a path -m int x", "'x' is not a number."},
      {"a src 1.2.3.4.5", "'1.2.3.4.5' is not a valid IPv4 or IPv6 address."},
      {"a src -n foo", "'foo' is not a valid IPv4 or IPv6 address."},
      {"a src 1.2.3.4/33", "'1.2.3.4/33' is not a valid IPv4 or IPv6 address."},
      {"a src -f /nonexist", "failed to open pattern file </nonexist>."},
      {"a req.body abc",
       "matching method must be specified first (using '-m') when using a sample fetch of "
       "this type ('req.body')."},
      {"a req.body -m bin ab0", "an even number of hex digit is expected."},
      {"a dst_port 1:2:3", "'1:2:3' is not a valid number range."},
      {"a dst_port 10:5", "'10:5' is not a valid number range."},
      {"a path -m reg (", "regex '(' is invalid (error=missing closing parenthesis, erroffset=1)."},
      {"a path -z",
       "'-z' is not a valid ACL option. Please use '--' before any pattern beginning with a "
       "'-'."},
      {"a bin(61) -m bool", "matching method 'bool' cannot be used with fetch keyword 'bin'."},
      {"a path -u abc x", "the argument of -u must be an integer."},
      {"a path,zzzzzzzz /", "unknown converter 'zzzzzzzz' in ACL expression 'path,zzzzzzzz'."},
  };
  for (const auto& each : cases) {
    Bench bench;
    EXPECT_FALSE(bench.declare(each.line)) << each.line;
    EXPECT_EQ(bench.message(),
              "error detected while parsing ACL 'a' : " + std::string(each.message));
  }
  Bench bench;
  EXPECT_FALSE(bench.declare("a/b path /"));
  EXPECT_EQ(bench.message(), "character '/' is not permitted in acl name 'a/b'.");
}

TEST(Acl, WarnsAsTheReference) {
  struct {
    std::string_view line;
    bool warns;
  } cases[] = {
      {"a path", true},
      {"a path --", false},
      {"a path -i", false},
      {"a src", true},
      {"a always_true", false},
      {"a path -m found", false},
      {"a path_beg -m beg /", false},
      {"a path_beg -m end /", true},
      {"a path_beg,lower /", true},
      {"a hdr(host),lower x", false},
      {"a hdr(host) -m beg x", false},
      {"a hdr_sub(host),lower -m sub x", false},
      {"a method GET", false},
      {"a method -m str GET", true},
      {"a method,lower x", true},
  };
  for (const auto& each : cases) {
    Bench bench;
    EXPECT_TRUE(bench.declare(each.line)) << bench.message();
    EXPECT_EQ(bench.diagnostics.warnings() != 0, each.warns) << each.line;
  }
}

TEST(Acl, WarnsWhereItCannotMatch) {
  Bench bench;
  bench.context.available = available_at(txn::Point::http_request, true, state::kFrontend);
  bench.context.place = place_name(txn::Point::http_request, state::kFrontend);
  ASSERT_NE(bench.parse("{ res.hdr(a) b }"), nullptr);
  EXPECT_EQ(bench.message(),
            "anonymous acl will never match because it uses keyword 'res.hdr' which is "
            "incompatible with 'frontend http-request header rule'");
  bench.declare("x res.hdr(a) b");
  ASSERT_NE(bench.parse("x"), nullptr);
  EXPECT_EQ(bench.message(),
            "acl 'x' will never match because it only involves keywords that are "
            "incompatible with 'frontend http-request header rule'");
  bench.declare("x always_true");
  ASSERT_NE(bench.parse("x"), nullptr);
  EXPECT_EQ(bench.message(),
            "acl 'x' involves keywords 'res.hdr' which is incompatible with 'frontend "
            "http-request header rule'");
  std::size_t before = bench.diagnostics.warnings();
  ASSERT_NE(bench.parse("{ path / } METH_GET LOCALHOST { nbsrv(f) gt 0 }"), nullptr);
  EXPECT_EQ(bench.diagnostics.warnings(), before);
}

}  // namespace
}  // namespace expr
