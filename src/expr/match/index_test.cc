#include <gtest/gtest.h>

#include <random>

#include "expr/expression.h"
#include "expr/match.h"
#include "expr/match/literals.h"
#include "expr/regex.h"

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

// Many patterns go through one automaton; edits leave holes in it and stand behind it until it is
// built anew. The first in order must stand all the while.
template <class Matches>
void compare_with_one_by_one(MatchMethod method, bool ignore_case,
                             const std::vector<std::string>& pool, Matches matches) {
  std::mt19937 random(7);
  auto pick = [&](std::size_t n) { return random() % n; };
  Bench bench(method, ignore_case);
  std::vector<std::pair<std::uint64_t, std::string>> kept;
  auto refresh = [&] {
    kept.clear();
    bench.set.each([&](const state::PatternEntry& e) {
      kept.emplace_back(e.id, e.key);
      return true;
    });
  };
  for (int round = 0; round < 2000; ++round) {
    if (kept.size() < 300 && pick(3) != 0)
      bench.set.add(pool[pick(pool.size())], std::to_string(round));
    else if (!kept.empty())
      bench.set.remove_by_id(kept[pick(kept.size())].first);
    refresh();
    std::string text;
    for (std::size_t i = 0; i < 12; ++i) text += "abcAB-"[pick(6)];
    std::string expected = "-";
    for (const auto& [id, key] : kept)
      if (matches(key, text)) {
        expected = key;
        break;
      }
    MatchResult result;
    bool found = bench.index->match(Value::str(text), bench.arena, &result);
    ASSERT_EQ(found ? std::string(result.key) : "-", expected) << text << " in round " << round;
  }
}

TEST(PatternIndex, FindsTheFirstPartOfMany) {
  std::vector<std::string> pool;
  for (const char* a : {"", "a", "ab", "Abc", "bca", "c-"})
    for (const char* b : {"", "a", "B", "cb", "-a", "ABc"})
      for (const char* c : {"", "b", "ca"}) pool.push_back(std::string("x") + a + b + c);
  for (std::string& each : pool) each.erase(0, each.size() > 3 ? 1 : 0);
  for (bool ignore_case : {false, true})
    compare_with_one_by_one(MatchMethod::substring, ignore_case, pool,
                            [&](std::string key, std::string text) {
                              if (ignore_case) {
                                key = base::to_lower(key);
                                text = base::to_lower(text);
                              }
                              return text.find(key) != std::string::npos;
                            });
}

TEST(PatternIndex, FindsTheFirstOfManyExpressions) {
  std::vector<std::string> pool = {"abc",    "^ab",     "a.c$",     "(ab|bc)a", "[abc]-",
                                   "a{2,}b", "(?i)ABA", "b+c",      "ab?ca",    "(abc)?A",
                                   "x*",     "Ab-",     "(a|b)+-A", "c\\-A"};
  for (const char* a : {"aa", "bB", "-c", "cA"})
    for (const char* b : {"b", ".*a", "(c|A)", "\\w-"}) pool.push_back(std::string(a) + b);
  compare_with_one_by_one(MatchMethod::regex, false, pool,
                          [](const std::string& key, const std::string& text) {
                            return (*Regex::compile(key, false))->matches(text);
                          });
}

TEST(RequiredLiterals, AreWhatEveryMatchContains) {
  auto told = [](std::string_view expression) {
    std::string all;
    for (const match::AnyOf& clause : match::required_literals(expression)) {
      if (!all.empty()) all += " & ";
      for (std::size_t i = 0; i < clause.size(); ++i) all += (i == 0 ? "" : "|") + clause[i];
    }
    return all;
  };
  EXPECT_EQ(told("^/Path/[0-9]+/end$"), "/path/ & /end");
  EXPECT_EQ(told("abc?de"), "ab & de");
  EXPECT_EQ(told("abc+de"), "abc & de");
  EXPECT_EQ(told("ab(cd|ef)*gh"), "ab & gh");
  EXPECT_EQ(told("(cd|ef)+"), "cd|ef");
  EXPECT_EQ(told("x{0,3}yz(?:ab){2}"), "yz & ab");
  EXPECT_EQ(told("www\\.example\\.com"), "www.example.com");
  EXPECT_EQ(told("foo|b.r"), "");
  EXPECT_EQ(told("foo|bar.*"), "foo|bar");
  EXPECT_EQ(told("(?!not)yes"), "yes");
  EXPECT_EQ(told("[[:alpha:]]]ab[]x]cd"), "]ab & cd");
  for (std::string_view nothing :
       {"(?x)a b", "\\Qa.b\\E", "a{b", "(?#note)ab", "(*UCP)ab", "ab\\p{L}"})
    EXPECT_EQ(told(nothing), "") << nothing;
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
