#include "app/assemble.h"

#include <gtest/gtest.h>

#include "app/sections/section.h"
#include "app/version.h"
#include "config/load.h"
#include "upstream/backend.h"

namespace app {
namespace {

// What a text means, without a process around it.
struct Loaded {
  explicit Loaded(std::string_view text) {
    const config::Predicates predicates = make_predicates({});
    const config::LoadOptions options{{}, section_names(), &predicates};
    generation.tree = config::load_text(text, "test.cfg", options, diagnostics);
    generation.settings = read_settings(generation.tree, {}, diagnostics);
    assemble(generation, {}, diagnostics);
  }

  std::string messages() const {
    std::string all;
    for (const config::Message& message : diagnostics.messages())
      all += config::Diagnostics::render(message);
    return all;
  }
  const proxy::Proxy& proxy(std::string_view name) const {
    for (const auto& p : generation.config.proxies)
      if (p->name == name) return *p;
    throw std::out_of_range(std::string(name));
  }

  config::Diagnostics diagnostics;
  Generation generation;
};

TEST(Assemble, ProxiesTakeOverFromTheirDefaults) {
  const Loaded loaded(R"(
defaults web
    mode http
    timeout client 3s
    timeout connect 1s
    timeout server 4s
    retries 7
defaults raw from web
    mode tcp
    timeout server 9s
backend a from web
    server s1 127.0.0.1:1
backend b from raw
    server s1 127.0.0.1:1
)");
  ASSERT_FALSE(loaded.diagnostics.failed()) << loaded.messages();
  const proxy::Proxy& a = loaded.proxy("a");
  const proxy::Proxy& b = loaded.proxy("b");
  EXPECT_EQ(a.mode, state::Mode::http);
  EXPECT_EQ(b.mode, state::Mode::tcp);
  EXPECT_EQ(a.timeouts.server, std::chrono::seconds(4));
  EXPECT_EQ(b.timeouts.server, std::chrono::seconds(9));
  EXPECT_EQ(b.timeouts.connect, std::chrono::seconds(1));
  EXPECT_EQ(b.backend->settings.retries, 7u);
}

TEST(Assemble, NamesAreLookedUpWhereverTheyStand) {
  const Loaded loaded(R"(
defaults
    mode http
    timeout client 1s
    timeout connect 1s
    timeout server 1s
frontend fe
    bind 127.0.0.1:1024
    use_backend later if { nbsrv(later) gt 0 }
    use_backend %[path,word(1,/)]
    default_backend later
backend later
    use-server s2 if { path /two }
    server s1 127.0.0.1:1
    server s2 127.0.0.1:2
)");
  ASSERT_FALSE(loaded.diagnostics.failed()) << loaded.messages();
  const proxy::Proxy& fe = loaded.proxy("fe");
  const proxy::Proxy& later = loaded.proxy("later");
  ASSERT_EQ(fe.use_backend.size(), 2u);
  EXPECT_EQ(fe.use_backend[0].fixed, later.state);
  EXPECT_NE(fe.use_backend[1].dynamic, nullptr);
  EXPECT_EQ(fe.default_backend, later.state);
  ASSERT_EQ(later.use_server.size(), 1u);
  EXPECT_EQ(later.use_server[0].fixed, later.state->find_server("s2"));
}

TEST(Assemble, NumbersCountAroundThoseThatAreWritten) {
  const Loaded loaded("backend a\nbackend b\n id 3\nbackend c\n");
  EXPECT_EQ(loaded.proxy("a").state->id, 2u);
  EXPECT_EQ(loaded.proxy("b").state->id, 3u);
  EXPECT_EQ(loaded.proxy("c").state->id, 4u);
}

TEST(Assemble, EveryMistakeHasItsPlace) {
  const Loaded loaded(R"(global
    maxconn many
frontend fe
    bind 127.0.0.1:99999
    http-request deny if { path_bgn /x }
    default_backend nowhere
)");
  EXPECT_TRUE(loaded.diagnostics.failed());
  std::vector<unsigned> lines;
  for (const config::Message& message : loaded.diagnostics.messages())
    if (message.severity == config::Severity::alert) lines.push_back(message.at.line);
  for (unsigned line : {2u, 4u, 5u, 6u})
    EXPECT_NE(std::find(lines.begin(), lines.end(), line), lines.end()) << "line " << line << "\n"
                                                                        << loaded.messages();
}

}  // namespace
}  // namespace app
