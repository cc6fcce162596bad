#include "rt/cost.h"

#include <atomic>
#include <chrono>

#include "rt/loop.h"

namespace rt {

namespace {

std::atomic<bool> measured{false}, needed{false};
std::atomic<Profiling> mode{Profiling::automatic};
constexpr Duration kWindow = std::chrono::milliseconds(100);

std::int64_t ticks(Instant at) { return at.time_since_epoch().count(); }

void decide() {
  measured.store(needed.load() || profiling() == Profiling::on, std::memory_order_relaxed);
  if (Runtime* runtime = Runtime::instance(); runtime != nullptr)
    runtime->post_all([](Worker& worker) { static_cast<Loop&>(worker).measure(costs_measured()); });
}

}  // namespace

void set_profiling(Profiling wanted) {
  mode.store(wanted, std::memory_order_relaxed);
  decide();
}
Profiling profiling() { return mode.load(std::memory_order_relaxed); }

void need_costs() {
  if (!needed.exchange(true)) decide();
}

bool costs_measured() { return measured.load(std::memory_order_relaxed); }

Cost cost() {
  const Fiber* fiber = current();
  if (fiber == nullptr) return {};
  Cost sum = fiber->cost;
  if (fiber->run_since != Instant{}) sum.computing += precise_now() - fiber->run_since;
  return sum;
}

void restart_cost() {
  Fiber* fiber = current();
  if (fiber == nullptr) return;
  fiber->cost = {.runs = 1};
  if (fiber->run_since != Instant{}) fiber->run_since = precise_now();
}

Cost total_cost(unsigned worker) {
  return static_cast<Loop&>(Runtime::instance()->worker(worker)).costs().sum();
}

unsigned usage() {
  const Loop* loop = Loop::here();
  return loop != nullptr ? loop->usage().percent(precise_now()) : 0;
}

unsigned usage_of_all() {
  Runtime* runtime = Runtime::instance();
  if (runtime == nullptr) return usage();
  const Instant now = precise_now();
  unsigned sum = 0;
  for (unsigned i = 0; i < runtime->size(); ++i)
    sum += static_cast<Loop&>(runtime->worker(i)).usage().percent(now);
  return sum / runtime->size();
}

// --- usage ----------------------------------------------------------------------------------

void Usage::fall_asleep(Instant now) { asleep_since_.store(ticks(now), std::memory_order_relaxed); }

void Usage::awake(Instant now) {
  const std::int64_t since = asleep_since_.exchange(0, std::memory_order_relaxed);
  if (since != 0) slept_ += Duration(ticks(now) - since);
  const Duration window = now - window_start_;
  if (window < kWindow) return;
  const bool first = window_start_ == Instant{};
  const auto busy = first ? 0 : 100 * (window - slept_).count() / window.count();
  percent_.store(static_cast<unsigned>(busy), std::memory_order_relaxed);
  window_start_ = now;
  slept_ = {};
}

unsigned Usage::percent(Instant now) const {
  const std::int64_t since = asleep_since_.load(std::memory_order_relaxed);
  if (since != 0 && Duration(ticks(now) - since) >= kWindow) return 0;
  return percent_.load(std::memory_order_relaxed);
}

// --- the loop while it is measured ----------------------------------------------------------

void Loop::measure(bool on) {
  measuring_ = on;
  costs_.clear();
  usage_.restart();
}

void Loop::poll_measured(Duration longest) {
  const int timeout = sleep_ms(longest);
  if (timeout > 0) usage_.fall_asleep(precise_now());
  poll(timeout);
  usage_.awake(now_);
}

}  // namespace rt
