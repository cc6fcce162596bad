// What the runtime costs: a switch, a fiber, a deadline, a lock, a message to another thread.
#include <benchmark/benchmark.h>

#include <atomic>
#include <functional>

#include "rt/fiber.h"
#include "rt/sync.h"
#include "rt/timer.h"
#include "rt/worker.h"

namespace {

void in_fiber(rt::Runtime& runtime, const std::function<void()>& body) {
  bool done = false;
  rt::spawn([&] {
    body();
    done = true;
  });
  runtime.run_until([&] { return done; });
}

// Two fibers wake each other: each iteration is two suspensions and two resumptions.
void ping_pong(benchmark::State& state, rt::Duration timeout) {
  rt::Runtime runtime(1);
  bool over = false;
  rt::Fiber* player = nullptr;
  rt::Fiber& other = rt::spawn([&] {
    while (!over) {
      (void)rt::suspend(rt::deadline(timeout));
      if (player != nullptr) rt::wake(*player);
    }
  });
  in_fiber(runtime, [&] {
    player = rt::current();
    for (auto _ : state) {
      rt::wake(other);
      (void)rt::suspend(rt::deadline(timeout));
    }
    over = true;
    player = nullptr;
    rt::wake(other);
  });
  state.SetItemsProcessed(2 * state.iterations());
}

void fiber_switch(benchmark::State& state) { ping_pong(state, rt::kForever); }
BENCHMARK(fiber_switch);

void fiber_switch_with_deadline(benchmark::State& state) {
  ping_pong(state, std::chrono::seconds(30));
}
BENCHMARK(fiber_switch_with_deadline);

void spawn_and_finish(benchmark::State& state) {
  rt::Runtime runtime(1);
  in_fiber(runtime, [&] {
    rt::Fiber& self = *rt::current();
    for (auto _ : state) {
      rt::spawn([&self] { rt::wake(self); });
      (void)rt::suspend(rt::kNever);
    }
  });
}
BENCHMARK(spawn_and_finish);

// As a request does: a fiber that waits once with a deadline, among others that do the same.
void spawn_wait_finish_64(benchmark::State& state) {
  rt::Runtime runtime(1);
  constexpr int kFibers = 64;
  in_fiber(runtime, [&] {
    rt::Fiber& self = *rt::current();
    rt::Fiber* waiting[kFibers];
    for (auto _ : state) {
      int left = kFibers;
      for (rt::Fiber*& fiber : waiting)
        fiber = &rt::spawn([&] {
          (void)rt::suspend(rt::now() + std::chrono::seconds(30));
          if (--left == 0) rt::wake(self);
        });
      rt::yield();
      for (rt::Fiber* fiber : waiting) rt::wake(*fiber);
      (void)rt::suspend(rt::kNever);
    }
  });
  state.SetItemsProcessed(kFibers * state.iterations());
}
BENCHMARK(spawn_wait_finish_64);

void timer_arm_and_disarm(benchmark::State& state) {
  rt::Runtime runtime(1);
  rt::Timer timer([](rt::Timer&) {});
  const rt::Instant start = rt::now();
  std::int64_t ms = 1;
  for (auto _ : state) {
    timer.arm(start + rt::milliseconds(ms = ms * 5 % 100003));
    timer.disarm();
  }
}
BENCHMARK(timer_arm_and_disarm);

void timer_moved_later(benchmark::State& state) {
  rt::Runtime runtime(1);
  rt::Timer timer([](rt::Timer&) {});
  rt::Instant at = rt::now() + std::chrono::seconds(30);
  for (auto _ : state) timer.arm(at += rt::milliseconds(1));
}
BENCHMARK(timer_moved_later);

void mutex_free(benchmark::State& state) {
  rt::FiberMutex mutex;
  for (auto _ : state) {
    (void)mutex.lock();
    mutex.unlock();
  }
}
BENCHMARK(mutex_free);

// Two fibers of one worker hand the lock to each other.
void mutex_contended(benchmark::State& state) {
  rt::Runtime runtime(1);
  rt::FiberMutex mutex;
  bool over = false;
  int ended = 0;
  auto take_turns = [&] {
    (void)mutex.lock();
    rt::yield();  // the other one queues
    mutex.unlock();
  };
  rt::spawn([&] {
    while (!over) take_turns();
    ++ended;
  });
  in_fiber(runtime, [&] {
    for (auto _ : state) take_turns();
    over = true;
    while (ended == 0) take_turns();
  });
}
BENCHMARK(mutex_contended);

void post_to_oneself(benchmark::State& state) {
  rt::Runtime runtime(1);
  in_fiber(runtime, [&] {
    rt::Fiber& self = *rt::current();
    for (auto _ : state) {
      rt::this_worker()->post([&self] { rt::wake(self); });
      (void)rt::suspend(rt::kNever);
    }
  });
}
BENCHMARK(post_to_oneself);

// There and back between two sleeping workers: two eventfd wake-ups an iteration.
void wake_across_workers(benchmark::State& state) {
  rt::Runtime runtime(2);
  in_fiber(runtime, [&] {
    const rt::WakeHandle self;
    for (auto _ : state) {
      runtime.worker(1).post([&self] { self.wake(); });
      (void)rt::suspend(rt::kNever);
    }
  });
}
BENCHMARK(wake_across_workers)->UseRealTime();

}  // namespace
