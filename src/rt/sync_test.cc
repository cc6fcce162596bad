#include "rt/sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "rt/worker.h"

namespace rt {
namespace {

TEST(FiberMutex, ExcludesAcrossWorkers) {
  Runtime runtime(4);
  FiberMutex mutex;
  int inside = 0, total = 0;  // plain on purpose: the lock guards them
  std::atomic<int> finished{0};
  constexpr int kFibers = 5, kRounds = 400;
  runtime.post_all([&](Worker&) {
    for (int f = 0; f < kFibers; ++f)
      spawn([&] {
        for (int i = 0; i < kRounds; ++i) {
          EXPECT_EQ(mutex.lock(), Wait::ready);
          EXPECT_EQ(++inside, 1);
          ++total;
          if (i % 16 == 0) yield();
          --inside;
          mutex.unlock();
          if (i % 5 == 0) yield();
        }
        ++finished;
      });
  });
  runtime.run_until([&] { return finished == 4 * kFibers; });
  EXPECT_EQ(total, 4 * kFibers * kRounds);
  EXPECT_FALSE(mutex.contended());
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_FALSE(mutex.try_lock());
}

TEST(FiberMutex, GrantsInOrderOfArrivalAcrossWorkers) {
  Runtime runtime(4);
  FiberMutex mutex;
  ASSERT_TRUE(mutex.try_lock());
  constexpr int kWaiters = 40;
  std::vector<int> order;
  std::atomic<int> queued{0}, finished{0};
  std::function<void(int)> queue_next = [&](int i) {
    if (i == kWaiters) return;
    runtime.worker(static_cast<unsigned>(i * 7) % 4).post([&, i] {
      spawn([&, i] {
        ++queued;
        EXPECT_EQ(mutex.lock(), Wait::ready);
        order.push_back(i);
        mutex.unlock();
        ++finished;
      });
      // This fiber parks before the task posted from here can run on any worker that matters.
      spawn([&, i] { queue_next(i + 1); });
    });
  };
  queue_next(0);
  runtime.run_until([&] { return queued == kWaiters; });
  EXPECT_TRUE(mutex.contended());
  bool settled = false;
  spawn([&] { settled = sleep_for(milliseconds(5)) == Wait::timed_out; });
  runtime.run_until([&] { return settled; });
  mutex.unlock();
  runtime.run_until([&] { return finished == kWaiters; });
  for (int i = 0; i < kWaiters; ++i) EXPECT_EQ(order[i], i);
}

TEST(FiberMutex, WaitersGiveUp) {
  Runtime runtime(1);
  FiberMutex mutex;
  ASSERT_TRUE(mutex.try_lock());
  int done = 0;
  spawn([&] {
    EXPECT_EQ(mutex.lock(precise_now() + milliseconds(3)), Wait::timed_out);
    ++done;
  });
  Fiber& second = spawn([&] {
    EXPECT_EQ(mutex.lock(), Wait::cancelled);
    mutex.lock_uninterruptibly();
    mutex.unlock();
    ++done;
  });
  spawn([&] {
    EXPECT_EQ(mutex.lock(), Wait::ready);
    mutex.unlock();
    ++done;
  });
  spawn([&] {
    (void)sleep_for(milliseconds(6));
    EXPECT_TRUE(mutex.contended());
    cancel(second);
    yield();
    mutex.unlock();
    ++done;
  });
  runtime.run_until([&] { return done == 4; });
  EXPECT_TRUE(mutex.try_lock());
  mutex.unlock();
}

// Deadlines that expire while the lock is being handed over.
TEST(FiberMutex, TimeoutsAgainstGrants) {
  Runtime runtime(4);
  FiberMutex mutex;
  std::atomic<int> finished{0}, taken{0}, missed{0};
  int inside = 0;
  runtime.post_all([&](Worker& worker) {
    for (int f = 0; f < 4; ++f)
      spawn([&, seed = worker.index() * 4 + static_cast<unsigned>(f)] {
        for (unsigned i = 0; i < 100; ++i) {
          const auto patience = std::chrono::microseconds((seed * 31 + i * 17) % 2000);
          if (mutex.lock(now() + patience) == Wait::ready) {
            EXPECT_EQ(++inside, 1);
            (void)sleep_for(std::chrono::microseconds(1));
            --inside;
            mutex.unlock();
            ++taken;
          } else {
            ++missed;
          }
        }
        ++finished;
      });
  });
  runtime.run_until([&] { return finished == 16; });
  EXPECT_EQ(taken + missed, 1600);
  EXPECT_GT(taken, 0);
  EXPECT_TRUE(mutex.try_lock());
}

TEST(Offload, RunsElsewhereWhileTheLoopGoesOn) {
  Runtime runtime(1);
  int done = 0, turns = 0;
  const auto loop_thread = std::this_thread::get_id();
  for (int i = 0; i < 20; ++i)
    spawn([&] {
      std::thread::id ran_on;
      offload([&] {
        std::this_thread::sleep_for(milliseconds(5));
        ran_on = std::this_thread::get_id();
      });
      EXPECT_NE(ran_on, loop_thread);
      ++done;
    });
  spawn([&] {
    while (done < 20) {
      ++turns;
      (void)sleep_for(milliseconds(1));
    }
  });
  runtime.run_until([&] { return done == 20; });
  EXPECT_GE(turns, 2);
}

TEST(Offload, ExceptionsComeBackAndCancelDoesNotCutShort) {
  Runtime runtime(1);
  bool done = false;
  Fiber& fiber = spawn([&] {
    EXPECT_THROW(offload([] { throw std::runtime_error("no such file"); }), std::runtime_error);
    bool finished = false;
    offload([&] {
      std::this_thread::sleep_for(milliseconds(20));
      finished = true;
    });
    EXPECT_TRUE(finished);
    EXPECT_TRUE(cancelled());
    done = true;
  });
  spawn([&] {
    (void)sleep_for(milliseconds(10));
    cancel(fiber);
  });
  runtime.run_until([&] { return done; });
}

TEST(Offload, OutsideAFiberItJustRuns) {
  bool ran = false;
  offload([&] { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace rt
