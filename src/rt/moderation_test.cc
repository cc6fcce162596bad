#include "rt/moderation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace rt {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class Moderated : public testing::Test {
 protected:
  // Turns with one event each, of one descriptor after the other.
  void events(int count, Duration apart, std::size_t descriptors) {
    last_.resize(std::max(last_.size(), descriptors));
    for (int i = 0; i < count; ++i) {
      pass(apart);
      moderation_.heard(last_[static_cast<std::size_t>(i) % descriptors]);
    }
  }
  void pass(Duration time) {
    now_ += time;
    moderation_.turn(now_);
  }

  Moderation moderation_;
  Instant now_{seconds(1000)};
  std::vector<Moderation::Moment> last_;
};

TEST_F(Moderated, MakesNobodyWaitAtFirst) {
  EXPECT_FALSE(moderation_.worthwhile());
  events(50, microseconds(5), 64);
  EXPECT_FALSE(moderation_.worthwhile()) << "before the first millisecond is over";
}

TEST_F(Moderated, RestsWhereManyConnectionsAreBusy) {
  events(1000, microseconds(10), 64);
  EXPECT_TRUE(moderation_.worthwhile());
}

TEST_F(Moderated, FewEventsAreNotWaitedFor) {
  events(1000, microseconds(20), 64);
  EXPECT_FALSE(moderation_.worthwhile());
}

TEST_F(Moderated, FewConnectionsAreNotHeldUp) {
  events(1000, microseconds(10), 24);
  EXPECT_FALSE(moderation_.worthwhile());
  events(1000, microseconds(10), 64);
  EXPECT_TRUE(moderation_.worthwhile());
}

TEST_F(Moderated, SomeInAHurryAmongMany) {
  for (int i = 0; i < 200; ++i) {  // one in four is always the same
    events(24, microseconds(10), 64);
    events(8, microseconds(10), 1);
  }
  EXPECT_FALSE(moderation_.worthwhile());
  for (int i = 0; i < 200; ++i) {  // one in seventeen
    events(64, microseconds(10), 64);
    events(4, microseconds(10), 1);
  }
  EXPECT_TRUE(moderation_.worthwhile());
}

TEST_F(Moderated, ListenersAreInNoHurry) {
  for (int i = 0; i < 1000; ++i) {
    pass(microseconds(10));
    moderation_.heard();
  }
  EXPECT_TRUE(moderation_.worthwhile());
}

TEST_F(Moderated, EndsWithTheLoad) {
  events(1000, microseconds(10), 64);
  ASSERT_TRUE(moderation_.worthwhile());
  pass(seconds(5));
  EXPECT_FALSE(moderation_.worthwhile());
}

TEST_F(Moderated, MomentsBeginAnew) {
  events(10, microseconds(10), 64);
  pass(std::chrono::hours(2));
  events(1000, microseconds(10), 64);
  EXPECT_TRUE(moderation_.worthwhile());
  pass(std::chrono::nanoseconds(std::int64_t{1} << 42));  // all of them once
  events(1000, microseconds(20), 64);
  EXPECT_FALSE(moderation_.worthwhile());
}

}  // namespace
}  // namespace rt
