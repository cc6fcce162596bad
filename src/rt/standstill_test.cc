#include "rt/standstill.h"

#include <gtest/gtest.h>

#include <atomic>

#include "rt/fiber.h"
#include "rt/worker.h"

namespace rt {
namespace {

TEST(Standstill, NobodyElseRunsMeanwhile) {
  Runtime runtime(3);
  std::atomic<bool> stop{false};
  std::atomic<int> inside{0};
  for (unsigned i = 1; i < runtime.size(); ++i)
    runtime.worker(i).post([&] {
      spawn([&] {
        while (!stop.load()) {
          inside.fetch_add(1);
          inside.fetch_sub(1);
          yield();
        }
      });
    });
  bool done = false;
  int disturbed = 0, meetings = 0;
  spawn([&] {
    for (int i = 0; i < 100; ++i) {
      meetings += at_standstill([&] { disturbed += inside.load() != 0; });
      (void)sleep_for(std::chrono::microseconds(100));
    }
    stop = true;
    done = true;
  });
  runtime.run_until([&] { return done; });
  EXPECT_EQ(meetings, 100);
  EXPECT_EQ(disturbed, 0);
}

}  // namespace
}  // namespace rt
