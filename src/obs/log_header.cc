#include "obs/log_header.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "obs/syslog.h"

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

constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void refresh(Second& s, time_t now) {
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

// --- lines that came from elsewhere

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

// "2026-10-11T22:14:15.003Z" to "Oct 11 22:14:15"; the present where it cannot be read.
void forward_bsd_time(Writer& w, const SyslogMessage& m) {
  const std::string_view t = m.time;
  if (m.format != LogFormatKind::rfc5424 && !t.empty()) return w.text(t);
  const auto month = t.size() >= 19 ? base::parse_int<unsigned>(t.substr(5, 2)) : std::nullopt;
  if (!month || *month < 1 || *month > 12) {
    w.text({this_second(wall_clock().tv_sec).syslog, 15});
    return;
  }
  w.text(kMonths[*month - 1]);
  w.text(t[8] == '0' ? "  " : " ");
  w.text(t[8] == '0' ? t.substr(9, 1) : t.substr(8, 2));
  w.text(" ");
  w.text(t.substr(11, 8));
}

// "Oct 11 22:14:15" to "2026-10-11T22:14:15-00:00": this year, an unknown zone (RFC 3339 section
// 4.3).
void forward_iso_time(Writer& w, const SyslogMessage& m) {
  const std::string_view t = m.time;
  if (t.empty()) return w.iso(wall_clock());
  if (m.format == LogFormatKind::rfc5424) return w.text(t);
  const auto* month = std::find(std::begin(kMonths), std::end(kMonths), t.substr(0, 3));
  if (month == std::end(kMonths)) return w.iso(wall_clock());
  const auto number = static_cast<unsigned>(month - std::begin(kMonths) + 1);
  w.text({this_second(wall_clock().tv_sec).iso, 5});
  if (number < 10) w.text("0");
  w.number(number);
  w.text("-");
  w.text(t[4] == ' ' ? "0" : t.substr(4, 1));
  w.text(t.substr(5, 1));
  w.text("T");
  w.text(t.substr(7, 8));
  w.text("-00:00");
}

void forward_bsd(Writer& w, const SyslogMessage& m, bool with_host) {
  forward_bsd_time(w, m);
  w.text(" ");
  if (with_host) {
    w.text(m.host.empty() ? std::string_view("localhost") : m.host);
    w.text(" ");
  }
  if (m.tag.empty()) return;
  w.text(m.tag);
  if (!m.process.empty()) {
    w.text("[");
    w.text(m.process);
    w.text("]");
  }
  w.text(": ");
}

void forward_rfc5424(Writer& w, const SyslogMessage& m) {
  w.text("1 ");
  if (m.format == LogFormatKind::rfc5424)
    w.text(or_dash(m.time));
  else
    forward_iso_time(w, m);
  for (const std::string_view part : {m.host, m.tag, m.process, m.id, m.structured}) {
    w.text(" ");
    w.text(or_dash(part));
  }
  w.text(" ");
}

std::size_t forward_header(char* out, LogFormatKind format, std::uint8_t facility, Level level,
                           const SyslogMessage& m) {
  Writer w(out);
  const unsigned severity = static_cast<unsigned>(level);
  const unsigned priority = (m.has_priority ? m.facility : facility) * 8 + severity;
  switch (format == LogFormatKind::unspecified ? m.format : format) {
    case LogFormatKind::raw:
    case LogFormatKind::unspecified:
      break;
    case LogFormatKind::iso:
    case LogFormatKind::timed:
      if (format == LogFormatKind::timed) w.priority(severity);
      forward_iso_time(w, m);
      w.text(" ");
      break;
    case LogFormatKind::short_:
      w.priority(severity);
      break;
    case LogFormatKind::priority:
      w.priority(priority);
      break;
    case LogFormatKind::local:
    case LogFormatKind::rfc3164:
      w.priority(priority);
      forward_bsd(w, m, format != LogFormatKind::local);
      break;
    case LogFormatKind::rfc5424:
      w.priority(priority);
      forward_rfc5424(w, m);
      break;
  }
  return w.size();
}

}  // namespace

LogFormatKind effective_format(LogFormatKind format, std::string_view host) {
  if (format != LogFormatKind::unspecified) return format;
  return host.empty() ? LogFormatKind::local : LogFormatKind::rfc3164;
}

std::size_t write_header(char* out, LogFormatKind format, std::uint8_t facility, Level level,
                         const LogLine& line) {
  if (line.received != nullptr) return forward_header(out, format, facility, level, *line.received);
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

}  // namespace obs
