#include <gtest/gtest.h>

#include <sstream>

#include "expr/testing.h"
#include "rules/dump.h"
#include "rules/ruleset.h"

namespace rules {
namespace {

struct Rules : testing::Test, expr::TestBench {
  Rules() {
    add_builtin(actions);
    context.proxy = proxy;
    proxy->capabilities = state::kFrontend | state::kBackend;
    session.frontend = exchange.frontend = exchange.backend = proxy;
    session.source = net::Address::of(net::Ip::parse("10.0.0.1"), 5);
    exchange.is_http = exchange.request_valid = true;
    exchange.request.method = http::Method::get;
    exchange.request.method_text = "GET";
    exchange.request.target = "/a/b?c=d";
    exchange.request.headers.add("Host", "h", exchange.arena);
    exchange.request.headers.add("X-L", "1, 22 ,3", exchange.arena);
  }
  bool add(std::string_view rule, Place place = kHttpRequest) {
    ParseContext where{context, place, actions, &errors};
    where.captures = &proxy->request_captures;
    lines.push_back(std::make_unique<config::Line>());
    lines.back()->words.push_back({std::string(name_of(place)), 0});
    std::istringstream words{std::string(rule)};
    for (std::string word; words >> word;) lines.back()->words.push_back({word, 0});
    config::Arguments args(*lines.back(), diagnostics);
    return set.parse(args, actions, where);
  }
  Verdict run(std::initializer_list<std::string_view> rules, Place place = kHttpRequest) {
    set = {};
    for (std::string_view rule : rules)
      EXPECT_TRUE(add(rule, place)) << rule << ": " << last_error();
    resolve();
    expr::Context at = here();
    if (place & (kHttpResponse | kHttpAfterResponse)) at.direction = txn::Direction::response;
    return set.run(at);
  }
  std::string last_error() {
    return diagnostics.messages().empty() ? "" : diagnostics.messages().back().text;
  }
  std::string header(std::string_view name) {
    const http::Field* field = exchange.request.headers.find(name);
    return field == nullptr ? "<none>" : std::string(field->value);
  }
  std::string reply_header(std::string_view name) {
    for (const auto& [key, value] : exchange.reply->headers)
      if (key == name) return value;
    return "<none>";
  }
  Catalogue actions;
  ErrorSections errors;
  Ruleset set;
  std::vector<std::unique_ptr<config::Line>> lines;
};

TEST_F(Rules, EditsHeaders) {
  EXPECT_EQ(run({"set-header X-A 1", "add-header X-A 2", "set-header X-H %[req.hdr(host)]!",
                 "del-header host", "del-header x-a -m beg if { always_false }"}),
            Verdict::next);
  EXPECT_EQ(exchange.request.headers.count("x-a"), 2u);
  EXPECT_EQ(header("x-h"), "h!");
  EXPECT_EQ(header("host"), "<none>");
  run({"del-header x- -m beg"});
  EXPECT_TRUE(exchange.request.headers.empty());
}

TEST_F(Rules, ReplacesHeaders) {
  run({"replace-value X-L ^([0-9])$ <\\1>"});
  EXPECT_EQ(header("x-l"), "<1>, 22 ,<3>");
  run({"replace-header Host (.*) %[src]-\\1"});
  EXPECT_EQ(header("host"), "10.0.0.1-h");
}

TEST_F(Rules, EditsTargets) {
  auto target = [&](std::string_view rule, std::string_view from = "/a/b?c=d") {
    exchange.request.target = from;
    run({rule});
    return std::string(exchange.request.target);
  };
  EXPECT_EQ(target("set-path /x"), "/x?c=d");
  EXPECT_EQ(target("set-pathq /x"), "/x");
  EXPECT_EQ(target("set-query e=f"), "/a/b?e=f");
  EXPECT_EQ(target("set-query e", "/a"), "/a?e");
  EXPECT_EQ(target("set-uri http://h/"), "http://h/");
  EXPECT_EQ(target("set-path /x", "http://h:1/y?z"), "http://h:1/x?z");
  EXPECT_EQ(target("set-path /x", "*"), "/x");
  EXPECT_EQ(target("replace-path /a/(.*) /\\1"), "/b?c=d");
  EXPECT_EQ(target("replace-pathq ([^?]*)(\\?(.*))? \\1/foo\\2"), "/a/b/foo?c=d");
  EXPECT_EQ(target("replace-uri ^/(.*) https://h/\\1"), "https://h/a/b?c=d");
  run({"set-method PUT"});
  EXPECT_EQ(exchange.request.method, http::Method::put);
}

TEST_F(Rules, NormalizesTargets) {
  auto target = [&](std::string rule, std::string_view from) {
    exchange.request.target = from;
    return run({"normalize-uri " + rule}) == Verdict::invalid
               ? std::string("400")
               : std::string(exchange.request.target);
  };
  EXPECT_EQ(target("path-merge-slashes", "/a//b?c//d"), "/a/b?c//d");
  EXPECT_EQ(target("path-strip-dot", "/./a/./."), "/a/");
  EXPECT_EQ(target("path-strip-dot", "/.well-known/"), "/.well-known/");
  for (auto [from, kept, full] :
       std::initializer_list<std::array<const char*, 3>>{{"/foo/../", "/", "/"},
                                                         {"/foo/../bar/", "/bar/", "/bar/"},
                                                         {"/foo/bar/../", "/foo/", "/foo/"},
                                                         {"/../bar/", "/../bar/", "/bar/"},
                                                         {"/bar/../../", "/../", "/"},
                                                         {"/foo//../", "/foo/", "/foo/"},
                                                         {"/foo/..", "/", "/"},
                                                         {"/a/../../../b/..", "/../../", "/"}}) {
    EXPECT_EQ(target("path-strip-dotdot", from), kept) << from;
    EXPECT_EQ(target("path-strip-dotdot full", from), full) << from;
  }
  EXPECT_EQ(target("percent-decode-unreserved", "/%61dmin%3F%ZZ"), "/admin%3F%ZZ");
  EXPECT_EQ(target("percent-decode-unreserved strict", "/%ZZ"), "400");
  EXPECT_EQ(target("percent-to-uppercase", "/%6f"), "/%6F");
  EXPECT_EQ(target("query-sort-by-name", "/?a=3&b=4&a=1&b=5&a=2"), "/?a=3&a=1&a=2&b=4&b=5");
  EXPECT_EQ(target("fragment-strip", "/#foo"), "/");
}

TEST_F(Rules, Answers) {
  EXPECT_EQ(run({"return status 201 content-type text/plain string hi"}), Verdict::reply);
  EXPECT_EQ(exchange.reply->status, 201);
  EXPECT_EQ(exchange.reply->body, "hi");
  EXPECT_EQ(reply_header("content-type"), "text/plain");
  EXPECT_EQ(exchange.reply.use_count(), 0) << "constant answers are shared without a count";
  EXPECT_EQ(run({"return status 200 content-type a/b lf-string %[path] hdr X-P %[src]"}),
            Verdict::reply);
  EXPECT_EQ(exchange.reply->body, "/a/b");
  EXPECT_EQ(reply_header("x-p"), "10.0.0.1");
  exchange.end = {};
  EXPECT_EQ(run({"deny deny_status 429"}), Verdict::deny);
  EXPECT_EQ(exchange.reply->status, 429);
  EXPECT_EQ(exchange.end.cause, txn::Cause::proxy);
  EXPECT_FALSE(add("return string x"));
  EXPECT_FALSE(add("deny status 999"));
  EXPECT_EQ(run({"auth realm r"}), Verdict::reply);
  EXPECT_EQ(reply_header("www-authenticate"), "Basic realm=\"r\"");
}

TEST_F(Rules, Redirects) {
  auto location = [&](std::string_view rule) {
    if (run({rule}) != Verdict::reply) return std::string("<none>");
    return reply_header("location");
  };
  EXPECT_EQ(location("redirect location /x%[path] code 301"), "/x/a/b");
  EXPECT_EQ(exchange.reply->status, 301);
  EXPECT_EQ(location("redirect prefix http://n"), "http://n/a/b?c=d");
  EXPECT_EQ(location("redirect prefix http://n drop-query append-slash"), "http://n/a/b/");
  EXPECT_EQ(location("redirect prefix / set-cookie A=1"), "/a/b?c=d");
  EXPECT_EQ(reply_header("set-cookie"), "A=1; path=/;");
  EXPECT_EQ(location("redirect scheme https"), "https://h/a/b?c=d");
  EXPECT_EQ(location("redirect location /x?y keep-query"), "/x?y&c=d");
  EXPECT_EQ(location("redirect location %[req.hdr(none)] ignore-empty"), "<none>");
  EXPECT_FALSE(add("redirect location / code 309"));
  EXPECT_FALSE(add("redirect prefix /", kHttpResponse));
}

TEST_F(Rules, SetsVariables) {
  run({"set-var(txn.a) str(x)", "set-var-fmt(txn.b) %[var(txn.a)]y",
       "set-var(txn.a,ifnotset) str(z)", "set-header X-V %[var(txn.a)]%[var(txn.b)]",
       "unset-var(txn.a)", "set-header X-W <%[var(txn.a)]>"});
  EXPECT_EQ(header("x-v"), "xxy");
  EXPECT_EQ(header("x-w"), "<>");
  EXPECT_FALSE(add("set-var(foo.a) src"));
  EXPECT_FALSE(add("set-var(txn.a,ifx) src"));
  EXPECT_FALSE(add("set-var(txn.a) src", kTcpConnection));
}

TEST_F(Rules, ChangesAddressesForOneExchange) {
  {
    txn::Exchange one(session);
    expr::Context at = here();
    at.exchange = &one;
    ASSERT_TRUE(add("set-src str(1.2.3.4)"));
    set.run(at);
    EXPECT_EQ(session.source.text(), "1.2.3.4:5");
  }
  EXPECT_EQ(session.source.text(), "10.0.0.1:5");
}

TEST_F(Rules, FailsRewritesAsAsked) {
  exchange.rewrite_room = 3;
  EXPECT_EQ(run({"set-header X-A 1234"}), Verdict::error);
  EXPECT_EQ(run({"strict-mode off", "set-header X-A 1234"}), Verdict::next);
  EXPECT_EQ(header("x-a"), "<none>");
}

TEST_F(Rules, NamesMistakes) {
  EXPECT_FALSE(add("set-haeder a b"));
  EXPECT_NE(last_error().find("'http-request' : unknown action 'set-haeder'"), std::string::npos);
  EXPECT_FALSE(add("set-header a"));
  EXPECT_NE(last_error().find("expects exactly 2 arguments"), std::string::npos);
  EXPECT_FALSE(add("track-sc3 src"));
  EXPECT_NE(last_error().find("exceeding 2 (tune.stick-counters-1)"), std::string::npos);
  EXPECT_FALSE(add("set-src res.hdr(a)") && context.available != ~0u);
  EXPECT_FALSE(add("use-service lua.x"));
}

TEST_F(Rules, MapsAreEdited) {
  run({"set-map(virt@m) %[src] a", "set-map(virt@m) k b", "set-map(virt@m) k c",
       "del-map(virt@m) %[src]"});
  state::PatternSet* map = patterns.find("virt@m", true);
  ASSERT_NE(map, nullptr);
  std::string all;
  map->each([&](const state::PatternEntry& entry) {
    all.append(entry.key).append("=").append(entry.value).append(";");
    return true;
  });
  EXPECT_EQ(all, "k=c;");
}

TEST_F(Rules, CapturesIntoSlots) {
  run({"capture path len 3"});
  ASSERT_EQ(exchange.request_captures.size(), 1u);
  EXPECT_EQ(exchange.request_captures[0], "/a/");
  EXPECT_EQ(evaluate("capture.req.hdr(0)"), "/a/");
}

}  // namespace
}  // namespace rules
