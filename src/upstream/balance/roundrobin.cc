// balance roundrobin: servers in turns by weight. The turns of a round are laid out when weights
// change; a request takes the next one with one atomic step, so that all workers together are
// exact.
#include "rt/shared_number.h"
#include "upstream/balance/balance.h"

namespace upstream {

namespace {

constexpr std::uint32_t kLongestRound = 16384;

struct Round {
  std::vector<Server*> turns;
  std::vector<Server*> servers;  // once each
};

class RoundRobin final : public Balancer {
 public:
  explicit RoundRobin(Backend& backend) : backend_(backend) {}

  Server* pick(PickContext& pick) override {
    const Round* round = round_.get();
    if (round == nullptr || round->turns.empty()) return nullptr;
    const std::size_t size = round->turns.size();
    // Turns of full servers pass on to the next one.
    const std::size_t tries = round->servers.size() == 1 ? 1 : size;
    for (std::size_t i = 0; i < tries; ++i) {
      const std::uint64_t turn = size == 1 ? 0 : rt::add(next_, 1) % size;
      Server* server = round->turns[turn];
      if (!pick.tried.empty() && pick.avoids(server)) continue;
      if (server->try_take()) return taken(pick, server);
    }
    for (Server* server : round->servers)  // turns moved under us, or only avoided ones are left
      if (server->try_take()) return taken(pick, server);
    return nullptr;
  }

  void update() override {
    auto round = std::make_unique<Round>();
    round->servers = usable_servers(backend_);
    round->turns = smooth_sequence(round->servers, reduced_weights(round->servers, kLongestRound));
    round_.publish(std::move(round));
  }

 private:
  static Server* taken(PickContext& pick, Server* server) {
    pick.taken = true;
    return server;
  }

  Backend& backend_;
  Published<Round> round_;
  alignas(64) std::atomic<std::uint64_t> next_{0};
};

}  // namespace

std::unique_ptr<Balancer> make_roundrobin(Backend& backend) {
  return std::make_unique<RoundRobin>(backend);
}

}  // namespace upstream
