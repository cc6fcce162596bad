#include "obs/syslog.h"

#include <gtest/gtest.h>

namespace obs {
namespace {

TEST(Syslog, ReadsBothHeaders) {
  SyslogMessage m = parse_syslog("<34>Oct  1 22:14:15 machine su[12]: a: b\n");
  EXPECT_EQ(m.format, LogFormatKind::rfc3164);
  EXPECT_EQ(m.level, Level::crit);
  EXPECT_EQ(m.facility, 4u);
  EXPECT_EQ(m.host, "machine");
  EXPECT_EQ(m.tag, "su");
  EXPECT_EQ(m.process, "12");
  EXPECT_EQ(m.text, "a: b");
  m = parse_syslog(R"(<13>1 - host app - id [a x="]\"] "][b] text here)");
  EXPECT_EQ(m.format, LogFormatKind::rfc5424);
  EXPECT_EQ(m.time, "");
  EXPECT_EQ(m.tag, "app");
  EXPECT_EQ(m.process, "");
  EXPECT_EQ(m.structured, R"([a x="]\"] "][b])");
  EXPECT_EQ(m.text, "text here");
}

TEST(Syslog, LeavesWhatItDoesNotKnow) {
  for (std::string_view line : {"<13>1 - host app", "<13>Oct 11 22:14:15", "<13>1 - - - - - [a",
                                "<13>Oct 11 22:14 x y", "<13>1"}) {
    const SyslogMessage m = parse_syslog(line);
    EXPECT_EQ(m.text, line.substr(4)) << line;
    EXPECT_EQ(m.host, "");
  }
  EXPECT_EQ(parse_syslog("<1x>y").text, "<1x>y");
  EXPECT_FALSE(parse_syslog("<").has_priority);
  EXPECT_EQ(parse_syslog("").text, "");
}

TEST(Syslog, CutsStreams) {
  std::string_view line;
  std::size_t size = 0;
  EXPECT_EQ(cut_syslog("5 <13>ab", false, line, size), Cut::line);
  EXPECT_EQ(line, "<13>a");
  EXPECT_EQ(size, 7u);
  EXPECT_EQ(cut_syslog("5 <13>", false, line, size), Cut::need_more);
  EXPECT_EQ(cut_syslog("5", false, line, size), Cut::need_more);
  EXPECT_EQ(cut_syslog("5x", false, line, size), Cut::malformed);
  EXPECT_EQ(cut_syslog("99999999999999999999999", false, line, size), Cut::malformed);
  EXPECT_EQ(cut_syslog("<13>a\r\nb", false, line, size), Cut::line);
  EXPECT_EQ(line, "<13>a");
  EXPECT_EQ(cut_syslog("text\n", false, line, size), Cut::malformed);
  EXPECT_EQ(cut_syslog("5 text\n", true, line, size), Cut::line);
  EXPECT_EQ(line, "5 text");
}

}  // namespace
}  // namespace obs
