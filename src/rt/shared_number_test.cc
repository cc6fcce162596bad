#include "rt/shared_number.h"

#include <gtest/gtest.h>

#include "rt/worker.h"

namespace rt {
namespace {

TEST(SharedNumber, TellsWhatWasThere) {
  for (const unsigned workers : {1u, 2u}) {
    Runtime runtime(workers);
    std::atomic<std::uint32_t> number{5};
    EXPECT_EQ(add(number, 3), 5u);
    EXPECT_EQ(subtract(number, 7), 8u);
    EXPECT_EQ(add(number, 1), 1u);
    EXPECT_EQ(number.load(), 2u);
  }
}

TEST(SharedNumber, IsExactOverAllWorkers) {
  constexpr int kTimes = 100'000;
  Runtime runtime(3);
  std::atomic<std::uint64_t> number{0};
  std::atomic<int> done{0};
  runtime.post_all([&](Worker&) {
    for (int i = 0; i < kTimes; ++i) {
      add(number, 2);
      subtract(number, 1);
    }
    ++done;
  });
  runtime.run_until([&] { return done == 3; });
  EXPECT_EQ(number.load(), 3u * kTimes);
}

}  // namespace
}  // namespace rt
