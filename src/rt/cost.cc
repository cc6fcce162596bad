#include "rt/cost.h"

#include <atomic>

#include "rt/loop.h"

namespace rt {

namespace {

std::atomic<bool> measured{false}, needed{false};
std::atomic<Profiling> mode{Profiling::automatic};

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

void Loop::measure(bool on) {
  measuring_ = on;
  costs_.clear();
}

}  // namespace rt
