// Algorithms that take a key from the request: the key's hash designates the server, by position in
// a map or by nearness on a ring (manual, "hash-type"). Requests without a key go round robin.
#pragma once

#include <string_view>

#include "upstream/balance/balance.h"

namespace upstream {

class HashTable;

class HashedBalancer : public Balancer {
 public:
  explicit HashedBalancer(Backend& backend);
  ~HashedBalancer() override;
  Server* pick(PickContext& pick) final;
  void update() final;
  bool dynamic() const final { return backend_.settings.hash_consistent; }

 protected:
  // The hash of the request's key before the avalanche; nothing when it has none. May wait.
  virtual std::optional<std::uint32_t> key(PickContext& pick) = 0;
  std::uint32_t hash(std::string_view text) const;

  Backend& backend_;

 private:
  std::unique_ptr<HashTable> table_;
  std::unique_ptr<Balancer> others_;
};

// Where hashes fall.
class HashTable {
 public:
  virtual ~HashTable() = default;
  // `tried` servers are passed over while there are others. Null: nobody takes traffic.
  virtual Server* at(std::uint32_t hash, const PickContext& pick) = 0;
  virtual void update() = 0;
};
// The array of the map: every server as often as its weight says.
std::vector<Server*> hash_layout(const std::vector<Server*>& servers,
                                 const std::vector<std::uint32_t>& weights);
std::unique_ptr<HashTable> make_hash_map(Backend& backend);
std::unique_ptr<HashTable> make_hash_ring(Backend& backend);

}  // namespace upstream
