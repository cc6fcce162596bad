#include "http/h1.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/fields.h"
#include "http/scan.h"

namespace http {

namespace {

using detail::Seen;

bool blank(char c) { return c == ' ' || c == '\t'; }

Parse refuse(ParseError& error, const char* what) {
  error.what = what;
  return Parse::error;
}

// Empty lines before a first line are skipped (RFC 9112 section 2.2).
Parse skip_empty_lines(char*& p, char* end, ParseError& error) {
  for (;; ++p) {
    if (p == end) return Parse::need_more;
    if (*p == '\n') continue;
    if (*p != '\r') return Parse::complete;
    if (p + 1 == end) return Parse::need_more;
    if (p[1] != '\n') return refuse(error, "CR without LF");
    ++p;
  }
}

// CRLF or LF.
Parse expect_line_end(char*& p, char* end, ParseError& error, const char* what) {
  if (p == end) return Parse::need_more;
  if (*p == '\r') {
    if (p + 1 == end) return Parse::need_more;
    ++p;
  }
  if (*p != '\n') return refuse(error, what);
  ++p;
  return Parse::complete;
}

// "RTSP/1.10": what accept_unsafe lets pass as a version.
bool loose_version(std::string_view text, Version& version) {
  std::size_t slash = text.find('/');
  std::size_t dot = text.find('.');
  if (slash == 0 || slash == text.npos || dot == text.npos || dot < slash) return false;
  for (char c : text.substr(0, slash))
    if (c < 'A' || c > 'Z') return false;
  auto major = base::parse_int<std::uint8_t>(text.substr(slash + 1, dot - slash - 1));
  auto minor = base::parse_int<std::uint8_t>(text.substr(dot + 1));
  if (!major || !minor) return false;
  // Treated as the oldest by everything that asks for features; version_text keeps what was said.
  version = {1, 0};
  return true;
}

bool is_usual_version(const char* p) {
  return std::memcmp(p, "HTTP/", 5) == 0 && base::is_digit(p[5]) && p[6] == '.' &&
         base::is_digit(p[7]) && (p[8] == '\r' || p[8] == '\n' || p[8] == ' ');
}

// What is cut off, wrong, or only let pass.
[[gnu::noinline]] Parse parse_odd_version(char*& p, char* end, bool accept_unsafe, Version& version,
                                          std::string_view& text, ParseError& error) {
  char* start = p;
  while (p != end && *p > ' ' && p - start < 32) ++p;
  std::string_view word{start, static_cast<std::size_t>(p - start)};
  if (p == end) {
    std::string_view shape = "HTTP/0.0";
    for (std::size_t i = 0; !accept_unsafe && i < word.size(); ++i) {
      bool fits =
          i < shape.size() && (shape[i] == '0' ? base::is_digit(word[i]) : word[i] == shape[i]);
      if (!fits) return refuse(error, "invalid version");
    }
    return Parse::need_more;
  }
  if (!accept_unsafe || !loose_version(word, version)) return refuse(error, "invalid version");
  text = word;
  return Parse::complete;
}

inline Parse parse_version(char*& p, char* end, bool accept_unsafe, Version& version,
                           std::string_view& text, ParseError& error) {
  if (end - p <= 8 || !is_usual_version(p))
    return parse_odd_version(p, end, accept_unsafe, version, text, error);
  version = {static_cast<std::uint8_t>(p[5] - '0'), static_cast<std::uint8_t>(p[7] - '0')};
  text = {p, 8};
  p += 8;
  return Parse::complete;
}

bool scheme_follows(std::string_view target) {
  if (!base::is_alpha(target.front())) return false;
  std::size_t i = 1;
  while (i < target.size() && (base::is_alpha(target[i]) || base::is_digit(target[i]) ||
                               target[i] == '+' || target[i] == '-' || target[i] == '.'))
    ++i;
  return target.substr(i, 3) == "://";
}

// RFC 9112 section 3.2: the four forms, each where its method allows it.
bool valid_target(Method method, std::string_view target, bool accept_unsafe) {
  if (method == Method::connect) {
    if (accept_unsafe) return true;
    if (target.front() == '/') return false;
    std::size_t colon = target.rfind(':');
    std::size_t slash = target.find('/');
    if (colon == target.npos || target.find("://") != target.npos) return false;
    std::string_view port =
        target.substr(colon + 1, slash == target.npos ? slash : slash - colon - 1);
    if (port.empty()) return false;
    for (char c : port)
      if (!base::is_digit(c)) return false;
    return true;
  }
  if (target.front() == '/') return true;
  if (target.front() == '*')
    return target.size() == 1 && (method == Method::options || method == Method::other);
  return scheme_follows(target);
}

Parse parse_target(char*& p, char* end, bool accept_unsafe, std::string_view& target,
                   ParseError& error) {
  char* start = p;
  for (;;) {
    p = scan::find_target_end(p, end);
    if (p == end) return Parse::need_more;
    char c = *p;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') break;
    bool tolerated = accept_unsafe && (c == '#' || static_cast<unsigned char>(c) > 0x7f);
    if (!tolerated) return refuse(error, "invalid character in the request target");
    ++p;
  }
  target = {start, static_cast<std::size_t>(p - start)};
  if (target.empty()) return refuse(error, "no request target");
  return Parse::complete;
}

Parse parse_method(char*& p, char* end, RequestHead& out, ParseError& error) {
  char* start = p;
  while (p != end && scan::token_char(*p) != 0) ++p;
  if (p == end) return Parse::need_more;
  if (p == start || !blank(*p)) return refuse(error, "invalid character in the method");
  out.method_text = {start, static_cast<std::size_t>(p - start)};
  out.method = method_of(out.method_text);
  while (p != end && blank(*p)) ++p;
  return p == end ? Parse::need_more : Parse::complete;
}

// "GET /" of HTTP/0.9, which accept_unsafe forwards as HTTP/1.0.
bool simple_request(const char* p, bool accept_unsafe, RequestHead& out) {
  if ((*p != '\r' && *p != '\n') || !accept_unsafe || out.method != Method::get) return false;
  out.version = {1, 0};
  out.version_text = "HTTP/1.0";
  return true;
}

// What most are: "GET /path HTTP/1.1". Returns where the fields begin; null for all other lines,
// of which nothing is said.
inline char* take_usual_request_line(char* p, char* end, RequestHead& out) {
  if (end - p < 16 || std::memcmp(p, "GET /", 5) != 0) return nullptr;
  char* target = p + 4;
  char* target_end = scan::find_target_end(target, end);
  constexpr std::string_view kRest = " HTTP/1.1\r\n";
  constexpr auto kRestSize = static_cast<std::ptrdiff_t>(kRest.size());
  if (end - target_end < kRestSize || std::memcmp(target_end, kRest.data(), kRest.size()) != 0)
    return nullptr;
  out.method = Method::get;
  out.method_text = {p, 3};
  out.target = {target, static_cast<std::size_t>(target_end - target)};
  out.version = {1, 1};
  out.version_text = {target_end + 1, 8};
  return target_end + kRest.size();
}

[[gnu::noinline]] Parse parse_request_line(char*& p, char* end, const ParseLimits& limits,
                                           RequestHead& out, ParseError& error) {
  if (Parse r = skip_empty_lines(p, end, error); r != Parse::complete) return r;
  if (Parse r = parse_method(p, end, out, error); r != Parse::complete) return r;
  if (Parse r = parse_target(p, end, limits.accept_unsafe, out.target, error); r != Parse::complete)
    return r;
  char* target_end = p;
  while (p != end && blank(*p)) ++p;
  if (p == end) return Parse::need_more;
  if (!simple_request(p, limits.accept_unsafe, out)) {
    Parse r = parse_version(p, end, limits.accept_unsafe, out.version, out.version_text, error);
    if (r != Parse::complete) return r;
  }
  if (Parse r = expect_line_end(p, end, error, "invalid character after the version");
      r != Parse::complete)
    return r;
  // The preface of HTTP/2 (RFC 9113 section 3.4) must never look like a request to a server.
  if (out.method == Method::other && base::iequals(out.method_text, "PRI"))
    return refuse(error, "HTTP/2 preface on an HTTP/1 connection");
  if (valid_target(out.method, out.target, limits.accept_unsafe)) return Parse::complete;
  p = target_end - out.target.size();
  return refuse(error, "invalid request target");
}

Parse parse_status(char*& p, char* end, const ParseLimits& limits, ResponseHead& out,
                   ParseError& error) {
  while (p != end && blank(*p)) ++p;
  char* start = p;
  unsigned status = 0;
  for (; p != end && base::is_digit(*p) && p - start < 6; ++p)
    status = status * 10 + static_cast<unsigned>(*p - '0');
  if (p == end) return Parse::need_more;
  bool ends = blank(*p) || *p == '\r' || *p == '\n';
  bool fits = p != start && status <= UINT16_MAX;
  if (!ends || !fits || (p - start != 3 && !limits.accept_unsafe))
    return refuse(error, "invalid status code");
  out.status = static_cast<std::uint16_t>(status);
  while (p != end && blank(*p)) ++p;
  return p == end ? Parse::need_more : Parse::complete;
}

// What most are: "HTTP/1.1 200 OK". As take_usual_request_line().
inline char* take_usual_status_line(char* p, char* end, ResponseHead& out) {
#ifdef __SSE2__
  constexpr std::size_t kStatus = 9, kReason = 13;
  if (end - p < 16 || std::memcmp(p, "HTTP/1.1 ", kStatus) != 0) return nullptr;
  unsigned status = 0;
  for (std::size_t i = kStatus; i < kReason - 1; ++i) {
    if (!base::is_digit(p[i])) return nullptr;
    status = status * 10 + static_cast<unsigned>(p[i] - '0');
  }
  char* reason = p + kReason;
  char* reason_end = scan::find_control_by_16(reason, end);
  if (reason[-1] != ' ' || *reason == ' ' || reason == reason_end) return nullptr;
  if (end - reason_end < 2 || std::memcmp(reason_end, "\r\n", 2) != 0) return nullptr;
  out.version = {1, 1};
  out.version_text = {p, 8};
  out.status = static_cast<std::uint16_t>(status);
  out.reason = {reason, static_cast<std::size_t>(reason_end - reason)};
  return reason_end + 2;
#else
  return nullptr;
#endif
}

[[gnu::noinline]] Parse parse_status_line(char*& p, char* end, const ParseLimits& limits,
                                          ResponseHead& out, ParseError& error) {
  if (Parse r = skip_empty_lines(p, end, error); r != Parse::complete) return r;
  if (Parse r = parse_version(p, end, limits.accept_unsafe, out.version, out.version_text, error);
      r != Parse::complete)
    return r;
  if (!blank(*p)) return refuse(error, "invalid character after the version");
  if (Parse r = parse_status(p, end, limits, out, error); r != Parse::complete) return r;
  char* start = p;
  while (p != end && *p != '\r' && *p != '\n') ++p;
  out.reason = {start, static_cast<std::size_t>(p - start)};
  if (Parse r = expect_line_end(p, end, error, "CR without LF"); r != Parse::complete) return r;
  if (out.reason.empty()) out.reason = reason_phrase(out.status);
  return Parse::complete;
}

// Heads end within max_head bytes; looking at no more than those makes the verdict the same
// whatever pieces they come in.
char* window_end(std::span<char> bytes, const ParseLimits& limits) {
  return bytes.data() + std::min(bytes.size(), limits.max_head);
}

Parse outgrown(const ParseLimits& limits, std::uint16_t status, ParseError& error) {
  error = {limits.max_head, status == 414 ? "request line too long" : "header too large", status};
  return Parse::error;
}

}  // namespace

Parse parse_request_head(std::span<char> bytes, const ParseLimits& limits, RequestHead& out,
                         std::size_t& consumed, ParseError& error) {
  out.clear();
  error = {};
  char* p = bytes.data();
  char* end = window_end(bytes, limits);
  Seen seen;
  Parse line = Parse::complete;
  if (char* fields = take_usual_request_line(p, end, out))
    p = fields;
  else
    line = parse_request_line(p, end, limits, out, error);
  Parse result = line;
  if (line == Parse::complete)
    result = detail::parse_fields(p, end, limits, out.headers, seen, error);
  if (result == Parse::need_more && bytes.size() >= limits.max_head)
    return outgrown(limits, line == Parse::complete ? 431 : 414, error);
  if (result == Parse::error) error.at = static_cast<std::size_t>(p - bytes.data());
  if (result != Parse::complete) return result;
  if (const char* what = detail::finish_request(out, seen, limits, error.status))
    return refuse(error, what);
  consumed = static_cast<std::size_t>(p - bytes.data());
  return Parse::complete;
}

Parse parse_response_head(std::span<char> bytes, const ParseLimits& limits, Method request_method,
                          ResponseHead& out, std::size_t& consumed, ParseError& error) {
  out.clear();
  error = {};
  error.status = 502;
  char* p = bytes.data();
  char* end = window_end(bytes, limits);
  Seen seen;
  Parse result = Parse::complete;
  if (char* fields = take_usual_status_line(p, end, out))
    p = fields;
  else
    result = parse_status_line(p, end, limits, out, error);
  if (result == Parse::complete)
    result = detail::parse_fields(p, end, limits, out.headers, seen, error);
  if (result == Parse::need_more && bytes.size() >= limits.max_head)
    return outgrown(limits, 502, error);
  if (result == Parse::error) error.at = static_cast<std::size_t>(p - bytes.data());
  if (result != Parse::complete) return result;
  if (const char* what = detail::finish_response(out, seen, request_method, limits.accept_unsafe))
    return refuse(error, what);
  consumed = static_cast<std::size_t>(p - bytes.data());
  return Parse::complete;
}

}  // namespace http
