// balance leastconn: the server with the fewest connections for its weight, waiting ones included;
// servers of equal load in turns. Exact over all workers without a lock: the count that made a
// server the least loaded must still hold when its slot is taken, else everybody is looked at
// again.
#include "upstream/balance/balance.h"
#include "upstream/queue.h"

namespace upstream {

namespace {

class LeastConnections final : public Balancer {
 public:
  explicit LeastConnections(Backend& backend) : backend_(backend) {}

  Server* pick(PickContext& pick) override {
    const std::vector<Server*>* servers = servers_.get();
    if (servers == nullptr || servers->empty()) return nullptr;
    Server* best = look(pick, *servers, true);
    if (best == nullptr && !pick.tried.empty()) best = look(pick, *servers, false);
    return best;
  }

  void update() override {
    servers_.publish(std::make_unique<const std::vector<Server*>>(usable_servers(backend_)));
  }

 private:
  struct Load {
    std::uint64_t connections;
    std::uint32_t weight;
    bool less_than(const Load& other) const {
      return connections * other.weight < other.connections * weight;
    }
  };

  Server* look(PickContext& pick, const std::vector<Server*>& servers, bool avoid) {
    while (true) {
      const std::size_t start = after_last_.load(std::memory_order_relaxed) % servers.size();
      Server* best = nullptr;
      std::size_t best_at = 0;
      std::uint32_t best_served = 0;
      Load least{};
      for (std::size_t i = 0, at = start; i < servers.size(); ++i) {
        Server* server = servers[at];
        const std::size_t here = at;
        if (++at == servers.size()) at = 0;
        if (avoid && !pick.tried.empty() && pick.avoids(server)) continue;
        const state::Server& st = server->state();
        const std::uint32_t served = st.served.load(std::memory_order_seq_cst);
        const std::uint32_t queued = st.queued.load(std::memory_order_relaxed);
        const std::uint32_t limit = server->limit();
        const bool full = limit != 0 && (served >= limit || queued != 0);
        // A short queue is taken into account when maxqueue allows one (manual, "maxqueue").
        if (full && (st.queue_limit == 0 || queued >= st.queue_limit)) continue;
        const Load load{std::uint64_t{served} + queued, std::max(server->scaled_weight(), 1u)};
        if (best != nullptr && !load.less_than(least)) continue;
        best = server;
        best_at = here;
        best_served = served;
        least = load;
      }
      if (best == nullptr) return nullptr;
      const std::uint32_t limit = best->limit();
      if (limit != 0 && (best_served >= limit || best->state().queued.load() != 0)) return best;
      if (!best->try_take_at(best_served)) {
        if (limit != 0 && backend_.queue().waiting_for_any()) return nullptr;
        continue;
      }
      after_last_.store(best_at + 1, std::memory_order_relaxed);
      pick.taken = true;
      return best;
    }
  }

  Backend& backend_;
  Published<std::vector<Server*>> servers_;
  alignas(64) std::atomic<std::size_t> after_last_{0};
};

}  // namespace

std::unique_ptr<Balancer> make_leastconn(Backend& backend) {
  return std::make_unique<LeastConnections>(backend);
}

}  // namespace upstream
