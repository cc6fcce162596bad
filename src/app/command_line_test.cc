#include "app/command_line.h"

#include <gtest/gtest.h>

#include "app/version.h"

namespace app {
namespace {

CommandLine parse(std::vector<std::string> words) {
  words.insert(words.begin(), "moongate");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

TEST(CommandLine, TakesFilesInOrderAndAfterTwoDashes) {
  const CommandLine line = parse({"-f", "a.cfg", "-f", "folder", "-c", "--", "b.cfg", "c.cfg"});
  EXPECT_EQ(line.mode, Mode::check);
  EXPECT_EQ(line.paths, (std::vector<std::string>{"a.cfg", "folder", "b.cfg", "c.cfg"}));
}

TEST(CommandLine, TakesNumbersWhereTheyBelong) {
  const CommandLine line = parse({"-f", "a", "-n", "200", "-m", "64", "-sf", "11", "12", "-D"});
  EXPECT_EQ(line.maximum, 200);
  EXPECT_EQ(line.memory_megabytes, 64);
  EXPECT_EQ(line.finish, (std::vector<std::int32_t>{11, 12}));
  EXPECT_TRUE(line.daemon);
  EXPECT_EQ(line.mode, Mode::run);
}

TEST(CommandLine, NamesWhatItDoesNotUnderstand) {
  EXPECT_EQ(parse({"-f"}).mode, Mode::usage_error);
  const CommandLine unknown = parse({"-f", "a", "--quick"});
  EXPECT_EQ(unknown.mode, Mode::usage_error);
  EXPECT_NE(unknown.text.find("quick"), std::string::npos) << unknown.text;
}

TEST(CommandLine, AnswersConditions) {
  const CommandLine line = parse({"-cc", "feature(LUA)"});
  EXPECT_EQ(line.mode, Mode::condition);
  EXPECT_EQ(line.text, "feature(LUA)");
}

TEST(Versions, AreOrderedWithTheirPreReleases) {
  EXPECT_LT(compare_versions("2.5-dev0", "2.5"), 0);
  EXPECT_LT(compare_versions("3.4", "3.5-dev1"), 0);
  EXPECT_EQ(compare_versions("3.5-dev5", "3.5-dev5"), 0);
  EXPECT_GT(compare_versions("3.10", "3.9"), 0);
}

}  // namespace
}  // namespace app
