#include "upstream/parse.h"

#include "upstream/testing.h"

namespace upstream {
namespace {

using testing::Farm;
using testing::Lines;

TEST(ParseServer, TakesSettingsAndDefaults) {
  Farm farm;
  Lines lines(farm);
  EXPECT_TRUE(lines.feed("default-server inter 5s maxconn 7 check"));
  EXPECT_TRUE(lines.feed("server a 127.0.0.1:80 weight 3 cookie x backup slowstart 2s"));
  EXPECT_FALSE(lines.feed("server b unix@/tmp/x.sock no-check from none"));  // "from" comes first
  EXPECT_TRUE(lines.feed("server c [::1]:81 from none"));
  const ServerSettings& a = farm.backend->find("a")->settings();
  EXPECT_EQ(a.weight, 3u);
  EXPECT_EQ(a.maximum, 7u);
  EXPECT_EQ(a.check.inter_ms, 5000);
  EXPECT_TRUE(a.check.enabled && a.backup);
  EXPECT_EQ(a.slow_start_ms, 2000);
  EXPECT_EQ(farm.backend->find("c")->settings().maximum, 0u);
}

TEST(ParseServer, RefusesWhatItDoesNotKnow) {
  Farm farm;
  Lines lines(farm);
  EXPECT_FALSE(lines.feed("server a 127.0.0.1:80 wieght 3"));
  EXPECT_EQ(farm.diagnostics.messages().back().hint, "did you mean 'weight'?");
  EXPECT_EQ(farm.diagnostics.messages().back().at.column, 22u);
  EXPECT_FALSE(lines.feed("server b 127.0.0.1:80 weight 257"));
  EXPECT_FALSE(lines.feed("server c 127.0.0.1:80 ssl verify none"));
  EXPECT_FALSE(lines.feed("server d 127.0.0.1:80 agent-check"));
  EXPECT_FALSE(lines.feed("server e{ 127.0.0.1:80"));
  EXPECT_FALSE(lines.feed("server f 127.0.0.1:80 init-addr last,never"));
  EXPECT_TRUE(farm.backend->servers().empty());
}

TEST(ParseServer, TemplatesCount) {
  Farm farm;
  Lines lines(farm);
  EXPECT_TRUE(lines.feed("server-template web 2-4 127.0.0.1:80 check"));
  ASSERT_EQ(farm.backend->servers().size(), 3u);
  EXPECT_EQ(farm.backend->servers()[2]->state().name, "web4");
  EXPECT_FALSE(lines.feed("server-template web 4-2 127.0.0.1:80"));
}

TEST(ParseServer, NamesCountOnceAndIdsAreGiven) {
  Farm farm;
  Lines lines(farm);
  EXPECT_TRUE(lines.feed("server a 127.0.0.1:80 id 2"));
  EXPECT_TRUE(lines.feed("server b 127.0.0.1:80"));
  EXPECT_TRUE(lines.feed("server c 127.0.0.1:80"));
  farm.prepare();
  EXPECT_EQ(farm.backend->find("b")->state().id, 1u);
  EXPECT_EQ(farm.backend->find("c")->state().id, 3u);
  lines.feed("server a 127.0.0.1:80");
  EXPECT_TRUE(farm.diagnostics.failed());
}

TEST(ParseBackend, Balance) {
  Farm farm;
  Lines lines(farm);
  BackendSettings& s = farm.backend->settings;
  EXPECT_TRUE(lines.feed("balance leastconn"));
  EXPECT_EQ(s.balance, "leastconn");
  EXPECT_TRUE(lines.feed("balance random(3)"));
  EXPECT_EQ(s.balance_draws, 3u);
  EXPECT_TRUE(lines.feed("balance hdr(Host) use_domain_only"));
  EXPECT_EQ(s.balance_name, "host");
  EXPECT_TRUE(lines.feed("balance uri depth 2 len 20 whole"));
  EXPECT_EQ(s.balance_depth, 2u);
  EXPECT_FALSE(lines.feed("balance roundrobbin"));
  EXPECT_EQ(farm.diagnostics.messages().back().hint, "did you mean 'roundrobin'?");
  EXPECT_TRUE(lines.feed("hash-type consistent"));
  EXPECT_TRUE(s.hash_consistent && s.hash_avalanche);
  EXPECT_TRUE(lines.feed("hash-type map-based crc32 avalanche"));
  EXPECT_FALSE(lines.feed("hash-balance-factor 50"));
}

TEST(ParseBackend, RetriesReuseCookies) {
  Farm farm;
  Lines lines(farm);
  BackendSettings& s = farm.backend->settings;
  EXPECT_TRUE(lines.feed("retry-on conn-failure 503 empty-response"));
  EXPECT_EQ(s.retry_on, kRetryConnFailure | kRetryStatus | kRetryEmptyResponse);
  EXPECT_FALSE(lines.feed("retry-on 502 none"));
  EXPECT_FALSE(lines.feed("retry-on 418"));
  EXPECT_TRUE(lines.feed("option redispatch 2"));
  EXPECT_EQ(s.redispatch_interval, 2);
  EXPECT_TRUE(lines.feed("no option redispatch"));
  EXPECT_EQ(s.redispatch_interval, 0);
  EXPECT_TRUE(lines.feed("http-reuse always"));
  EXPECT_TRUE(
      lines.feed("cookie SRV insert indirect nocache maxidle 30m domain .x.y attr SameSite=Lax"));
  EXPECT_EQ(s.cookie_max_idle_s, 1800);
  EXPECT_FALSE(lines.feed("cookie SRV insert prefix"));
  EXPECT_FALSE(lines.feed("http-send-name-header Host"));
  s.connect.network = "blue";
  EXPECT_TRUE(lines.feed("source 127.0.0.9:0 interface lo"));
  EXPECT_EQ(s.connect.interface, "lo");
  EXPECT_TRUE(lines.feed("source 127.0.0.9:0"));
  EXPECT_EQ(s.connect.interface, "");
  EXPECT_EQ(s.connect.network, "blue");
}

TEST(ParseBackend, ChecksOfDefaultsAreReplacedByOwnRules) {
  Farm farm;
  Lines lines(farm);
  EXPECT_TRUE(lines.feed("option httpchk"));
  EXPECT_TRUE(lines.feed("http-check expect status 200"));
  const BackendSettings defaults = farm.backend->settings;
  Farm other([&](BackendSettings& s) { s = defaults; });
  Lines others(other);
  EXPECT_EQ(other.backend->settings.check->steps.size(), 1u);
  EXPECT_TRUE(others.feed("http-check connect port 81"));
  EXPECT_TRUE(others.feed("http-check expect ! rstatus ^5"));
  EXPECT_EQ(other.backend->settings.check->steps.size(), 2u);
  EXPECT_EQ(farm.backend->settings.check->steps.size(), 1u);
  EXPECT_FALSE(others.feed("http-check expect status 20x"));
  EXPECT_FALSE(others.feed("tcp-check send-binary 41z2"));
  EXPECT_FALSE(others.feed("tcp-check expect rstring ("));
}

}  // namespace
}  // namespace upstream
