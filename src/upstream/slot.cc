#include "rt/shared_number.h"
#include "upstream/counting.h"
#include "upstream/per_worker.h"
#include "upstream/queue.h"

namespace upstream {

inline void Slot::unlink() {
  if (previous_ == nullptr) return;
  *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  previous_ = nullptr;
  next_ = nullptr;
}

inline void Server::take_back() {
  rt::subtract(state_.sessions, 1);
  rt::subtract(state_.served, 1, std::memory_order_seq_cst);
  if (backend_.queue().waiting()) backend_.queue().serve(*this);
}

void Slot::end() {
  unlink();
  std::exchange(server_, nullptr)->take_back();
}

inline void Slot::hold(Server& server) {
  free();
  server_ = &server;
  fiber_ = rt::current();
  kill_ = nullptr;
  killed_ = Kill::none;
  Slot*& head = server.here().slots;
  next_ = head;
  if (next_ != nullptr) next_->previous_ = &next_;
  previous_ = &head;
  head = this;
}

std::uint32_t Server::limit_now(std::uint32_t most) const {
  const state::Proxy& proxy = backend_.state();
  const std::uint32_t full = proxy.full_connections.load(std::memory_order_relaxed);
  if (state_.minimum != 0 && full != 0) {
    // Between minconn and maxconn as the backend fills up to fullconn (manual, "minconn").
    const std::uint64_t sessions = proxy.backend_sessions.load(std::memory_order_relaxed);
    if (sessions < full)
      most = std::max(state_.minimum, static_cast<std::uint32_t>(sessions * most / full));
  }
  if (state_.oper.load(std::memory_order_relaxed) != state::OperState::starting) return most;
  const std::int64_t slow = settings_->slow_start_ms;
  const auto up = rt::now() - started_.load(std::memory_order_relaxed);
  const std::int64_t ms = std::chrono::duration_cast<rt::milliseconds>(up).count();
  if (slow <= 0 || ms >= slow) return most;
  const std::int64_t percent = std::max<std::int64_t>(1, 100 * ms / slow);
  return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(most * percent / 100));
}

bool Server::has_room() const {
  const std::uint32_t most = limit();
  return most == 0 || (state_.queued.load(std::memory_order_relaxed) == 0 &&
                       state_.served.load(std::memory_order_relaxed) < most);
}

bool Server::take_below(std::uint32_t limit) {
  if (limit == 0) {
    rt::add(state_.served, 1, std::memory_order_seq_cst);
    return true;
  }
  std::uint32_t served = state_.served.load(std::memory_order_seq_cst);
  while (served < limit)
    if (rt::replace(state_.served, served, served + 1)) return true;
  return false;
}

bool Server::try_take() {
  const std::uint32_t most = limit();
  if (most == 0) {
    rt::add(state_.served, 1, std::memory_order_seq_cst);
    return true;
  }
  if (state_.queued.load(std::memory_order_seq_cst) != 0 || backend_.queue().waiting_for_any())
    return false;
  return take_below(most);
}

bool Server::try_take_at(std::uint32_t served) {
  const std::uint32_t most = limit();
  if (most != 0 && (served >= most || state_.queued.load(std::memory_order_seq_cst) != 0 ||
                    backend_.queue().waiting_for_any()))
    return false;
  return rt::replace(state_.served, served, served + 1);
}

bool Server::queue_full() const {
  return state_.queue_limit != 0 &&
         state_.queued.load(std::memory_order_relaxed) >= state_.queue_limit;
}

[[gnu::always_inline]] inline void Server::count_taken(const txn::Exchange& exchange, bool chosen) {
  raise(state_.sessions_highest, rt::add(state_.sessions, 1) + 1);
  // The clock that the exchange has read already is good enough for a second.
  const std::int64_t started_us = exchange.times.start_wall_us;
  const std::int64_t last = state_.last_session.load(std::memory_order_relaxed);
  const bool same = static_cast<std::uint64_t>(started_us - last * 1000000) < 1000000;
  if (last == 0 || !same) [[unlikely]] {
    const std::int64_t second = started_us / 1000000;
    state_.last_session.store(second != 0 ? second : wall_seconds(), std::memory_order_relaxed);
  }
  const std::uint64_t now_ms = obs::rate_clock_ms();
  state::ServerCounters& counters = state_.counters.mine();
  counters.sessions.add();
  if (chosen) counters.chosen.add();
  counters.session_rate_max.raise_to(counters.session_rate.count(now_ms));
}

inline void Backend::hand_out(PickContext& pick, Server& server, bool chosen, Slot& slot) {
  pick.exchange.server = &server.state();
  server.count_taken(pick.exchange, chosen);
  if (chosen) state_.backend.mine().chosen.add();
  slot.hold(server);
}

Backend::Forced Backend::acquire_forced(PickContext& pick, rt::Instant deadline, Slot& slot,
                                        NoSlot& why) {
  txn::Exchange& exchange = pick.exchange;
  Server* server = of(*exchange.forced_server);
  if (server == nullptr) return Forced::pick_again;
  // A full queue breaks persistence (manual, "maxqueue").
  if (!server->has_room() && server->queue_full()) {
    pick.tried.push_back(server);
    return Forced::pick_again;
  }
  if (!server->try_take()) {
    if (exchange.times.queued == rt::kNever) exchange.times.queued = rt::now();
    const bool bound = settings.persist || settings.redispatch_interval == 0;
    const SlotQueue::Granted granted = queue_->wait(pick, server, bound, deadline);
    why = granted.why;
    if (granted.server == nullptr) return granted.pick_again ? Forced::pick_again : Forced::refused;
    server = granted.server;
  }
  hand_out(pick, *server, false, slot);
  return Forced::taken;
}

namespace {

// Where the algorithm took no slot: waits for one of `wanted`, of any server without. The one whose
// slot was taken; null: the algorithm has to be asked again.
[[gnu::noinline]] base::Result<Server*, NoSlot> queue_up(Backend& backend, PickContext& pick,
                                                         Server* wanted, rt::Instant deadline) {
  if (wanted == nullptr && backend.state().usable_servers.load(std::memory_order_relaxed) == 0)
    return base::fail(NoSlot::no_server);
  if (wanted != nullptr && wanted->queue_full()) return base::fail(NoSlot::queue_full);
  txn::Exchange& exchange = pick.exchange;
  if (exchange.times.queued == rt::kNever) exchange.times.queued = rt::now();
  const SlotQueue::Granted granted = backend.queue().wait(pick, wanted, false, deadline);
  if (granted.server == nullptr && !granted.pick_again) return base::fail(granted.why);
  return granted.server;
}

}  // namespace

base::Result<void, NoSlot> Backend::acquire(PickContext& pick, rt::Instant deadline, Slot& slot) {
  if (pick.exchange.forced_server != nullptr) [[unlikely]] {
    NoSlot why{};
    const Forced forced = acquire_forced(pick, deadline, slot, why);
    if (forced == Forced::taken) return {};
    if (forced == Forced::refused) return base::fail(why);
  }
  while (true) {
    pick.taken = false;
    Server* server = queue_->waiting_for_any() ? nullptr : balancer_->pick(pick);
    if (server == nullptr || !pick.taken) [[unlikely]] {
      const auto got = queue_up(*this, pick, server, deadline);
      if (!got) return base::fail(got.error());
      server = *got;
      if (server == nullptr) continue;
    }
    hand_out(pick, *server, true, slot);
    return {};
  }
}

void Slot::cut(Kill why) {
  if (killed_ != Kill::none) return;
  killed_ = why;
  if (kill_ != nullptr)
    kill_(argument_);
  else if (fiber_ != nullptr)
    rt::cancel(*fiber_);
}

void Server::kill_slots(Kill why) {
  rt::Runtime* runtime = rt::Runtime::instance();
  if (runtime == nullptr) return;
  runtime->post_all([workers = std::weak_ptr(workers_), why](rt::Worker& worker) {
    const auto alive = workers.lock();
    if (alive == nullptr) return;
    for (Slot *slot = alive[worker.index()].slots, *next = nullptr; slot != nullptr; slot = next) {
      next = slot->next_;
      slot->cut(why);
    }
  });
}

}  // namespace upstream
