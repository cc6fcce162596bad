#include <gtest/gtest.h>

#include "admin/command.h"
#include "admin/help.h"
#include "admin/page_request.h"
#include "admin/stat_table.h"

namespace admin {
namespace {

class Text final : public Output {
 public:
  bool write(std::string_view text) override {
    all.append(text);
    return true;
  }
  bool wait(std::int64_t) override { return false; }
  std::string all;
};

TEST(Command, SplitsWordsAndCommands) {
  EXPECT_EQ(split_words("  echo \"a b\" c\\ d  e\\\\f "),
            (std::vector<std::string>{"echo", "\"a", "b\"", "c d", "e\\f"}));
  EXPECT_EQ(split_commands("a b;c\\;d;;e"),
            (std::vector<std::string_view>{"a b", "c\\;d", "", "e"}));
}

TEST(Command, FindsTheLongestNameAndGivesTheRest) {
  static constexpr Command kRows[] = {
      {{"show", "", "one"}, Access::user, [](Call& c) { c.print("show"); }},
      {{"show stat", "[x]", "two"},
       Access::user,
       [](Call& c) { c.print(std::to_string(c.args.size()) + std::string(c.arg(0))); }},
      {{"show secret", "", "three"}, Access::admin, [](Call& c) { c.print("!"); }},
      {{"quit", "", "disconnect"}, Access::user, [](Call& c) { c.session.quit = true; }},
  };
  Catalogue catalogue;
  catalogue.add(kRows);
  EXPECT_EQ(catalogue.find(split_words("show stat up")).command->name, "show stat");
  EXPECT_EQ(catalogue.find(split_words("show up")).command->name, "show");
  EXPECT_EQ(catalogue.find(split_words("sho")).command, nullptr);
  SessionState session;
  session.access = Access::user;
  EXPECT_EQ(help_text(catalogue, session, {}),
            "The following commands are valid at this level:\n"
            "  show                                    : one\n"
            "  show stat [x]                           : two\n"
            "  quit                                    : disconnect\n");
  EXPECT_EQ(unknown_command_text(catalogue, session, split_words("shwo")).substr(0, 46),
            "Unknown command: 'shwo', but maybe one of the ");
}

TEST(Command, ScriptsAddTheirs) {
  Catalogue catalogue;
  int called = 0;
  ASSERT_TRUE(catalogue.add("lua hello", "greets", Access::user, [&](Call&) { ++called; }));
  EXPECT_FALSE(catalogue.add("lua hello", "again", Access::user, [](Call&) {}));
  auto found = catalogue.find(split_words("lua hello x"));
  ASSERT_NE(found.command, nullptr);
  EXPECT_EQ(found.words, 2u);
}

// Positions that tools have hard-coded (management manual, section 9.1).
TEST(Statistics, ColumnsStandWhereTheManualSays) {
  EXPECT_EQ(kColumns, 119u);
  const std::pair<int, const char*> expected[] = {
      {0, "pxname"},      {7, "stot"},      {17, "status"}, {36, "check_status"},
      {44, "hrsp_other"}, {55, "lastsess"}, {73, "addr"},   {82, "dses"},
      {94, "eint"},       {105, "h1sess"},  {112, "proto"}, {118, "cache_hint_hits"}};
  for (auto [at, name] : expected) EXPECT_EQ(info_of(static_cast<Column>(at)).name, name);
}

struct Proxies {
  Proxies() {
    auto proxy = std::make_unique<state::Proxy>();
    proxy->name = "be";
    proxy->id = 3;
    proxy->capabilities = state::kBackend;
    proxy->mode = state::Mode::http;
    auto server = std::make_unique<state::Server>();
    server->name = "s,1";
    server->id = 1;
    server->proxy = proxy.get();
    server->counters.mine().sessions.add(5);
    proxy->servers.push_back(std::move(server));
    registry.add(std::move(proxy));
  }
  state::Registry registry;
};

TEST(Statistics, PrintsCsvTypedAndJson) {
  Proxies p;
  std::vector<StatRow> rows = stat_rows(p.registry, {});
  ASSERT_EQ(rows.size(), 2u);
  std::string text = csv(rows);
  EXPECT_TRUE(text.starts_with("# pxname,svname,qcur,")) << text;
  EXPECT_NE(text.find("\nbe,\"s,1\",0,0,0,0,,5,"), std::string::npos) << text;
  EXPECT_NE(text.find("\nbe,BACKEND,0,0,"), std::string::npos);
  EXPECT_NE(typed(rows, false).find("S.3.1.7.stot.1:MCPP:u64:5\n"), std::string::npos);
  EXPECT_NE(
      json(rows, false)
          .find(
              R"({"objType":"Server","proxyId":3,"id":1,"field":{"pos":7,"name":"stot"},"processNum":1,)"
              R"("tags":{"origin":"Metric","nature":"Counter","scope":"Process"},)"
              R"("value":{"type":"u64","value":5}})"),
      std::string::npos);
}

TEST(Statistics, SelectsByProxyTypeAndServer) {
  Proxies p;
  StatQuery query;
  query.proxy_id = 3;
  query.kinds = 4;
  query.server_id = 1;
  EXPECT_EQ(stat_rows(p.registry, query).size(), 1u);
  query.server_id = 2;
  EXPECT_EQ(stat_rows(p.registry, query).size(), 0u);
  StatQuery maintenance;
  maintenance.no_maint = true;
  p.registry.proxies()[0]->servers[0]->admin = state::kForcedMaintenance;
  std::vector<StatRow> rows = stat_rows(p.registry, maintenance);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][Column::status].text, "DOWN (0/1)");
}

TEST(StatsPage, ReadsAddressAndForm) {
  PageRequest r = parse_page_request("/stats;csv;norefresh;up?scope=b&x", "/stats");
  EXPECT_EQ(r.kind, PageRequest::Kind::csv);
  EXPECT_TRUE(r.no_refresh && r.up && !r.no_maint);
  EXPECT_EQ(r.scope, "b");
  EXPECT_EQ(parse_page_request("/?;csv;scope=b1", "/").scope, "b1");
  EXPECT_EQ(parse_page_request("/stats;st=DONE", "/stats").result, "DONE");
  PageForm form = parse_form("s=srv1&s=a%2Fb+c&action=maint&b=%233&junk");
  EXPECT_EQ(form.servers, (std::vector<std::string>{"srv1", "a/b c"}));
  EXPECT_EQ(form.backend, "#3");
  EXPECT_EQ(form.action, "maint");
}

}  // namespace
}  // namespace admin
