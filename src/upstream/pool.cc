#include "upstream/per_worker.h"

namespace upstream {

IdlePool::~IdlePool() { clear(); }

IdlePool::KeyList& IdlePool::list_of(std::uint64_t key) {
  if (key == 0) return usual_;
  std::unique_ptr<KeyList>& list = others_[key];
  if (list == nullptr) list = std::make_unique<KeyList>();
  return *list;
}

void IdlePool::retire(Entry& entry) {
  if (entry.link.connection) entry.link.connection->io().park(nullptr);
  by_age_.erase(by_age_.iterator_to(entry));
  KeyList& list = list_of(entry.link.key);
  list.erase(list.iterator_to(entry));
  state::Server& state = server_->state();
  state.idle.fetch_sub(1, std::memory_order_relaxed);
  state.idle_safe.fetch_sub(1, std::memory_order_relaxed);
  spare_.push_back(&entry);
}

bool IdlePool::take(std::uint64_t key, bool proven, ServerLink& out) {
  if (by_age_.empty()) return false;
  KeyList* list = &usual_;
  if (key != 0) {
    const auto found = others_.find(key);
    if (found == others_.end()) return false;
    list = found->second.get();
  }
  for (auto at = list->begin(); at != list->end();) {
    Entry& entry = *at++;
    const rt::Descriptor& io = entry.link.connection->io();
    const bool good = !io.hung_up() && !io.failed() && !io.readable();
    if (good && proven && entry.link.uses < 2) continue;
    retire(entry);
    ServerLink link = std::move(entry.link);
    if (!good) continue;
    out = std::move(link);
    return true;
  }
  return false;
}

bool IdlePool::drop_oldest() {
  if (by_age_.empty()) return false;
  lost(by_age_.front());
  return true;
}

void IdlePool::put(ServerLink link) {
  Entry* entry = nullptr;
  if (spare_.empty()) {
    entries_.push_back(std::make_unique<Entry>());
    entries_.back()->pool = this;
    spare_.reserve(entries_.size());
    entry = entries_.back().get();
  } else {
    entry = spare_.back();
    spare_.pop_back();
  }
  entry->link = std::move(link);
  by_age_.push_back(*entry);
  list_of(entry->link.key).push_front(*entry);
  state::Server& state = server_->state();
  state.idle.fetch_add(1, std::memory_order_relaxed);
  state.idle_safe.fetch_add(1, std::memory_order_relaxed);
  if (!purge_.armed()) {
    purge_.pool = this;
    purge_.arm(rt::now() + rt::milliseconds(server_->settings().pool_purge_delay_ms));
  }
  entry->link.connection->io().park(entry);
}

void IdlePool::lost(Entry& entry) {
  retire(entry);
  entry.link.drop();
}

void IdlePool::on_purge(rt::Timer& timer) { static_cast<PurgeTimer&>(timer).pool->purge(); }

// Each delay, half of the idle connections are closed (manual, "pool-purge-delay").
void IdlePool::purge() {
  std::size_t leaving = (by_age_.size() + 1) / 2;
  while (leaving-- > 0) lost(by_age_.front());
  boost::unordered::erase_if(others_, [](const auto& item) { return item.second->empty(); });
  if (!by_age_.empty())
    purge_.arm(rt::now() + rt::milliseconds(server_->settings().pool_purge_delay_ms));
}

void IdlePool::clear() {
  while (!by_age_.empty()) lost(by_age_.front());
}

ServerLink::ServerLink(ServerLink&& other) noexcept
    : connection(std::move(other.connection)),
      reused(other.reused),
      uses(other.uses),
      key(other.key),
      owner_(std::exchange(other.owner_, nullptr)) {}

ServerLink& ServerLink::operator=(ServerLink&& other) noexcept {
  if (this == &other) return *this;
  drop();
  connection = std::move(other.connection);
  reused = other.reused;
  uses = other.uses;
  key = other.key;
  owner_ = std::exchange(other.owner_, nullptr);
  return *this;
}

void ServerLink::drop() {
  connection.reset();
  if (owner_ != nullptr)
    std::exchange(owner_, nullptr)
        ->state()
        .used_connections.fetch_sub(1, std::memory_order_relaxed);
}

bool Server::has_idle() const { return workers_[rt::worker_index()].idle.size() != 0; }

void Server::release(ServerLink link) {
  if (!link.connection || !settings_->pool_purge_delay_ms || link.uses > settings_->max_reuse)
    return;
  rt::Descriptor& io = link.connection->io();
  if (io.hung_up() || io.failed() || state_.in_maintenance()) return;
  if (io.readable()) {
    // The loop saw an edge that may have been for bytes already read: ask once.
    char byte = 0;
    const auto got = link.connection->read_now({&byte, 1});
    if (got || got.error() != net::IoError::would_block) return;
  }
  // With pool-max-conn reached the one that was idle longest goes, as far as this worker has any.
  if (settings_->pool_max >= 0 &&
      state_.idle.load(std::memory_order_relaxed) >= settings_->pool_max &&
      (settings_->pool_max == 0 || !here().idle.drop_oldest()))
    return;
  state_.used_connections.fetch_sub(1, std::memory_order_relaxed);
  link.owner_ = nullptr;
  here().idle.put(std::move(link));
}

void Server::drop_idle() {
  rt::Runtime* runtime = rt::Runtime::instance();
  if (runtime == nullptr) return;
  runtime->post_all([workers = std::weak_ptr(workers_)](rt::Worker& worker) {
    if (const auto alive = workers.lock()) alive[worker.index()].idle.clear();
  });
}

}  // namespace upstream
