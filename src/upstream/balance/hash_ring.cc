// hash-type consistent: every server stands at many points of a ring of 32 bits, sixteen for each
// unit of weight; the nearest point to a hash decides. A server's points depend on its own key
// alone, so that others keep theirs when it comes or goes.
#include <xxhash.h>

#include <algorithm>

#include "base/hash.h"
#include "upstream/balance/hashed.h"
#include "upstream/hash.h"

namespace upstream {

namespace {

struct Point {
  std::uint32_t at;
  Server* server;
  bool operator<(const Point& other) const {
    return at != other.at ? at < other.at : server->index() < other.server->index();
  }
};

struct Ring {
  std::vector<Point> points;
  std::vector<Server*> servers;
  std::uint64_t weight = 0;
};

// manual, "hash-key"
std::uint32_t key_of(const Server& server, HashKey kind) {
  const state::Server& st = server.state();
  const auto by_id = [&] { return st.id * 4096u; };
  switch (kind) {
    case HashKey::id:
      return by_id();
    case HashKey::id32:
      return base::avalanche(st.id);
    case HashKey::guid: {
      const std::string& guid = server.settings().guid;
      return guid.empty() ? by_id()
                          : static_cast<std::uint32_t>(XXH3_64bits(guid.data(), guid.size()));
    }
    case HashKey::addr:
    case HashKey::addr_port: {
      net::Address address = server.address();
      if (!address.is_ip()) return by_id();
      if (kind == HashKey::addr) address.set_port(0);
      sockaddr_storage raw{};
      const socklen_t size = address.to_sockaddr(raw);
      return static_cast<std::uint32_t>(XXH3_64bits(&raw, size));
    }
  }
  return by_id();
}

class HashRing final : public HashTable {
 public:
  explicit HashRing(Backend& backend) : backend_(backend) {}

  Server* at(std::uint32_t hash, const PickContext& pick) override {
    const Ring* ring = ring_.get();
    if (ring == nullptr || ring->points.empty()) return nullptr;
    const std::vector<Point>& points = ring->points;
    const auto after = std::lower_bound(points.begin(), points.end(), hash,
                                        [](const Point& p, std::uint32_t h) { return p.at < h; });
    const std::size_t next =
        after == points.end() ? 0 : static_cast<std::size_t>(after - points.begin());
    const std::size_t before = next == 0 ? points.size() - 1 : next - 1;
    std::size_t at = hash - points[before].at <= points[next].at - hash ? before : next;
    Server* const nearest = points[at].server;
    Server* last = nullptr;
    for (std::size_t i = 0; i < points.size(); ++i) {
      Server* server = points[at].server;
      if (++at == points.size()) at = 0;
      if (!pick.tried.empty() && pick.avoids(server)) continue;
      last = server;
      if (!passed_over(*server, backend_.settings.hash_affinity) && within_balance(*ring, *server))
        return server;
    }
    return last != nullptr ? last : nearest;
  }

  void update() override {
    auto ring = std::make_unique<Ring>();
    ring->servers = usable_servers(backend_);
    for (Server* server : ring->servers) {
      const std::uint32_t key = key_of(*server, server->settings().hash_key);
      const std::uint32_t count = server->scaled_weight();
      ring->weight += count;
      for (std::uint32_t i = 0; i < count; ++i)
        ring->points.push_back({base::avalanche(key + i), server});
    }
    std::sort(ring->points.begin(), ring->points.end());
    ring_.publish(std::move(ring));
  }

 private:
  // hash-balance-factor: no server holds more than that percentage of its fair share.
  bool within_balance(const Ring& ring, const Server& server) const {
    const std::uint64_t factor = backend_.settings.hash_balance_factor;
    if (factor == 0) return true;
    std::uint64_t load = 1;
    for (const Server* other : ring.servers)
      load += other->state().served.load(std::memory_order_relaxed);
    const std::uint64_t most =
        (load * factor * server.scaled_weight() + ring.weight * 100 - 1) / (ring.weight * 100);
    return server.state().served.load(std::memory_order_relaxed) < std::max<std::uint64_t>(most, 1);
  }

  Backend& backend_;
  Published<Ring> ring_;
};

}  // namespace

std::unique_ptr<HashTable> make_hash_ring(Backend& backend) {
  return std::make_unique<HashRing>(backend);
}

}  // namespace upstream
