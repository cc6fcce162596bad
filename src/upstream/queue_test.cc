#include "upstream/queue.h"

#include "upstream/testing.h"

namespace upstream {
namespace {

using rt::milliseconds;
using testing::Farm;
using testing::in_fiber;
using testing::Request;

TEST(Queue, ServesByPriorityClassThenOffsetThenArrival) {
  in_fiber(1, [] {
    Farm farm;
    farm.add("s1", [](ServerSettings& s) { s.maximum = 1; });
    farm.prepare();
    auto held = Request(farm).acquire();
    ASSERT_TRUE(held);
    std::string order;
    struct Wish {
      char name;
      int cls;
      int offset;
    };
    int left = 0;
    for (const Wish& wish : {Wish{'c', 0, 0}, Wish{'d', 0, 0}, Wish{'b', 0, -5000},
                             Wish{'a', -1, 0}, Wish{'e', 2, -9}}) {
      ++left;
      rt::spawn([&farm, &order, &left, wish] {
        Request request(farm);
        request.exchange.priority_class = wish.cls;
        request.exchange.priority_offset = wish.offset;
        auto slot = request.acquire(milliseconds(5000));
        ASSERT_TRUE(slot);
        order += wish.name;
        --left;
      });
      (void)rt::sleep_for(milliseconds(2));
    }
    EXPECT_EQ(farm.backend->state().queued.load(), 5u);
    (*held)->free();
    while (left > 0) (void)rt::sleep_for(milliseconds(1));
    EXPECT_EQ(order, "abcde");
    EXPECT_EQ(farm.backend->state().queued.load(), 0u);
    EXPECT_EQ(farm.backend->find("s1")->state().served.load(), 0u);
  });
}

TEST(Queue, GivesUpInTimeAndWhenCancelledAndWhenFull) {
  in_fiber(1, [] {
    Farm farm;
    farm.add("s1", [](ServerSettings& s) {
      s.maximum = 1;
      s.queue_limit = 1;
    });
    Server& server = *farm.backend->find("s1");
    farm.prepare();
    auto held = Request(farm).acquire();
    EXPECT_EQ(Request(farm).acquire(milliseconds(10)).error(), NoSlot::queue_timeout);
    bool cancelled = false;
    rt::Fiber& waiter = rt::spawn([&] {
      Request request(farm);
      request.exchange.forced_server = &server.state();
      cancelled = request.acquire(milliseconds(5000)).error() == NoSlot::cancelled;
    });
    (void)rt::sleep_for(milliseconds(2));
    EXPECT_EQ(server.state().queued.load(), 1u);
    rt::cancel(waiter);
    (void)rt::sleep_for(milliseconds(2));
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(server.state().queued.load(), 0u);
  });
}

TEST(Queue, WaitersOfAServerThatLeavesPickAgain) {
  in_fiber(1, [] {
    Farm farm([](BackendSettings& s) { s.redispatch_interval = -1; });
    Server& first = farm.add("s1", [](ServerSettings& s) { s.maximum = 1; });
    farm.add("s2");
    farm.prepare();
    Request holder(farm);
    holder.exchange.forced_server = &first.state();
    auto held = holder.acquire();
    std::string got;
    rt::spawn([&] {
      Request request(farm);
      request.exchange.forced_server = &first.state();
      auto slot = request.acquire(milliseconds(5000));
      ASSERT_TRUE(slot);
      got = (*slot)->server()->state().name;
    });
    (void)rt::sleep_for(milliseconds(2));
    ASSERT_TRUE(control::set_state(first, "maint").has_value());
    (void)rt::sleep_for(milliseconds(5));
    EXPECT_EQ(got, "s2");
  });
}

TEST(Queue, SlotsAreHandedOverBetweenWorkers) {
  constexpr unsigned kWorkers = 3;
  constexpr int kFibers = 40, kRounds = 50;
  std::atomic<int> left{0}, inside{0}, most{0}, served{0};
  rt::Runtime runtime(kWorkers);
  Farm farm([](BackendSettings& s) { s.balance = "leastconn"; });
  for (int i = 1; i <= 3; ++i)
    farm.add("s" + std::to_string(i), [](ServerSettings& s) { s.maximum = 2; });
  farm.prepare();
  left = kFibers * static_cast<int>(kWorkers);
  runtime.post_all([&](rt::Worker&) {
    for (int f = 0; f < kFibers; ++f)
      rt::spawn([&] {
        for (int i = 0; i < kRounds; ++i) {
          Request request(farm);
          auto slot = request.acquire(std::chrono::seconds(30));
          ASSERT_TRUE(slot);
          const int now = inside.fetch_add(1) + 1;
          int seen = most.load();
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          rt::yield();
          inside.fetch_sub(1);
          served.fetch_add(1);
        }
        if (left.fetch_sub(1) == 1) runtime.stop();
      });
  });
  runtime.run();
  EXPECT_EQ(served.load(), kFibers * kRounds * static_cast<int>(kWorkers));
  EXPECT_LE(most.load(), 6);
  for (const auto& server : farm.backend->servers()) {
    EXPECT_EQ(server->state().served.load(), 0u);
    EXPECT_LE(server->state().sessions_highest.load(), 2u);
  }
}

TEST(Slot, KillingCancelsTheHolder) {
  in_fiber(1, [] {
    Farm farm;
    Server& server = farm.add("s1");
    farm.prepare();
    Kill why = Kill::none;
    rt::spawn([&] {
      Request request(farm);
      auto slot = request.acquire();
      ASSERT_TRUE(slot);
      EXPECT_EQ(rt::sleep_for(milliseconds(5000)), rt::Wait::cancelled);
      why = (*slot)->killed();
    });
    rt::yield();
    control::shutdown_sessions(server);
    (void)rt::sleep_for(milliseconds(5));
    EXPECT_EQ(why, Kill::by_command);
    EXPECT_EQ(server.state().served.load(), 0u);
  });
}

}  // namespace
}  // namespace upstream
