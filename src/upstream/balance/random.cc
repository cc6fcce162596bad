// balance random: draws servers by weight and takes the least loaded of the draws.
#include <algorithm>
#include <random>

#include "rt/shared_number.h"
#include "upstream/balance/balance.h"

namespace upstream {

namespace {

std::uint32_t draw(std::uint32_t below) {
  thread_local std::minstd_rand generator{std::random_device{}()};
  return std::uniform_int_distribution<std::uint32_t>(0, below - 1)(generator);
}

struct Urn {
  std::vector<Server*> servers;
  std::vector<std::uint32_t> upto;                      // running sums of weights
  std::unique_ptr<std::atomic<std::uint64_t>[]> picks;  // since weights last changed, breaks ties
};

class Random final : public Balancer {
 public:
  explicit Random(Backend& backend) : backend_(backend) {}

  Server* pick(PickContext& pick) override {
    const Urn* urn = urn_.get();
    if (urn == nullptr || urn->servers.empty()) return nullptr;
    if (urn->servers.size() > 1) return pick_among(*urn, pick);
    Server* only = urn->servers[0];
    pick.taken = only->try_take();
    return pick.taken ? only : nullptr;
  }

  void update() override {
    auto urn = std::make_unique<Urn>();
    urn->servers = usable_servers(backend_);
    urn->picks = std::make_unique<std::atomic<std::uint64_t>[]>(urn->servers.size());
    std::uint32_t sum = 0;
    for (const Server* server : urn->servers) urn->upto.push_back(sum += server->scaled_weight());
    urn_.publish(std::move(urn));
  }

 private:
  [[gnu::noinline]] Server* pick_among(const Urn& urn, PickContext& pick) const {
    const std::size_t count = urn.servers.size();
    std::size_t best = count;
    for (std::uint32_t i = 0; i < backend_.settings.balance_draws; ++i) {
      const std::size_t at = ticket(urn);
      Server* server = urn.servers[at];
      if (at == best || !server->has_room() || (!pick.tried.empty() && pick.avoids(server)))
        continue;
      if (best == count || lighter(urn, at, best)) best = at;
    }
    // Nobody drawn has room: look at all of them, from a random one on.
    if (best == count || !urn.servers[best]->try_take()) best = any(urn, pick);
    if (best == count) return nullptr;
    rt::add(urn.picks[best], 1);
    pick.taken = true;
    return urn.servers[best];
  }

  static std::size_t ticket(const Urn& urn) {
    const std::uint32_t number = draw(urn.upto.back());
    const auto at = std::upper_bound(urn.upto.begin(), urn.upto.end(), number);
    return static_cast<std::size_t>(at - urn.upto.begin());
  }

  static bool lighter(const Urn& urn, std::size_t a, std::size_t b) {
    const std::uint64_t weight_a = std::max(urn.servers[a]->scaled_weight(), 1u);
    const std::uint64_t weight_b = std::max(urn.servers[b]->scaled_weight(), 1u);
    const std::uint64_t load_a =
        urn.servers[a]->state().served.load(std::memory_order_relaxed) * weight_b;
    const std::uint64_t load_b =
        urn.servers[b]->state().served.load(std::memory_order_relaxed) * weight_a;
    if (load_a != load_b) return load_a < load_b;
    return urn.picks[a].load(std::memory_order_relaxed) * weight_b <
           urn.picks[b].load(std::memory_order_relaxed) * weight_a;
  }

  // A slot is taken of the server returned; the count of servers when there is none.
  static std::size_t any(const Urn& urn, const PickContext& pick) {
    const std::size_t count = urn.servers.size();
    const std::size_t start = draw(static_cast<std::uint32_t>(count));
    for (const bool avoid : {true, false}) {
      if (!avoid && pick.tried.empty()) break;
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = (start + i) % count;
        if (avoid && pick.avoids(urn.servers[at])) continue;
        if (urn.servers[at]->try_take()) return at;
      }
    }
    return count;
  }

  Backend& backend_;
  Published<Urn> urn_;
};

}  // namespace

std::unique_ptr<Balancer> make_random(Backend& backend) {
  return std::make_unique<Random>(backend);
}

}  // namespace upstream
