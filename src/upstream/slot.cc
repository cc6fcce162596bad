#include "rt/shared_number.h"
#include "upstream/counting.h"
#include "upstream/per_worker.h"
#include "upstream/queue.h"

namespace upstream {

void Slot::hold(Server& server) {
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

void Slot::unlink() {
  if (previous_ == nullptr) return;
  *previous_ = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  previous_ = nullptr;
  next_ = nullptr;
}

void Slot::steal(Slot& other) {
  server_ = std::exchange(other.server_, nullptr);
  fiber_ = other.fiber_;
  kill_ = other.kill_;
  argument_ = other.argument_;
  killed_ = other.killed_;
  next_ = other.next_;
  previous_ = std::exchange(other.previous_, nullptr);
  other.next_ = nullptr;
  if (previous_ != nullptr) *previous_ = this;
  if (next_ != nullptr) next_->previous_ = &next_;
}

Slot& Slot::operator=(Slot&& other) noexcept {
  if (this != &other) {
    free();
    steal(other);
  }
  return *this;
}

void Slot::end() {
  unlink();
  std::exchange(server_, nullptr)->take_back();
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
  if (most != 0 &&
      (state_.queued.load(std::memory_order_seq_cst) != 0 || backend_.queue().waiting_for_any()))
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

void Server::count_taken(const txn::Exchange& exchange, bool chosen) {
  raise(state_.sessions_highest, rt::add(state_.sessions, 1) + 1);
  // The clock that the exchange has read already is good enough for a second.
  const std::int64_t started = exchange.times.start_wall_us / 1000000;
  const std::int64_t second = started != 0 ? started : wall_seconds();
  if (state_.last_session.load(std::memory_order_relaxed) != second)
    state_.last_session.store(second, std::memory_order_relaxed);
  const std::uint64_t now_ms = obs::rate_clock_ms();
  state::ServerCounters& counters = state_.counters.mine();
  counters.sessions.add();
  if (chosen) counters.chosen.add();
  counters.session_rate_max.raise_to(counters.session_rate.count(now_ms));
}

void Server::take_back() {
  rt::subtract(state_.sessions, 1);
  rt::subtract(state_.served, 1, std::memory_order_seq_cst);
  if (backend_.queue().waiting()) backend_.queue().serve(*this);
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
