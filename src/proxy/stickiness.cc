// Stickiness by tables (manual, "stick on" and its parts): which server the tables have for a
// request, and what they learn once a server has answered.
#include <algorithm>

#include "expr/stick.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

constexpr std::size_t kMostStores = 8;  // for a request, and again for its response

bool learned(const std::vector<Run::StickStore>& stores, const state::StickTable* table) {
  return std::any_of(stores.begin(), stores.end(),
                     [table](const auto& store) { return store.table == table; });
}

std::string address_of(const state::Server& server) {
  const std::lock_guard lock(server.mutex);
  return server.address.text();
}

}  // namespace

bool Run::stick_key(const StickRule& rule, txn::Direction direction, std::string_view& key) {
  expr::Context ctx = context(*backend_, direction);
  if (rule.condition != nullptr && rule.condition->evaluate(ctx) != 1) return false;
  expr::Value sample;
  return rule.key->evaluate(ctx, sample) && expr::stick_key(ctx, sample, *rule.table, key);
}

// The server of the entry: by its key, which means the same in every backend, else by its number.
state::Server* Run::stuck_server(const state::StickRow& entry) {
  const bool by_address = entry.table().settings().server_by_address;
  const std::string_view wanted = entry.server_key();
  const auto id = entry.get(state::StickData::server_id, 0, state::stick_clock_ms());
  const auto& servers = backend_->state->servers;
  for (const auto& server : servers) {
    if (wanted.empty() ? id && *id != 0 && server->id == *id
                       : (by_address ? address_of(*server) : server->name) == wanted)
      return server.get();
  }
  return nullptr;
}

// Before a server is chosen. A server that a cookie has chosen already stays.
void Run::follow_stick_rules() {
  const bool ignored = persistence_ignored();
  bool matched = false;
  for (const auto& rule : backend_->stick_rules) {
    const bool match = rule->match && !matched && !ignored && persistence_ == nullptr;
    const bool store = rule->store_request && !learned(stick_stores_, rule->table) &&
                       stick_stores_.size() < kMostStores;
    std::string_view key;
    if ((!match && !store) || !stick_key(*rule, txn::Direction::request, key)) continue;
    if (match) {
      const state::StickRef entry = rule->table->find(key, state::stick_clock_ms());
      state::Server* server = entry ? stuck_server(entry) : nullptr;
      matched = server != nullptr;
      if (matched && may_persist_on(*server)) persistence_ = server;
    }
    if (store) stick_stores_.push_back({rule->table, x().arena.copy(key)});
  }
}

// The server has answered, or is connected where nothing is expected of it.
void Run::learn_by_rules() {
  const std::size_t of_request = stick_stores_.size();
  std::vector<StickStore> of_response;
  for (const auto& rule : backend_->stick_rules) {
    if (!rule->store_response || learned(of_response, rule->table) ||
        of_response.size() == kMostStores)
      continue;
    std::string_view key;
    if (stick_key(*rule, txn::Direction::response, key)) of_response.push_back({rule->table, key});
  }
  if (server_->settings().non_stick) return;
  const state::Server& server = server_->state();
  const std::int64_t now = state::stick_clock_ms();
  const auto learn = [&](const StickStore& store) {
    const state::StickRef entry = store.table->open(store.key, now);
    if (!entry) return;
    entry.set(state::StickData::server_id, 0, server.id, now);
    if (store.table->settings().server_by_address)
      entry.set_server_key(address_of(server));
    else
      entry.set_server_key(server.name);
  };
  for (std::size_t i = 0; i < of_request; ++i) learn(stick_stores_[i]);
  for (const StickStore& store : of_response) learn(store);
}

}  // namespace proxy
