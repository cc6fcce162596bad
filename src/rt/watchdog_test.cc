#include "rt/watchdog.h"

#include <gtest/gtest.h>

#include "rt/fiber.h"
#include "rt/worker.h"

namespace rt {
namespace {

struct Watched {
  Watched() {
    watch_workers(milliseconds(20), [](const Overdue&) {});
  }
  ~Watched() { watch_workers({}, {}); }
};

void compute_for(Duration span) {
  const Instant end = precise_now() + span;
  while (precise_now() < end) {
  }
}

TEST(Watchdog, TellsBusyWorkersFromSleepingOnes) {
  const Watched watched;
  Runtime runtime(2);
  unsigned busy = 0, all = 100, rested = 100;
  spawn([&] {
    const Instant end = precise_now() + std::chrono::seconds(10);
    do {
      compute_for(milliseconds(2));
      yield();
      busy = worker_load();
      all = load_of_all();
    } while (precise_now() < end && (busy < 30 || all > busy * 2 / 3));
    do {
      (void)sleep_for(milliseconds(5));
      rested = worker_load();
    } while (precise_now() < end && rested > 10);
    runtime.stop();
  });
  runtime.run();
  EXPECT_GE(busy, 30u);
  EXPECT_LE(all, busy * 2 / 3);
  EXPECT_LE(rested, 10u);
}

TEST(Watchdog, NothingIsMeasuredWithoutIt) {
  Runtime runtime(1);
  unsigned load = 100;
  spawn([&] {
    compute_for(milliseconds(150));
    load = worker_load() + load_of_all();
    runtime.stop();
  });
  runtime.run();
  EXPECT_EQ(load, 0u);
}

}  // namespace
}  // namespace rt
