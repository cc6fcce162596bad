#include "http/fields.h"

#include <algorithm>
#include <cstring>

#include "http/ids.h"
#include "http/scan.h"

namespace http::detail {

namespace {

enum class Line : std::uint8_t { field, skipped, end, need_more, error };

bool blank(char c) { return c == ' ' || c == '\t'; }

// `p` stands on what is no token character. True when the line may go on (a colon, or a bad name
// that accept_unsafe drops); `drop` tells which.
bool check_name_end(char*& p, char* end, const char* start, bool accept_unsafe, bool& drop,
                    ParseError& error) {
  if (*p == ':' && p != start) return true;
  if (accept_unsafe && *p != ':') {
    while (p != end && *p != ':' && *p != '\r' && *p != '\n') ++p;
    if (p == end || *p == ':') {
      drop = true;
      return true;
    }
  }
  error.what =
      *p == '\r' || *p == '\n' ? "header without a colon" : "invalid character in a header name";
  return false;
}

// The value from `p` to its line end; folded lines are joined by writing blanks over the line ends
// (RFC 9112 section 5.2). `p` ends behind the line.
Line parse_value(char*& p, char* end, bool accept_unsafe, std::string_view& value,
                 ParseError& error) {
  while (p != end && blank(*p)) ++p;
  char* start = p;
  for (;;) {
    p = scan::find_control(p, end);
    if (p == end) return Line::need_more;
    if (*p != '\r' && *p != '\n') {
      if (*p == '\0' && !accept_unsafe) {
        error.what = "NUL in a header value";
        return Line::error;
      }
      ++p;
      continue;
    }
    char* line_end = p;
    if (*p == '\r') {
      if (p + 1 == end) return Line::need_more;
      if (p[1] != '\n') {
        error.what = "CR without LF";
        return Line::error;
      }
      ++p;
    }
    ++p;
    if (p == end) return Line::need_more;  // the next line may continue this one
    if (!blank(*p)) {
      while (line_end != start && blank(line_end[-1])) --line_end;
      value = {start, static_cast<std::size_t>(line_end - start)};
      return Line::field;
    }
    const bool nothing_yet = line_end == start;
    for (; line_end != p; ++line_end) *line_end = ' ';
    while (p != end && blank(*p)) ++p;
    if (nothing_yet) start = p;
  }
}

// Parses the line at `p` and moves behind it. `skipped` is a line with a bad name under
// accept_unsafe.
Line parse_field(char*& p, char* end, const ParseLimits& limits, Field& field, ParseError& error) {
  if (p == end) return Line::need_more;
  if (*p == '\r') {
    if (p + 1 == end) return Line::need_more;
    if (p[1] == '\n') {
      p += 2;
      return Line::end;
    }
    error.what = "CR without LF";
    return Line::error;
  }
  if (*p == '\n') {
    ++p;
    return Line::end;
  }
  char* start = p;
  p = scan::lower_token(p, end);
  if (p == end) return Line::need_more;
  bool drop = false;
  char* name_end = p;
  if (*p != ':' || p == start) {
    if (!check_name_end(p, end, start, limits.accept_unsafe, drop, error)) return Line::error;
    if (p == end) return Line::need_more;
  }
  ++p;
  Line line = parse_value(p, end, limits.accept_unsafe, field.value, error);
  if (line != Line::field) return line;
  if (drop) return Line::skipped;
  field.name = {start, static_cast<std::size_t>(name_end - start)};
  field.id = id_of(field.name);
  return Line::field;
}

// Takes the line at `at`, whatever it is like.
[[gnu::noinline]] Line take_field(char*& at, char* end, const ParseLimits& limits, Headers& headers,
                                  Seen& seen, ParseError& error) {
  Field field;
  const Line line = parse_field(at, end, limits, field, error);
  if (line != Line::field) return line;
  if (headers.size() + 1 >= limits.max_headers) {  // tune.http.maxhdr counts the first line too
    error.what = "too many headers";
    return Line::error;
  }
  seen.add(field.id);
  headers.add_parsed(field);
  return line;
}

#ifdef __SSE2__
// Lowers what follows the first 16 characters of a name; where that ends. Null: too near to `last`.
[[gnu::noinline]] char* lower_long_name(char* at, const char* last) {
  for (unsigned count = 16; count == 16; at += count) {
    if (at > last) return nullptr;
    const scan::Letters letters = scan::lowered_letters(at);
    count = letters.count;
    scan::store(at, letters.bytes);
  }
  return at;
}
#endif

// Takes the lines of the usual form up to the first other: a name of letters and hyphens, ": ", and
// a value without control characters and blanks around it, which no other line continues. What has
// another form, and what is wrong, is take_field()'s.
inline char* take_usual_fields(char* p, char* end, std::size_t max_headers, Headers& headers,
                               Seen& seen) {
#ifdef __SSE2__
  constexpr int kReach = 17;  // 16 bytes at once, and one behind a name they end in
  if (end - p < kReach) return p;
  char* const last = end - kReach;
  for (std::size_t left = max_headers - std::min(max_headers, headers.size() + 1); left != 0;
       --left) {
    if (p > last) return p;
    const scan::Letters start = scan::lowered_letters(p);
    char* name_end = p + start.count;
    if (start.count == 16) name_end = lower_long_name(name_end, last);
    if (name_end == nullptr || name_end == p || std::memcmp(name_end, ": ", 2) != 0) return p;
    char* value = name_end + 2;
    char* line_end = scan::find_control_by_16(value, end);
    if (line_end >= end - 2 || std::memcmp(line_end, "\r\n", 2) != 0) return p;
    const auto next = static_cast<unsigned char>(line_end[2]);
    if (*value == ' ' || line_end[-1] == ' ' || (next <= ' ' && next != '\r')) return p;
    // Not before: a load that takes in bytes just stored, and others, waits for the store.
    scan::store(p, start.bytes);
    const auto name_size = static_cast<std::size_t>(name_end - p);
    const HeaderId id = id_of_token(p, name_size, start.bytes);
    headers.add_parsed({p, name_size}, {value, static_cast<std::size_t>(line_end - value)}, id);
    seen.add(id);
    p = line_end + 2;
    if (next == '\r') return p;
  }
#endif
  return p;
}

}  // namespace

Parse parse_fields(char*& at, char* end, const ParseLimits& limits, Headers& headers, Seen& seen,
                   ParseError& error) {
  for (;;) {
    Seen found = seen;  // of our own, so that it can be in registers
    char* p = take_usual_fields(at, end, limits.max_headers, headers, found);
    seen = found;
    at = p;
    if (end - p >= 2 && std::memcmp(p, "\r\n", 2) == 0) {
      at = p + 2;
      return Parse::complete;
    }
    switch (take_field(at, end, limits, headers, seen, error)) {
      case Line::field:
      case Line::skipped:
        break;
      case Line::end:
        return Parse::complete;
      case Line::need_more:
        return Parse::need_more;
      case Line::error:
        return Parse::error;
    }
  }
}

}  // namespace http::detail
