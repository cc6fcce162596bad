#include <gtest/gtest.h>

#include "expr/expression.h"
#include "expr/match.h"

namespace expr {
namespace {

struct Bench {
  explicit Bench(MatchMethod method, bool ignore_case = false) : set("virt@x", true, 0) {
    IndexOptions options;
    options.method = method;
    options.ignore_case = ignore_case;
    index = *PatternIndex::build(set, options);
  }
  // The value of the entry that is found, "-" for none.
  std::string find(Value sample) {
    MatchResult result;
    if (!cast(sample, match_input(index->options().method, sample.type), arena)) return "no cast";
    return index->match(sample, arena, &result) ? std::string(result.value) : "-";
  }
  std::string find(std::string_view text) { return find(Value::str(text)); }
  state::PatternSet set;
  std::shared_ptr<PatternIndex> index;
  base::Arena arena;
};

// Whatever the structure: edits of one entry show at once, the first of equal keys stands, and it
// is followed by the next when it goes.
TEST(PatternIndex, FollowsEdits) {
  struct {
    MatchMethod method;
    std::string_view key, other, sample;
  } cases[] = {
      {MatchMethod::string, "abc", "xyz", "abc"},
      {MatchMethod::prefix, "ab", "x", "abc"},
      {MatchMethod::suffix, "bc", "x", "abc"},
      {MatchMethod::substring, "b", "x", "abc"},
      {MatchMethod::directory, "b", "x", "a/b/c"},
      {MatchMethod::domain, "b", "x", "a.b.c"},
      {MatchMethod::regex, "^a", "^x", "abc"},
      {MatchMethod::binary, "616263", "00", "abc"},
      {MatchMethod::length, "3", "4", "abc"},
      {MatchMethod::integer, "12", "13", "12"},
      {MatchMethod::integer, "10:14", "15:20", "12"},
      {MatchMethod::ip, "10.0.0.0/8", "::1", "10.1.2.3"},
  };
  for (const auto& each : cases) {
    for (bool ignore_case : {false, true}) {
      SCOPED_TRACE(std::string(name_of(each.method)) + " " + std::string(each.key));
      Bench bench(each.method, ignore_case);
      EXPECT_EQ(bench.find(each.sample), "-");
      ASSERT_TRUE(bench.set.add(each.other, "other"));
      EXPECT_EQ(bench.find(each.sample), "-");
      bench.set.add(each.key, "one");
      bench.set.add(each.key, "two");
      EXPECT_EQ(bench.find(each.sample), "one");
      std::uint64_t first = 0;
      bench.set.each([&](const state::PatternEntry& e) { return first = e.id, e.value != "one"; });
      EXPECT_TRUE(bench.set.remove_by_id(first));
      EXPECT_EQ(bench.find(each.sample), "two");
      bench.set.set(each.key, "three");
      EXPECT_EQ(bench.find(each.sample), "three");
      bench.set.remove(each.key);
      EXPECT_EQ(bench.find(each.sample), "-");
      bench.set.add(each.key, "four");
      EXPECT_EQ(bench.find(each.sample), "four");
      bench.set.clear();
      EXPECT_EQ(bench.find(each.sample), "-");
    }
  }
}

TEST(PatternIndex, TakesTheLongestPrefix) {
  Bench bench(MatchMethod::prefix);
  for (std::string_view key : {"/", "/a", "/abc", "/ab", ""}) bench.set.add(key, key);
  EXPECT_EQ(bench.find("/abcd"), "/abc");
  EXPECT_EQ(bench.find("/abx"), "/ab");
  EXPECT_EQ(bench.find("x"), "");
}

TEST(PatternIndex, TakesTheNarrowestNetwork) {
  Bench bench(MatchMethod::ip);
  for (std::string_view key :
       {"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32"})
    bench.set.add(key, key);
  EXPECT_EQ(bench.find("10.1.2.3"), "10.1.2.3");
  EXPECT_EQ(bench.find("10.1.2.4"), "10.1.0.0/16");
  EXPECT_EQ(bench.find("10.2.2.4"), "10.0.0.0/8");
  EXPECT_EQ(bench.find("11.2.2.4"), "0.0.0.0/0");
  EXPECT_EQ(bench.find("2001:db8::1"), "2001:db8::/32");
  EXPECT_EQ(bench.find("2001:db9::1"), "-");
}

TEST(PatternIndex, RefusesWhatIsNoPattern) {
  std::string error;
  EXPECT_FALSE(Bench(MatchMethod::ip).set.add("example.com", "", 0, &error));
  EXPECT_EQ(error, "'example.com' is not a valid IPv4 or IPv6 address");
  EXPECT_FALSE(Bench(MatchMethod::integer).set.add("x", "", 0, &error));
  Bench regex(MatchMethod::regex);
  EXPECT_FALSE(regex.set.add("(", "", 0, &error));
  EXPECT_EQ(error, "regex '(' is invalid (error=missing closing parenthesis, erroffset=1)");
}

TEST(PatternIndex, IsSharedByUsersOfOneSet) {
  state::PatternSet set("virt@x", true, 0);
  IndexOptions options;
  auto one = *PatternIndex::build(set, options);
  EXPECT_EQ(*PatternIndex::build(set, options), one);
  options.ignore_case = true;
  EXPECT_NE(*PatternIndex::build(set, options), one);
}

}  // namespace
}  // namespace expr
