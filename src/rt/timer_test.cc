#include "rt/timer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "rt/fiber.h"
#include "rt/timer_wheel.h"
#include "rt/worker.h"

namespace rt {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

struct Recorded : Timer {
  Recorded() : Timer([](Timer& timer) { static_cast<Recorded&>(timer).fired = true; }) {}
  Instant wanted = kNever;
  bool fired = false;
};

class Wheel : public testing::Test {
 protected:
  // Turns as the loop does: from one stop of the wheel to the next.
  void turn_to(Instant until) {
    while (now_ < until) {
      now_ = std::min(until, std::max(now_ + Duration(1), wheel_.next()));
      wheel_.advance(now_);
      for (auto& timer : timers_) {
        if (timer->fired) {
          ASSERT_LE(timer->wanted, now_);
        } else if (timer->wanted != kNever) {
          ASSERT_GT(timer->wanted + milliseconds(1), now_);
        }
      }
    }
  }
  Recorded& add(Duration after) {
    timers_.push_back(std::make_unique<Recorded>());
    timers_.back()->wanted = now_ + after;
    wheel_.arm(*timers_.back(), now_ + after);
    return *timers_.back();
  }

  Instant now_{hours(1000)};
  TimerWheel wheel_{now_};
  std::vector<std::unique_ptr<Recorded>> timers_;
};

TEST_F(Wheel, FiresWithinAMillisecondAfterTheDeadlineAtAllDistances) {
  std::mt19937_64 random(7);
  now_ += milliseconds(12345);
  wheel_.advance(now_);
  for (const Duration span : std::initializer_list<Duration>{
           milliseconds(3), milliseconds(70), milliseconds(5000), milliseconds(300000), hours(10),
           hours(24 * 30), hours(24 * 400)})
    for (int i = 0; i < 40; ++i)
      add(Duration(1 + random() % static_cast<std::uint64_t>(span.count())));
  turn_to(now_ + hours(24 * 401));
  for (auto& timer : timers_) EXPECT_TRUE(timer->fired);
  EXPECT_EQ(wheel_.next(), kNever);
}

TEST_F(Wheel, AdvanceInGreatStrides) {
  for (int i = 1; i < 2000; ++i) add(milliseconds(i * 37));
  for (int i = 0; i < 20; ++i) turn_to(now_ + std::chrono::seconds(7) + microseconds(i * 333));
  for (auto& timer : timers_) EXPECT_TRUE(timer->fired);
}

TEST_F(Wheel, LaterDeadlinesDoNotRelinkAndStillHold) {
  Recorded& timer = add(milliseconds(10));
  for (int ms = 20; ms <= 500; ms += 10) timer.arm(timer.wanted = now_ + milliseconds(ms));
  Recorded& gone = add(milliseconds(40));
  gone.disarm();
  gone.wanted = kNever;
  EXPECT_FALSE(gone.armed());
  Recorded& never = add(milliseconds(30));
  never.arm(never.wanted = kNever);
  EXPECT_FALSE(never.armed());
  turn_to(now_ + milliseconds(499));
  EXPECT_FALSE(timer.fired);
  turn_to(now_ + milliseconds(3));
  EXPECT_TRUE(timer.fired);
  EXPECT_FALSE(timer.armed());
  turn_to(now_ + hours(1));
  EXPECT_FALSE(gone.fired || never.fired);
}

// Some are armed, moved and disarmed between any two turns: each fires in its time or not at all.
TEST_F(Wheel, AnythingMayChangeBetweenTurns) {
  std::mt19937_64 random(11);
  const auto up_to = [&](std::uint64_t most) { return Duration(1 + random() % most); };
  for (int i = 0; i < 200; ++i) add(up_to(1'000'000'000));
  for (int step = 0; step < 5000; ++step) {
    Recorded& timer = *timers_[random() % timers_.size()];
    timer.disarm();
    timer.fired = false;
    timer.wanted = kNever;
    if (random() % 4 != 0) {
      const std::uint64_t reach = random() % 10 == 0 ? 400'000'000'000 : 200'000'000;
      wheel_.arm(timer, timer.wanted = now_ + up_to(reach));
    }
    if (random() % 2 == 0) turn_to(now_ + up_to(random() % 50 == 0 ? 30'000'000'000 : 20'000'000));
    if (HasFatalFailure()) return;
  }
  turn_to(now_ + hours(1));
  for (auto& timer : timers_) EXPECT_EQ(timer->fired, timer->wanted != kNever);
  EXPECT_EQ(wheel_.next(), kNever);
}

TEST(Timer, CallbacksMayArmDisarmAndDestroy) {
  Runtime runtime(1);
  struct Periodic : Timer {
    Periodic() : Timer(&Periodic::tick) {}
    static void tick(Timer& timer) {
      auto& self = static_cast<Periodic&>(timer);
      EXPECT_EQ(current(), nullptr);
      self.victim.reset();
      if (++self.ticks < 5) self.arm(now() + milliseconds(2));
    }
    int ticks = 0;
    std::unique_ptr<Recorded> victim = std::make_unique<Recorded>();
  } periodic;
  const Instant at = now() + milliseconds(3);
  periodic.victim->arm(at);
  periodic.arm(at);  // hangs before the victim in the same slot
  EXPECT_TRUE(periodic.armed());
  runtime.run_until([&] { return periodic.ticks == 5; });
  EXPECT_FALSE(periodic.armed());
}

}  // namespace
}  // namespace rt
