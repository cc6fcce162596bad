// hash-type map-based: an array in which every server stands as often as its weight says.
#include "upstream/balance/hashed.h"

namespace upstream {

// In each place stands the first server whose credit, which grows by its weight at every place,
// makes the most whole rounds; standing there costs a round.
std::vector<Server*> hash_layout(const std::vector<Server*>& servers,
                                 const std::vector<std::uint32_t>& weights) {
  std::int64_t total = 0;
  for (const std::uint32_t weight : weights) total += weight;
  std::vector<std::int64_t> credit(servers.size(), 0);
  std::vector<Server*> map;
  for (std::int64_t place = 0; place < total; ++place) {
    std::size_t best = 0;
    std::int64_t most = -1;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      credit[i] += weights[i];
      const std::int64_t rounds = (credit[i] + total) / total;
      if (rounds <= most) continue;
      most = rounds;
      best = i;
    }
    credit[best] -= total;
    map.push_back(servers[best]);
  }
  return map;
}

namespace {

class HashMap final : public HashTable {
 public:
  explicit HashMap(Backend& backend) : backend_(backend) {}

  Server* at(std::uint32_t hash, const PickContext& pick) override {
    const std::vector<Server*>* map = map_.get();
    if (map == nullptr || map->empty()) return nullptr;
    const std::size_t size = map->size();
    Server* last = nullptr;
    for (std::size_t i = 0; i < size; ++i) {
      Server* server = (*map)[(hash + i) % size];
      if (!pick.tried.empty() && pick.avoids(server)) continue;
      last = server;
      if (!passed_over(*server, backend_.settings.hash_affinity)) return server;
    }
    return last != nullptr ? last : (*map)[hash % size];
  }

  void update() override {
    const std::vector<Server*> servers = usable_servers(backend_);
    map_.publish(std::make_unique<const std::vector<Server*>>(
        hash_layout(servers, reduced_weights(servers, 0))));
  }

 private:
  Backend& backend_;
  Published<std::vector<Server*>> map_;
};

}  // namespace

std::unique_ptr<HashTable> make_hash_map(Backend& backend) {
  return std::make_unique<HashMap>(backend);
}

}  // namespace upstream
