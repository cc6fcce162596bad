#include "obs/log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>

#include "config/load.h"
#include "obs/counter.h"
#include "obs/descriptor_sink.h"
#include "obs/log_config.h"
#include "obs/log_header.h"
#include "obs/ring.h"

namespace obs {
namespace {

// What a pipe target writes for one line.
struct Pipe {
  Pipe() {
    if (::pipe(ends) != 0) ADD_FAILURE() << "pipe";
    target.kind = LogTarget::Kind::descriptor;
    target.fd = ends[1];
    target.facility = 16;
    target.sink = std::make_shared<DescriptorSink>(ends[1]);
  }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  std::string sent(const LogLine& line) {
    send(target, line);
    return read();
  }
  std::string read() {
    char buffer[70000];
    ::write(ends[1], "$", 1) == 1 ? void() : ADD_FAILURE();
    ssize_t n = ::read(ends[0], buffer, sizeof buffer);
    return std::string(buffer, static_cast<std::size_t>(n) - 1);
  }
  int ends[2];
  LogTarget target;
};

LogLine line_of(std::string_view text, Level level = Level::info) {
  LogLine line;
  line.level = level;
  line.tag = "haproxy";
  line.text = text;
  return line;
}

TEST(Log, FormatsPrintTheirHeaders) {
  Pipe pipe;
  struct Case {
    LogFormatKind format;
    const char* expected;
  };
  const std::string iso = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d)";
  const std::string date = R"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)";
  const std::vector<std::pair<LogFormatKind, std::string>> cases = {
      {LogFormatKind::unspecified, "<134>" + date + R"( haproxy\[\d+\]: hi)"},
      {LogFormatKind::local, "<134>" + date + R"( haproxy\[\d+\]: hi)"},
      {LogFormatKind::rfc3164, "<134>" + date + R"( localhost haproxy\[\d+\]: hi)"},
      {LogFormatKind::rfc5424, "<134>1 " + iso + R"( - haproxy \d+ - - hi)"},
      {LogFormatKind::priority, "<134>hi"},
      {LogFormatKind::short_, "<6>hi"},
      {LogFormatKind::timed, "<6>" + iso + " hi"},
      {LogFormatKind::iso, iso + " hi"},
      {LogFormatKind::raw, "hi"},
  };
  for (const auto& [format, expected] : cases) {
    pipe.target.format = format;
    std::string sent = pipe.sent(line_of("hi"));
    EXPECT_TRUE(std::regex_match(sent, std::regex(expected + "\n"))) << sent << " vs " << expected;
  }
  pipe.target.format = LogFormatKind::unspecified;
  LogLine line = line_of("hi");
  line.host = "box";
  EXPECT_TRUE(std::regex_match(pipe.sent(line), std::regex("<134>" + date + " box haproxy.*\n")));
}

TEST(Log, CutsToLengthWithTheLineFeed) {
  Pipe pipe;
  pipe.target.format = LogFormatKind::short_;
  pipe.target.length = 80;
  std::string sent = pipe.sent(line_of(std::string(200, 'a')));
  EXPECT_EQ(sent, "<6>" + std::string(76, 'a') + "\n");
}

TEST(Log, LevelsFilterAndCap) {
  Pipe pipe;
  pipe.target.format = LogFormatKind::short_;
  pipe.target.maximum = Level::warning;
  pipe.target.minimum = Level::err;
  EXPECT_EQ(pipe.sent(line_of("x", Level::info)), "");
  EXPECT_EQ(pipe.sent(line_of("x", Level::warning)), "<4>x\n");
  EXPECT_EQ(pipe.sent(line_of("x", Level::emerg)), "<3>x\n");
}

TEST(Log, SamplesRanges) {
  Pipe pipe;
  pipe.target.format = LogFormatKind::raw;
  pipe.target.sample = {{1, 1}, {3, 4}};
  pipe.target.sample_size = 5;
  prepare(pipe.target);
  std::string all;
  for (int i = 1; i <= 10; ++i) all += pipe.sent(line_of(std::to_string(i)));
  EXPECT_EQ(all, "1\n3\n4\n6\n8\n9\n");
}

TEST(Log, FullPipeDropsWholeLinesAndFinishesStartedOnes) {
  Pipe pipe;
  pipe.target.format = LogFormatKind::raw;
  pipe.target.length = 65535;
  std::uint64_t before = dropped_lines();
  LogLine big = line_of({});
  std::string text(60000, 'b');
  big.text = text;
  for (int i = 0; i < 4; ++i) send(pipe.target, big);
  EXPECT_GT(dropped_lines(), before);
  std::string got;
  char buffer[70000];
  for (int i = 0; i < 3; ++i) {
    ssize_t n = ::read(pipe.ends[0], buffer, sizeof buffer);
    got.append(buffer, static_cast<std::size_t>(n));
    send(pipe.target, line_of("small"));
  }
  std::size_t lines = 0;
  for (std::size_t at = 0; at < got.size();) {
    std::size_t end = got.find('\n', at);
    if (end == got.npos) break;
    std::string one = got.substr(at, end - at);
    EXPECT_TRUE(one == text || one == "small") << one.size();
    at = end + 1;
    ++lines;
  }
  EXPECT_GE(lines, 2u);
}

TEST(Log, RingKeepsTheNewestLines) {
  RingSettings settings;
  settings.name = "r";
  settings.size = 100;
  settings.longest = 10;
  Ring ring(std::move(settings));
  for (int i = 0; i < 50; ++i) ring.append("line " + std::to_string(i) + " and more");
  std::vector<std::string> lines;
  std::uint64_t next = ring.read(0, [&](std::string_view l) { lines.emplace_back(l); });
  EXPECT_EQ(next, 50u);
  ASSERT_EQ(lines.size(), 7u);
  EXPECT_EQ(lines.front(), "line 43 an");
  EXPECT_EQ(lines.back(), "line 49 an");
  ring.append("new");
  lines.clear();
  ring.read(next, [&](std::string_view l) { lines.emplace_back(l); });
  EXPECT_EQ(lines, std::vector<std::string>{"new"});
}

TEST(Log, RateSlides) {
  Rate rate;
  for (int i = 0; i < 100; ++i) rate.add(5'000);
  EXPECT_EQ(rate.per_second(5'999), 100u);
  EXPECT_EQ(rate.per_second(6'250), 75u);
  EXPECT_EQ(rate.per_second(7'000), 0u);
}

// The error of one "log" line, empty when it is right.
std::string parse(const std::string& text, LogSettings& into, bool negated = false) {
  config::Diagnostics diagnostics;
  config::Line line;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = std::min(text.find(' ', at), text.size());
    line.words.push_back({text.substr(at, end - at), static_cast<std::uint32_t>(at)});
    at = end + 1;
  }
  config::Arguments args(line, diagnostics);
  bool ok = parse_log(args, LogPlace::proxy, negated, into);
  EXPECT_EQ(ok, !diagnostics.failed());
  return ok ? "" : diagnostics.messages().front().text;
}

TEST(LogConfig, ReadsEveryPart) {
  LogSettings into;
  EXPECT_EQ(
      parse("log 127.0.0.1:1514 len 2000 format rfc5424 sample 1,3-4:5 local7 notice err", into),
      "");
  const LogTarget& target = *into.targets.at(0);
  EXPECT_EQ(target.address.port(), 1514);
  EXPECT_EQ(target.length, 2000u);
  EXPECT_EQ(target.format, LogFormatKind::rfc5424);
  EXPECT_EQ(target.sample.size(), 2u);
  EXPECT_EQ(target.sample_size, 5u);
  EXPECT_EQ(target.facility, 23);
  EXPECT_EQ(target.maximum, Level::notice);
  EXPECT_EQ(target.minimum, Level::err);
  EXPECT_EQ(parse("log /dev/log daemon", into), "");
  EXPECT_TRUE(into.targets.at(1)->address.is_unix());
  EXPECT_EQ(parse("log global", into), "");
  EXPECT_TRUE(into.global);
  EXPECT_EQ(parse("log", into, true), "");
  EXPECT_TRUE(into.targets.empty() && !into.global);
}

TEST(LogConfig, SaysWhatIsWrong) {
  LogSettings into;
  EXPECT_EQ(parse("log", into), "log : expects <address> and <facility>  as arguments");
  EXPECT_EQ(parse("log stdout loacl0", into), "log : unknown log facility 'loacl0'");
  EXPECT_EQ(parse("log stdout len 5 local0", into),
            "log : invalid log length '5', must be between 80 and 65535");
  EXPECT_EQ(parse("log stdout format blah local0", into), "log : unknown log format 'blah'");
  EXPECT_EQ(
      parse("log stdout sample 1-4:3 local0", into),
      "log : sample size 3 should be greater or equal to 4 the maximum of the high ranges limits");
  EXPECT_EQ(parse("log stdout sample 0:3 local0", into), "log : wrong sample range '0'");
  EXPECT_EQ(parse("log stdout local0 blah", into), "log : unknown optional log level 'blah'");
  EXPECT_EQ(parse("log stdout local0 info info more", into),
            "log : cannot handle unexpected argument 'more'");
  EXPECT_EQ(parse("log fd@x local0", into),
            "log : file descriptor 'x' is not a valid integer in 'fd@x'");
  EXPECT_EQ(parse("log x", into, true), "log : 'no log' does not expect arguments");
}

}  // namespace
}  // namespace obs
