#include "upstream/balance/hashed.h"

#include "base/hash.h"
#include "upstream/hash.h"

namespace upstream {

HashedBalancer::HashedBalancer(Backend& backend)
    : backend_(backend),
      table_(backend.settings.hash_consistent ? make_hash_ring(backend) : make_hash_map(backend)),
      others_(make_roundrobin(backend)) {}

HashedBalancer::~HashedBalancer() = default;

std::uint32_t HashedBalancer::hash(std::string_view text) const {
  return hash_of(backend_.settings.hash_function, text);
}

Server* HashedBalancer::pick(PickContext& pick) {
  const auto found = key(pick);
  if (!found) return others_->pick(pick);
  Server* server =
      table_->at(backend_.settings.hash_avalanche ? base::avalanche(*found) : *found, pick);
  if (server != nullptr) pick.taken = server->try_take();
  return server;
}

void HashedBalancer::update() {
  table_->update();
  others_->update();
}

}  // namespace upstream
