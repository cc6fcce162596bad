#include "obs/log_header.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace obs {
namespace {

// Texts of one second.
struct Second {
  time_t second = -1;
  char syslog[16];  // "Nov 20 06:47:23" (RFC 3164 section 4.1.2)
  char iso[20];     // "2026-11-20T06:47:23"
  char zone[7];     // "+00:00"
  char pid[12];
  std::size_t pid_size = 0;
};

void refresh(Second& s, time_t now) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  tm t{};
  ::localtime_r(&now, &t);
  fmt::format_to_n(s.syslog, 15, "{} {:2} {:02}:{:02}:{:02}", kMonths[t.tm_mon], t.tm_mday,
                   t.tm_hour, t.tm_min, t.tm_sec);
  fmt::format_to_n(s.iso, 19, "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1,
                   t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
  long minutes = std::abs(t.tm_gmtoff / 60);
  fmt::format_to_n(s.zone, 6, "{}{:02}:{:02}", t.tm_gmtoff < 0 ? '-' : '+', minutes / 60,
                   minutes % 60);
  s.pid_size = static_cast<std::size_t>(
      std::to_chars(s.pid, s.pid + sizeof s.pid, static_cast<int>(::getpid())).ptr - s.pid);
  s.second = now;
}

const Second& this_second(time_t now) {
  thread_local Second second;
  if (second.second != now) refresh(second, now);
  return second;
}

// Appends within the room of one header.
class Writer {
 public:
  explicit Writer(char* out) : begin_(out), at_(out), end_(out + kHeaderRoom) {}
  void text(std::string_view s) {
    std::size_t size = std::min<std::size_t>(s.size(), static_cast<std::size_t>(end_ - at_));
    std::memcpy(at_, s.data(), size);
    at_ += size;
  }
  void number(unsigned n) { at_ = std::to_chars(at_, end_, n).ptr; }
  void priority(unsigned n) {
    text("<");
    number(n);
    text(">");
  }
  void iso(const timespec& now) {
    const Second& s = this_second(now.tv_sec);
    text({s.iso, 19});
    char fraction[7] = {'.'};
    long us = now.tv_nsec / 1000;
    for (int i = 6; i >= 1; --i, us /= 10) fraction[i] = static_cast<char>('0' + us % 10);
    text({fraction, 7});
    text({s.zone, 6});
  }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  char* begin_;
  char* at_;
  char* end_;
};

timespec wall_clock() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

void write_bsd(Writer& w, std::string_view host, const LogLine& line) {
  const Second& s = this_second(wall_clock().tv_sec);
  w.text({s.syslog, 15});
  w.text(" ");
  if (!host.empty()) {
    w.text(host);
    w.text(" ");
  }
  w.text(line.tag);
  w.text("[");
  w.text({s.pid, s.pid_size});
  w.text("]: ");
}

// RFC 5424 section 6: VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA
void write_rfc5424(Writer& w, const LogLine& line) {
  timespec now = wall_clock();
  w.text("1 ");
  w.iso(now);
  w.text(" ");
  w.text(line.host.empty() ? std::string_view("-") : line.host);
  w.text(" ");
  w.text(line.tag);
  w.text(" ");
  const Second& s = this_second(now.tv_sec);
  w.text({s.pid, s.pid_size});
  w.text(" - ");
  w.text(line.structured.empty() ? std::string_view("-") : line.structured);
  w.text(" ");
}

}  // namespace

LogFormatKind effective_format(LogFormatKind format, std::string_view host) {
  if (format != LogFormatKind::unspecified) return format;
  return host.empty() ? LogFormatKind::local : LogFormatKind::rfc3164;
}

std::size_t write_header(char* out, LogFormatKind format, std::uint8_t facility, Level level,
                         const LogLine& line) {
  Writer w(out);
  unsigned severity = static_cast<unsigned>(level);
  switch (effective_format(format, line.host)) {
    case LogFormatKind::raw:
    case LogFormatKind::unspecified:
      break;
    case LogFormatKind::iso:
      w.iso(wall_clock());
      w.text(" ");
      break;
    case LogFormatKind::timed:
      w.priority(severity);
      w.iso(wall_clock());
      w.text(" ");
      break;
    case LogFormatKind::short_:
      w.priority(severity);
      break;
    case LogFormatKind::priority:
      w.priority(facility * 8u + severity);
      break;
    case LogFormatKind::local:
      w.priority(facility * 8u + severity);
      write_bsd(w, {}, line);
      break;
    case LogFormatKind::rfc3164:
      w.priority(facility * 8u + severity);
      write_bsd(w, line.host.empty() ? std::string_view("localhost") : line.host, line);
      break;
    case LogFormatKind::rfc5424:
      w.priority(facility * 8u + severity);
      write_rfc5424(w, line);
      break;
  }
  return w.size();
}

std::string_view iso_time(char (&buffer)[40]) {
  timespec now = wall_clock();
  const Second& s = this_second(now.tv_sec);
  std::memcpy(buffer, s.iso, 19);
  long us = now.tv_nsec / 1000;
  buffer[19] = '.';
  for (int i = 25; i >= 20; --i, us /= 10) buffer[i] = static_cast<char>('0' + us % 10);
  std::memcpy(buffer + 26, s.zone, 6);
  return {buffer, 32};
}

}  // namespace obs
