#include "rt/cost.h"

#include <gtest/gtest.h>

#include "rt/fiber.h"
#include "rt/worker.h"

namespace rt {
namespace {

struct Measured {
  Measured() { set_profiling(Profiling::on); }
  ~Measured() { set_profiling(Profiling::automatic); }
};

void compute_for(Duration span) {
  const Instant end = precise_now() + span;
  while (precise_now() < end) {
  }
}

TEST(Cost, NothingIsMeasuredUnlessAsked) {
  Runtime runtime(1);
  bool done = false;
  spawn([&] {
    yield();
    EXPECT_EQ(cost().runs, 0u);
    EXPECT_EQ(cost().computing, Duration::zero());
    done = true;
  });
  runtime.run_until([&] { return done; });
  EXPECT_FALSE(costs_measured());
  EXPECT_EQ(total_cost(0).runs, 0u);
}

TEST(Cost, CountsRunsAndTheirTime) {
  const Measured measured;
  Runtime runtime(1);
  bool done = false;
  spawn([&] {
    EXPECT_EQ(cost().runs, 1u);
    compute_for(milliseconds(3));
    EXPECT_GE(cost().computing, milliseconds(3));
    EXPECT_EQ(sleep_for(milliseconds(20)), Wait::timed_out);
    compute_for(milliseconds(2));
    EXPECT_EQ(cost().runs, 2u);
    EXPECT_GE(cost().computing, milliseconds(5));
    restart_cost();
    EXPECT_EQ(cost().runs, 1u);
    EXPECT_LT(cost().computing, milliseconds(5));
    done = true;
  });
  runtime.run_until([&] { return done; });
  EXPECT_GE(total_cost(0).runs, 2u);
  EXPECT_GE(total_cost(0).computing, milliseconds(5));
}

TEST(Cost, WaitingIsFromTheWakeUpToTheRun) {
  const Measured measured;
  Runtime runtime(1);
  bool done = false;
  Fiber& woken = spawn([&] {
    EXPECT_EQ(suspend(kNever), Wait::ready);
    EXPECT_GE(cost().waiting, milliseconds(4));
    done = true;
  });
  spawn([&] {
    wake(woken);
    compute_for(milliseconds(4));
  });
  runtime.run_until([&] { return done; });
}

}  // namespace
}  // namespace rt
