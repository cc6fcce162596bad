#include "obs/syslog.h"

#include <array>

#include "base/text.h"

namespace obs {
namespace {

constexpr std::size_t kBsdTime = 15;  // "Oct 11 22:14:15" (RFC 3164 section 4.1.2)
constexpr std::size_t kLongestCounted = 65536;

bool take_priority(std::string_view& rest, SyslogMessage& message) {
  if (!rest.starts_with('<')) return false;
  unsigned number = 0;
  std::size_t at = 1;
  for (; at < rest.size() && base::is_digit(rest[at]) && at < 8; ++at)
    number = number * 10 + static_cast<unsigned>(rest[at] - '0');
  if (at >= rest.size() || rest[at] != '>') return false;
  message.has_priority = true;
  message.level = static_cast<Level>(number & 7);
  message.facility = number >> 3;
  rest.remove_prefix(at + 1);
  return true;
}

// The next word and the blank behind it.
bool take_word(std::string_view& rest, std::string_view& word) {
  const std::size_t blank = rest.find(' ');
  if (blank == rest.npos || blank == 0) return false;
  word = rest.substr(0, blank);
  if (word == "-") word = {};
  rest.remove_prefix(blank + 1);
  return true;
}

// "-" or elements in brackets, in which quotes and brackets are escaped (RFC 5424 section 6.3).
bool take_structured(std::string_view& rest, std::string_view& data) {
  if (rest.starts_with('-') && (rest.size() == 1 || rest[1] == ' ')) {
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 2));
    return true;
  }
  std::size_t at = 0;
  while (at < rest.size() && rest[at] == '[') {
    bool quoted = false;
    for (++at; at < rest.size() && (quoted || rest[at] != ']'); ++at) {
      if (rest[at] == '\\')
        ++at;
      else if (rest[at] == '"')
        quoted = !quoted;
    }
    if (at >= rest.size()) return false;
    ++at;
  }
  if (at == 0 || (at < rest.size() && rest[at] != ' ')) return false;
  data = rest.substr(0, at);
  rest.remove_prefix(std::min(rest.size(), at + 1));
  return true;
}

bool parse_rfc5424(std::string_view rest, SyslogMessage& message) {
  if (!rest.starts_with("1 ")) return false;
  rest.remove_prefix(2);
  SyslogMessage found = message;
  if (!take_word(rest, found.time) || !take_word(rest, found.host) || !take_word(rest, found.tag) ||
      !take_word(rest, found.process) || !take_word(rest, found.id) ||
      !take_structured(rest, found.structured))
    return false;
  found.format = LogFormatKind::rfc5424;
  found.text = rest;
  message = found;
  return true;
}

bool is_bsd_time(std::string_view text) {
  static constexpr std::string_view kForm = "Aaa dd dd:dd:dd ";
  if (text.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const char c = text[i];
    const bool good = kForm[i] == 'd'   ? base::is_digit(c) || (i == 4 && c == ' ')
                      : kForm[i] == 'A' ? c >= 'A' && c <= 'Z'
                      : kForm[i] == 'a' ? c >= 'a' && c <= 'z'
                                        : c == kForm[i];
    if (!good) return false;
  }
  return true;
}

// "tag: ", "tag[12]: "; nothing is taken where there is none.
void take_tag(std::string_view& rest, SyslogMessage& message) {
  const std::size_t end = rest.find_first_of(" [:");
  if (end == rest.npos || end == 0 || rest[end] == ' ') return;
  std::size_t at = end;
  std::string_view process;
  if (rest[at] == '[') {
    const std::size_t close = rest.find(']', at);
    if (close == rest.npos) return;
    process = rest.substr(at + 1, close - at - 1);
    at = close + 1;
  }
  if (rest.substr(at, 2) != ": ") return;
  message.tag = rest.substr(0, end);
  message.process = process;
  rest.remove_prefix(at + 2);
}

bool parse_rfc3164(std::string_view rest, SyslogMessage& message) {
  if (!is_bsd_time(rest)) return false;
  const std::string_view time = rest.substr(0, kBsdTime);
  rest.remove_prefix(kBsdTime + 1);
  std::string_view host;
  if (!take_word(rest, host)) return false;
  message.time = time;
  message.host = host;
  take_tag(rest, message);
  message.text = rest;
  return true;
}

std::string_view without_end(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == '\0'))
    line.remove_suffix(1);
  return line;
}

}  // namespace

SyslogMessage parse_syslog(std::string_view line) {
  SyslogMessage message;
  line = without_end(line);
  if (!take_priority(line, message)) {
    message.text = line;
    return message;
  }
  if (!parse_rfc5424(line, message) && !parse_rfc3164(line, message)) message.text = line;
  return message;
}

Cut cut_syslog(std::string_view bytes, bool lines_only, std::string_view& line, std::size_t& size) {
  if (bytes.empty()) return Cut::need_more;
  if (!lines_only && bytes[0] >= '1' && bytes[0] <= '9') {
    std::size_t length = 0, at = 0;
    for (; at < bytes.size() && base::is_digit(bytes[at]); ++at) {
      length = length * 10 + static_cast<std::size_t>(bytes[at] - '0');
      if (length > kLongestCounted) return Cut::malformed;
    }
    if (at < bytes.size() && bytes[at] != ' ') return Cut::malformed;
    if (bytes.size() < at + 1 + length) return Cut::need_more;
    line = bytes.substr(at + 1, length);
    size = at + 1 + length;
    return Cut::line;
  }
  if (!lines_only && bytes[0] != '<') return Cut::malformed;
  const std::size_t end = bytes.find('\n');
  if (end == bytes.npos) return Cut::need_more;
  line = without_end(bytes.substr(0, end));
  size = end + 1;
  return Cut::line;
}

}  // namespace obs
