#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/arena.h"
#include "base/function.h"
#include "base/hash.h"
#include "base/text.h"

namespace base {
namespace {

TEST(Text, NumbersAreWholeOrNothing) {
  EXPECT_EQ(parse_int<int>("-17"), -17);
  EXPECT_EQ(parse_int<std::uint8_t>("255"), 255);
  EXPECT_EQ(parse_int<std::uint8_t>("256"), std::nullopt);
  EXPECT_EQ(parse_int<unsigned>("-1"), std::nullopt);
  EXPECT_EQ(parse_int<int>("1 "), std::nullopt);
  EXPECT_EQ(parse_int<int>(""), std::nullopt);
  EXPECT_EQ(parse_int<int>("ff", 16), 255);
}

TEST(Text, ComparesAsciiWithoutCaseAndNothingElse) {
  EXPECT_TRUE(iequals("Transfer-Encoding", "transfer-ENCODING"));
  EXPECT_FALSE(iequals("a", "ab"));
  EXPECT_FALSE(iequals("[", "{"));
  EXPECT_FALSE(iequals("\xc4", "\xe4"));
  EXPECT_EQ(trim(" \t a b\t"), "a b");
}

// Words are compared several letters at a time; each byte must count as it does alone.
TEST(Text, ComparesEveryByteWithoutCase) {
  for (const std::size_t size : {1, 3, 4, 7, 8, 9, 15, 16, 17})
    for (std::size_t at = 0; at < size; ++at)
      for (int x = 0; x < 256; ++x)
        for (int y = 0; y < 256; ++y) {
          std::string a(size, 'q'), b(size, 'Q');
          a[at] = static_cast<char>(x);
          b[at] = static_cast<char>(y);
          ASSERT_EQ(iequals(a, b), lower(a[at]) == lower(b[at])) << size << ' ' << at << ' ' << x;
        }
}

TEST(Text, SuggestsTheNearestWord) {
  const std::string_view words[] = {"backend", "balance", "bind"};
  EXPECT_EQ(nearest("balanec", words, std::size(words)), "balance");
  EXPECT_EQ(nearest("quite-other", words, std::size(words)), "");
}

TEST(Text, DecodesBase64) {
  std::string out;
  EXPECT_TRUE(decode_base64("dXNlcjpwYXNz", out));
  EXPECT_EQ(out, "user:pass");
  EXPECT_TRUE(decode_base64("YQ", out));
  EXPECT_EQ(out, "user:passa");
  EXPECT_FALSE(decode_base64("YQ=?", out));
}

TEST(Arena, KeepsWhatItGaveUntilReset) {
  Arena arena;
  const std::string_view small = arena.copy("small");
  const std::string large(1 << 20, 'x');
  EXPECT_EQ(arena.copy(large), large);
  for (int i = 0; i < 1000; ++i) {
    void* p = arena.allocate(24, 16);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % 16, 0u);
  }
  EXPECT_EQ(small, "small");
  arena.reset();
  EXPECT_EQ(arena.copy("again"), "again");
}

TEST(Function, MovesWhatItHolds) {
  auto counter = std::make_shared<int>(0);
  Function<int(int)> inside = [counter](int by) { return *counter += by; };
  std::array<char, 200> ballast{};
  Function<int(int)> outside = [counter, ballast](int by) { return *counter += by + ballast[0]; };
  Function<int(int)> moved = std::move(inside);
  EXPECT_FALSE(inside);  // NOLINT(bugprone-use-after-move): what the test is about
  EXPECT_EQ(moved(2), 2);
  moved = std::move(outside);
  EXPECT_EQ(moved(3), 5);
  moved = nullptr;
  EXPECT_EQ(counter.use_count(), 1);
}

// The check values of the published algorithms.
TEST(Hash, GivesPublishedValues) {
  EXPECT_EQ(hash_crc32("123456789"), 0xcbf43926u);
  EXPECT_EQ(hash_crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(hash_djb2(""), 5381u);
  EXPECT_EQ(hash_sdbm("a"), 97u);
}

}  // namespace
}  // namespace base
