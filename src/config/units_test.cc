#include "config/units.h"

#include <gtest/gtest.h>

#include "config/arguments.h"

namespace config {
namespace {

std::int64_t ms(std::string_view text) {
  auto value = parse_time(text, TimeUnit::ms, TimeUnit::ms);
  return value ? *value : -1;
}

TEST(Units, Times) {
  EXPECT_EQ(ms("0"), 0);
  EXPECT_EQ(ms("10"), 10);
  EXPECT_EQ(ms("10s"), 10000);
  EXPECT_EQ(ms("2m"), 120000);
  EXPECT_EQ(ms("1us"), 1);
  EXPECT_EQ(ms("1500us"), 2);
  EXPECT_EQ(ms("24d"), 24 * 86400000LL);
  EXPECT_EQ(*parse_time("10", TimeUnit::s, TimeUnit::s), 10);
  EXPECT_EQ(*parse_time("1h", TimeUnit::s, TimeUnit::s), 3600);
  EXPECT_EQ(*parse_time("500ms", TimeUnit::s, TimeUnit::s), 1);
  for (const char* wrong : {"", "ms", "1z", "-1", "+1", "1S", "10.5s", "1ss", "25d", "2147483648",
                            "99999999999999999999", "18446744073709551615d"})
    EXPECT_EQ(ms(wrong), -1) << wrong;
}

TEST(Units, Sizes) {
  EXPECT_EQ(*parse_size("16k"), 16384u);
  EXPECT_EQ(*parse_size("1G"), 1073741824u);
  EXPECT_EQ(*parse_size("3"), 3u);
  for (const char* wrong : {"", "k", "-1", "1kb", "1.5k", "99999999999999999999", "17179869184g"})
    EXPECT_FALSE(parse_size(wrong)) << wrong;
}

TEST(Arguments, WalksAndReports) {
  SourceFile file{"f", {"timeout client 1ss extra"}};
  Line line{&file, 1, {{"timeout", 0}, {"client", 8}, {"1ss", 15}, {"extra", 19}}, 24};
  Diagnostics diagnostics;
  Arguments arguments(line, diagnostics);
  EXPECT_TRUE(arguments.accept("client"));
  EXPECT_EQ(arguments.time_ms("timeout client"), 1000);
  EXPECT_EQ(diagnostics.warnings(), 1u);
  EXPECT_FALSE(arguments.expect_end());
  EXPECT_EQ(diagnostics.messages()[1].text, "'timeout' cannot handle unexpected argument 'extra'.");
  arguments.next();
  EXPECT_FALSE(arguments.number("timeout", 0, 5));
  EXPECT_EQ(diagnostics.messages()[2].at.column, 24u);
}

}  // namespace
}  // namespace config
