// balance first: the server with the lowest id that has room.
#include <algorithm>

#include "upstream/balance/balance.h"

namespace upstream {

namespace {

class First final : public Balancer {
 public:
  explicit First(Backend& backend) : backend_(backend) {}

  Server* pick(PickContext& pick) override {
    const std::vector<Server*>* servers = servers_.get();
    if (servers == nullptr) return nullptr;
    for (const bool avoid : {true, false}) {
      if (!avoid && pick.tried.empty()) break;
      for (Server* server : *servers) {
        if (avoid && pick.avoids(server)) continue;
        if (!server->try_take()) continue;
        pick.taken = true;
        return server;
      }
    }
    return nullptr;
  }

  void update() override {
    auto servers = std::make_unique<std::vector<Server*>>(usable_servers(backend_));
    std::sort(servers->begin(), servers->end(),
              [](Server* a, Server* b) { return a->state().id < b->state().id; });
    servers_.publish(std::move(servers));
  }

 private:
  Backend& backend_;
  Published<std::vector<Server*>> servers_;
};

}  // namespace

std::unique_ptr<Balancer> make_first(Backend& backend) { return std::make_unique<First>(backend); }

}  // namespace upstream
