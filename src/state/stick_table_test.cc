#include "state/stick_table.h"

#include <gtest/gtest.h>

#include <thread>

#include "state/stick_filter.h"

namespace state {
namespace {

StickSettings settings(std::uint32_t size, std::int64_t expire_ms = 0) {
  StickSettings s;
  s.name = "t";
  s.key = Type::string;
  s.key_size = 16;
  s.size = size;
  s.expire_ms = expire_ms;
  for (StickData data : {StickData::gpc0, StickData::conn_cnt, StickData::conn_cur,
                         StickData::bytes_in_cnt, StickData::server_id, StickData::server_key})
    s.column(data).elements = 1;
  s.column(StickData::conn_rate) = {1, 1000, 0};
  s.column(StickData::gpt) = {3, 0, 0};
  return s;
}

std::uint64_t value(StickTable& table, std::string_view key, StickData data, std::int64_t now = 0) {
  std::uint64_t got = ~std::uint64_t{0};
  table.look(key, now, [&](const StickRow& row) { got = row.get(data, 0, now).value_or(0); });
  return got;
}

TEST(StickRate, weighsThePeriodBefore) {
  StickRate rate;
  rate.add(5000, 1000, 10);
  EXPECT_EQ(rate.read(5999, 1000), 10u);
  EXPECT_EQ(rate.read(6500, 1000), 5u);
  EXPECT_EQ(rate.read(7000, 1000), 0u);
  rate.add(6500, 1000, 4);
  EXPECT_EQ(rate.read(6500, 1000), 9u);
}

TEST(StickRate, doesNotFlapOnOneEventAndSurvivesTheClock) {
  StickRate rate;
  rate.add(0xffffff00u, 1000, 1);
  EXPECT_EQ(rate.read(0x00000100u, 1000), 1u);
  EXPECT_EQ(rate.read(0x00000400u, 1000), 1u);
  EXPECT_EQ(rate.read(0x00000800u, 1000), 0u);
}

TEST(StickTable, keepsWhatIsCounted) {
  StickTable table(settings(10));
  {
    StickRef a = table.open("a", 0);
    ASSERT_TRUE(a);
    a.begin_tracking(0);
    EXPECT_EQ(a.get(StickData::conn_cur, 0, 0), 1u);
    EXPECT_EQ(a.increase(StickData::gpc0, StickData::gpc0_rate, 0, 3, 0), 3u);
    EXPECT_TRUE(a.set(StickData::gpt, 2, 7, 0));
    EXPECT_FALSE(a.set(StickData::gpt, 3, 7, 0));
    EXPECT_FALSE(a.get(StickData::http_req_cnt, 0, 0));
    a.count(StickEvent::bytes_in, 5'000'000'000, 0);
    a.set_server_key("s1");
    EXPECT_EQ(a.references(), 1u);
  }
  EXPECT_EQ(table.used(), 1u);
  EXPECT_EQ(value(table, "a", StickData::conn_cur), 0u);
  EXPECT_EQ(value(table, "a", StickData::conn_cnt), 1u);
  EXPECT_EQ(value(table, "a", StickData::conn_rate), 1u);
  EXPECT_EQ(value(table, "a", StickData::bytes_in_cnt), 5'000'000'000u);
  table.look("a", 0, [](const StickRow& row) {
    EXPECT_EQ(row.server_key(), "s1");
    EXPECT_EQ(row.get(StickData::gpt, 2, 0), 7u);
    EXPECT_EQ(row.get(StickData::gpt0, 0, 0), 0u);  // the first of the array
  });
  EXPECT_FALSE(table.look("b", 0, [](const StickRow&) {}));
}

// Entries are touched when they are let go, by the clock.
TEST(StickTable, entriesExpireUnlessTracked) {
  StickTable table(settings(10, 10000));
  const std::int64_t t0 = stick_clock_ms(), expired = t0 + 11000;
  StickRef held = table.open("held", t0);
  table.open("gone", t0);
  EXPECT_TRUE(table.look("gone", t0 + 9000, [](const StickRow&) {}));
  EXPECT_FALSE(table.look("gone", expired, [](const StickRow&) {}));
  table.open("swept", t0);
  table.sweep(t0 + 9000);
  EXPECT_EQ(table.used(), 2u);
  table.sweep(expired);
  EXPECT_EQ(table.used(), 1u);
  EXPECT_TRUE(table.look("held", expired, [](const StickRow&) {}));
  held.release();
  EXPECT_TRUE(table.look("held", t0 + 9000, [](const StickRow&) {}));
  EXPECT_FALSE(table.look("held", expired, [](const StickRow&) {}));
}

TEST(StickTable, fullTablesGiveUpTheOldestOrRefuse) {
  StickTable purging(settings(3));
  StickRef first = purging.open("a", 0);
  for (std::string_view key : {"b", "c", "d"}) purging.open(key, 0);
  EXPECT_EQ(purging.used(), 3u);
  EXPECT_FALSE(purging.look("b", 0, [](const StickRow&) {}));
  EXPECT_TRUE(purging.look("a", 0, [](const StickRow&) {}));

  StickSettings strict = settings(2);
  strict.nopurge = true;
  StickTable keeping(std::move(strict));
  keeping.open("a", 0);
  keeping.open("b", 0);
  EXPECT_FALSE(keeping.open("c", 0));
  EXPECT_TRUE(keeping.open("b", 0));
  EXPECT_EQ(keeping.used(), 2u);
}

TEST(StickTable, nothingGoesWhereAllIsTracked) {
  StickTable table(settings(2));
  StickRef a = table.open("a", 0), b = table.open("b", 0);
  EXPECT_FALSE(table.open("c", 0));
  EXPECT_EQ(table.remove("a"), StickTable::Removal::tracked);
  a.release();
  EXPECT_TRUE(table.open("c", 0));
  EXPECT_EQ(table.remove("a"), StickTable::Removal::missing);
}

TEST(StickTable, scansAndRemovesByFilter) {
  StickTable table(settings(5000));
  for (int i = 0; i < 3000; ++i)
    table.open("k" + std::to_string(i), 0).set(StickData::gpc0, 0, static_cast<unsigned>(i), 0);
  StickFilter filter;
  filter.data = StickData::gpc0;
  filter.comparison = *find_stick_comparison("ge");
  filter.number = 1000;
  std::uint64_t place = 0;
  int seen = 0;
  while (table.scan(place, 0, [&](const StickRow& row) {
    ++seen;
    return filter.holds(row, 0);
  })) {
  }
  EXPECT_EQ(seen, 3000);
  EXPECT_EQ(table.used(), 1000u);
  EXPECT_TRUE(table.look("k999", 0, [](const StickRow&) {}));
  EXPECT_FALSE(table.look("k1000", 0, [](const StickRow&) {}));
}

TEST(StickTable, keysTakeTheirForm) {
  base::Arena arena;
  StickSettings binary = settings(10);
  binary.key = Type::binary;
  binary.key_size = 4;
  StickTable padded(std::move(binary));
  EXPECT_EQ(padded.key_of(Value::bin("ab"), arena), std::string_view("ab\0\0", 4));
  EXPECT_EQ(padded.key_of(Value::bin("abcdef"), arena), "abcd");
  StickTable text(settings(10));
  EXPECT_EQ(text.key_of(Value::str("0123456789abcdefgh"), arena), "0123456789abcdef");
}

// Many threads on few keys of a table that is full all the time.
TEST(StickTable, countsExactlyUnderThreads) {
  StickTable table(settings(1500));
  constexpr int kThreads = 4, kRounds = 20000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&table, t] {
      std::uint64_t place = 0;
      for (int i = 0; i < kRounds; ++i) {
        StickRef shared = table.open("shared", i);
        shared.begin_tracking(i);
        shared.increase(StickData::gpc0, StickData::gpc0_rate, 0, 1, i);
        StickRef own = table.open(std::to_string(t * kRounds + i), i);
        own.begin_tracking(i);
        if (i % 1000 == 0 && !table.scan(place, i, [](const StickRow&) { return false; }))
          place = 0;
      }
    });
  StickRef watched = table.open("shared", 0);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(watched.get(StickData::gpc0, 0, 0), std::uint64_t{kThreads} * kRounds);
  EXPECT_EQ(watched.get(StickData::conn_cnt, 0, 0), std::uint64_t{kThreads} * kRounds);
  EXPECT_EQ(watched.get(StickData::conn_cur, 0, 0), 0u);
  EXPECT_LE(table.used(), 1500u);
}

}  // namespace
}  // namespace state
