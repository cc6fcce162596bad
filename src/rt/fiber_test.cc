#include "rt/fiber.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "rt/worker.h"

namespace rt {
namespace {

using std::chrono::microseconds;

TEST(Fiber, RunsInOrderOfSpawningAndWaits) {
  Runtime runtime(1);
  std::string order;
  Fiber& first = spawn([&] {
    order += 'a';
    EXPECT_EQ(suspend(kNever), Wait::ready);
    order += 'c';
  });
  spawn([&] {
    order += 'b';
    wake(first);
    yield();
    order += 'd';
  });
  EXPECT_EQ(current(), nullptr);
  runtime.run_until([&] { return order.size() == 4; });
  EXPECT_EQ(order, "abcd");
}

TEST(Fiber, WakeBeforeTheWaitIsNotLost) {
  Runtime runtime(1);
  bool done = false;
  spawn([&] {
    wake(*current());
    EXPECT_EQ(suspend(kNever), Wait::ready);
    EXPECT_EQ(suspend(precise_now() + milliseconds(2)), Wait::timed_out);
    done = true;
  });
  runtime.run_until([&] { return done; });
}

TEST(Fiber, DeadlinesAreNotEarly) {
  Runtime runtime(1);
  int left = 0;
  for (int ms : {1, 2, 3, 5, 8, 20, 70, 130}) {
    ++left;
    spawn([&left, ms] {
      const Instant begin = precise_now();
      EXPECT_EQ(sleep_for(milliseconds(ms)), Wait::timed_out);
      EXPECT_GE(precise_now() - begin, milliseconds(ms));
      EXPECT_LT(precise_now() - begin, milliseconds(ms + 500));
      --left;
    });
  }
  runtime.run_until([&] { return left == 0; });
}

TEST(Fiber, DeadlineMovedLaterAndEarlier) {
  Runtime runtime(1);
  bool done = false;
  Fiber& sleeper = spawn([&] {
    EXPECT_EQ(suspend(precise_now() + milliseconds(20)), Wait::ready);
    EXPECT_EQ(suspend(kNever), Wait::ready);  // the first deadline passes meanwhile
    const Instant begin = precise_now();
    EXPECT_EQ(suspend(begin + std::chrono::seconds(100)), Wait::ready);
    EXPECT_EQ(suspend(precise_now() + milliseconds(5)), Wait::timed_out);
    EXPECT_LT(precise_now() - begin, std::chrono::seconds(50));
    done = true;
  });
  spawn([&] {
    wake(sleeper);
    (void)sleep_for(milliseconds(40));
    wake(sleeper);
    yield();
    wake(sleeper);
  });
  runtime.run_until([&] { return done; });
}

struct Counted {
  explicit Counted(int& c) : count(c) { ++count; }
  ~Counted() { --count; }
  int& count;
};

// Exceptions in flight belong to a fiber: each waits inside a catch block and in a destructor that
// runs while unwinding, with others doing the same in between.
struct WaitsWhileUnwinding {
  ~WaitsWhileUnwinding() {
    EXPECT_EQ(std::uncaught_exceptions(), 1);
    yield();
    EXPECT_EQ(std::uncaught_exceptions(), 1);
  }
};

TEST(Fiber, ExceptionsAcrossSwitches) {
  Runtime runtime(1);
  int live = 0, caught = 0;
  constexpr int kFibers = 50, kRounds = 20;
  for (int i = 0; i < kFibers; ++i)
    spawn([&live, &caught, i] {
      for (int round = 0; round < kRounds; ++round) {
        try {
          Counted outer(live);
          WaitsWhileUnwinding unwinding;
          Counted inner(live);
          if ((i + round) % 3 == 0) yield();
          throw std::runtime_error(std::to_string(i));
        } catch (const std::runtime_error& error) {
          yield();
          EXPECT_EQ(error.what(), std::to_string(i));
          try {
            yield();
            throw;
          } catch (const std::exception& again) {
            EXPECT_EQ(again.what(), std::to_string(i));
          }
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          ++caught;
        }
      }
    });
  runtime.run_until([&] { return caught == kFibers * kRounds; });
  EXPECT_EQ(live, 0);
}

TEST(Fiber, CancelEndsThisAndAllLaterWaits) {
  Runtime runtime(1);
  bool done = false, unwound = false;
  int live = 0;
  Fiber& waiter = spawn([&] {
    Counted counted(live);
    EXPECT_FALSE(cancelled());
    EXPECT_EQ(suspend(kNever), Wait::cancelled);
    EXPECT_TRUE(cancelled());
    EXPECT_EQ(sleep_for(std::chrono::hours(1)), Wait::cancelled);
    wake(*current());
    EXPECT_EQ(suspend(kNever), Wait::cancelled);
    unwound = true;
  });
  spawn([&] {
    cancel(waiter);
    (void)sleep_for(milliseconds(1));
    done = true;
  });
  runtime.run_until([&] { return done; });
  EXPECT_TRUE(unwound);
  EXPECT_EQ(live, 0);
}

TEST(Fiber, LocalDataStartsEmptyAndFollows) {
  Runtime runtime(1);
  int done = 0;
  for (int i = 0; i < 40; ++i)
    spawn([&done] {
      int mine = 0;
      EXPECT_EQ(fiber_local(), nullptr);
      fiber_local() = &mine;
      yield();
      EXPECT_EQ(fiber_local(), &mine);
      ++done;
      if (done <= 20) spawn([] { EXPECT_EQ(fiber_local(), nullptr); });
    });
  runtime.run_until([&] { return done == 40; });
}

TEST(Fiber, ThousandsAtOnceSeveralTimes) {
  Runtime runtime(1);
  constexpr int kFibers = 3000;
  for (int round = 0; round < 3; ++round) {
    int done = 0;
    std::uint64_t sum = 0;
    for (int i = 0; i < kFibers; ++i)
      spawn([&, i] {
        char block[2048];
        std::fill(std::begin(block), std::end(block), static_cast<char>(i));
        (void)sleep_for(microseconds(i % 7 * 1000));
        for (char c : block) sum += c == static_cast<char>(i);
        ++done;
      });
    runtime.run_until([&] { return done == kFibers; });
    EXPECT_EQ(sum, std::uint64_t{kFibers} * 2048);
  }
}

TEST(WakeHandle, NoWakeupIsLostBetweenThreads) {
  Runtime runtime(2);
  constexpr int kRounds = 20000;
  std::atomic<int> turn{0};  // even: the fiber of worker 0 may go on
  std::atomic<int> finished{0};
  std::atomic<const WakeHandle*> handles[2] = {nullptr, nullptr};
  auto play = [&](int side) {
    const WakeHandle handle;
    handles[side] = &handle;
    while (handles[1 - side].load() == nullptr) yield();
    for (int i = 0; i < kRounds; ++i) {
      while (turn.load() % 2 != side)
        EXPECT_EQ(suspend(precise_now() + std::chrono::seconds(20)), Wait::ready);
      ++turn;
      handles[1 - side].load()->wake();
    }
    ++finished;
    while (finished.load() != 2) yield();  // the other may still use our handle
  };
  spawn([&] { play(0); });
  runtime.worker(1).post([&] { spawn([&] { play(1); }); });
  runtime.run_until([&] { return finished == 2; });
  EXPECT_EQ(turn.load(), 2 * kRounds);
}

TEST(WakeHandle, FiberThatEndsBeforeItsMailComes) {
  Runtime runtime(1);
  int done = 0;
  constexpr int kFibers = 200;
  for (int i = 0; i < kFibers; ++i)
    spawn([&done] {
      const WakeHandle handle;
      std::thread other([handle] { handle.wake(); });
      other.join();  // blocks the loop: the mail lies in the box when this fiber ends
      ++done;
    });
  runtime.run_until([&] { return done == kFibers; });
}

TEST(Runtime, StopUnwindsWhatStillRuns) {
  int live = 0;
  {
    Runtime runtime(1);
    for (int i = 0; i < 10; ++i)
      spawn([&live] {
        Counted counted(live);
        EXPECT_EQ(suspend(kNever), Wait::cancelled);
      });
    spawn([&] {
      EXPECT_EQ(live, 10);
      runtime.stop();
    });
    runtime.run();
    EXPECT_EQ(live, 0);
  }
  EXPECT_EQ(Runtime::instance(), nullptr);
}

TEST(Runtime, PostsRunOnTheirWorkerInOrder) {
  Runtime runtime(4);
  EXPECT_EQ(worker_count(), 4U);
  std::atomic<int> started{0}, received{0};
  runtime.post_all([&](Worker& worker) {
    EXPECT_EQ(&worker, this_worker());
    EXPECT_EQ(worker_index(), worker.index());
    ++started;
  });
  constexpr int kEach = 5000;
  std::vector<std::vector<int>> last(4, std::vector<int>(3, -1));
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const unsigned to = static_cast<unsigned>(i) % 4;
        runtime.worker(to).post([&, to, t, i] {
          EXPECT_EQ(worker_index(), to);
          EXPECT_GT(i, last[to][t]);
          last[to][t] = i;
          ++received;
        });
      }
    });
  runtime.run_until([&] { return received == 3 * kEach; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(started, 4);
}

TEST(Runtime, StopFromAnotherThreadWakesSleepers) {
  Runtime runtime(3);
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(20));
    runtime.stop();
  });
  const Instant begin = precise_now();
  runtime.run();
  EXPECT_LT(precise_now() - begin, std::chrono::seconds(10));
  other.join();
}

}  // namespace
}  // namespace rt
