#include "http/fields.h"

#include "base/text.h"
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

Parse parse_all(char*& p, char* end, const ParseLimits& limits, Headers& headers, Seen& seen,
                ParseError& error) {
  Field field;
  for (std::size_t count = headers.size() + 1;;) {  // tune.http.maxhdr counts the first line too
    switch (parse_field(p, end, limits, field, error)) {
      case Line::field:
        if (count++ >= limits.max_headers) {
          error.what = "too many headers";
          return Parse::error;
        }
        seen.add(field.id);
        headers.add_parsed(field);
        break;
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

}  // namespace

Parse parse_fields(char*& p, char* end, const ParseLimits& limits, Headers& headers, Seen& seen,
                   ParseError& error) {
  // Of our own, so that they can be in registers.
  char* at = p;
  Seen found = seen;
  const Parse result = parse_all(at, end, limits, headers, found, error);
  p = at;
  seen = found;
  return result;
}

}  // namespace http::detail
