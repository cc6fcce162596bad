// balance roundrobin and balance random, of lines.
#include "upstream/balance/log.h"

#include <fmt/format.h>

#include <random>

#include "config/diagnostics.h"

namespace upstream {

namespace {

constexpr std::uint32_t kLongestRound = 16384;

// Servers as often as their weights say; the next place, or any.
class InTurns final : public LogBalancer {
 public:
  InTurns(Backend& backend, bool random) : backend_(backend), random_(random) {}

  Server* pick_for(std::string_view) override {
    const std::vector<Server*>* turns = turns_.get();
    if (turns == nullptr || turns->empty()) return nullptr;
    return (*turns)[number() % turns->size()];
  }

  void update() override {
    const std::vector<Server*> servers = usable_servers(backend_);
    turns_.publish(std::make_unique<const std::vector<Server*>>(
        smooth_sequence(servers, reduced_weights(servers, kLongestRound))));
  }

 private:
  std::uint64_t number() {
    if (!random_) return next_.fetch_add(1, std::memory_order_relaxed);
    thread_local std::minstd_rand generator{std::random_device{}()};
    return generator();
  }

  Backend& backend_;
  const bool random_;
  Published<std::vector<Server*>> turns_;
  std::atomic<std::uint64_t> next_{0};
};

}  // namespace

std::unique_ptr<LogBalancer> make_log_balancer(Backend& backend, config::Diagnostics& diagnostics) {
  const BackendSettings& settings = backend.settings;
  if (settings.balance == "roundrobin" || settings.balance == "random")
    return std::make_unique<InTurns>(backend, settings.balance == "random");
  if (settings.balance == "sticky") return make_log_sticky(backend);
  if (settings.balance == "log-hash") {
    if (!settings.hash_consistent) return make_log_hash(backend);
    diagnostics.alert({}, fmt::format("log backend '{}': failed to initialize: unsupported hash "
                                      "method (from \"hash-type\").",
                                      backend.state().name));
    return nullptr;
  }
  diagnostics.alert({}, fmt::format("in backend '{}': \"balance\" only supports 'roundrobin', "
                                    "'random', 'sticky' and 'log-hash'.",
                                    backend.state().name));
  return nullptr;
}

}  // namespace upstream
