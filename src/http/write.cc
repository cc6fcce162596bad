#include <cstring>

#include "http/h1.h"

namespace http {

namespace {

// Copies of a few bytes, which most are, without memcpy.
[[gnu::noinline]] char* put(char* out, const char* from, std::size_t n) {
  if (n > 32) {
    std::memcpy(out, from, n);
  } else if (n >= 16) {
    std::memcpy(out, from, 16);
    std::memcpy(out + n - 16, from + n - 16, 16);
  } else if (n >= 8) {
    std::memcpy(out, from, 8);
    std::memcpy(out + n - 8, from + n - 8, 8);
  } else if (n >= 4) {
    std::memcpy(out, from, 4);
    std::memcpy(out + n - 4, from + n - 4, 4);
  } else if (n >= 2) {
    std::memcpy(out, from, 2);
    std::memcpy(out + n - 2, from + n - 2, 2);
  } else if (n == 1) {
    *out = *from;
  }
  return out + n;
}
inline char* put(char* out, std::string_view text) { return put(out, text.data(), text.size()); }
inline char* put_line_end(char* out) {
  std::memcpy(out, "\r\n", 2);
  return out + 2;
}

// Whether name and value stand in memory as they are sent.
bool stands_as_sent(const Field& f) {
  const char* name_end = f.name.data() + f.name.size();
  return f.value.data() == name_end + 2 && name_end[0] == ':' && name_end[1] == ' ';
}

const char* end_of(const Field& f) { return f.value.data() + f.value.size(); }

bool follows(const Field& f, const Field& next) {
  const char* end = end_of(f);
  return next.name.data() == end + 2 && end[0] == '\r' && end[1] == '\n' && stands_as_sent(next);
}

// The fields and the line behind them; null where there is no room. Those that stand behind each
// other as they were received go out in one copy.
char* put_headers(char* out, const char* end, const Headers& headers) {
  constexpr std::ptrdiff_t kLineEnds = 4;
  const Field* f = headers.size() == 0 ? nullptr : &headers[0];
  const Field* last = f + headers.size();
  if (end - out < 2) return nullptr;
  while (f != last) {
    if (stands_as_sent(*f)) {
      const char* start = f->name.data();
      while (f + 1 != last && follows(*f, f[1])) ++f;
      const std::ptrdiff_t size = end_of(*f) - start;
      if (end - out < size + kLineEnds) return nullptr;
      out = put(out, start, static_cast<std::size_t>(size));
    } else {
      const std::size_t size = f->name.size() + 2 + f->value.size();
      if (end - out < static_cast<std::ptrdiff_t>(size) + kLineEnds) return nullptr;
      out = put(out, f->name);
      std::memcpy(out, ": ", 2);
      out = put(out + 2, f->value);
    }
    out = put_line_end(out);
    ++f;
  }
  return put_line_end(out);
}

[[gnu::noinline]] std::size_t size_of(const Headers& headers) {
  std::size_t n = 2;
  for (const Field& f : headers) n += f.name.size() + f.value.size() + 4;
  return n;
}

// From 1.1 on it is our own version that is spoken on (RFC 9110 section 2.5); below, the peer's.
std::string_view version_to_send(Version v, std::string_view text) {
  if (v.major > 1 || (v.major == 1 && v.minor >= 1)) return "HTTP/1.1";
  return text.empty() ? std::string_view("HTTP/1.0") : text;
}

}  // namespace

std::size_t write_request_head(const RequestHead& head, std::span<char> room) {
  const std::string_view version = version_to_send(head.version, head.version_text);
  const std::size_t line = head.method_text.size() + head.target.size() + version.size() + 4;
  char* out = nullptr;
  if (line <= room.size()) {
    out = put(room.data(), head.method_text);
    *out++ = ' ';
    out = put(out, head.target);
    *out++ = ' ';
    out = put_line_end(put(out, version));
    out = put_headers(out, room.data() + room.size(), head.headers);
  }
  return out != nullptr ? static_cast<std::size_t>(out - room.data())
                        : line + size_of(head.headers);
}

std::size_t write_response_head(const ResponseHead& head, std::span<char> room) {
  const std::string_view version = version_to_send(head.version, head.version_text);
  const std::size_t digits = head.status < 1000 ? 3 : head.status < 10000 ? 4 : 5;
  const std::size_t line = version.size() + digits + head.reason.size() + 4;
  char* out = nullptr;
  if (line <= room.size()) {
    out = put(room.data(), version);
    *out++ = ' ';
    unsigned status = head.status;
    for (std::size_t i = digits; i-- > 0; status /= 10)
      out[i] = static_cast<char>('0' + status % 10);
    out += digits;
    *out++ = ' ';
    out = put_line_end(put(out, head.reason));
    out = put_headers(out, room.data() + room.size(), head.headers);
  }
  return out != nullptr ? static_cast<std::size_t>(out - room.data())
                        : line + size_of(head.headers);
}

std::size_t write_trailers(const Headers& trailers, std::span<char> room) {
  const char* out = put_headers(room.data(), room.data() + room.size(), trailers);
  return out != nullptr ? static_cast<std::size_t>(out - room.data()) : size_of(trailers);
}

std::size_t write_chunk_size(std::uint64_t size, std::span<char, 18> room) {
  char digits[16];
  std::size_t count = 0;
  do digits[sizeof digits - ++count] = "0123456789ABCDEF"[size & 15];
  while ((size >>= 4) != 0);
  std::memcpy(room.data(), digits + sizeof digits - count, count);
  std::memcpy(room.data() + count, "\r\n", 2);
  return count + 2;
}

void write_request_head(const RequestHead& head, std::string& out) {
  std::size_t at = out.size();
  std::size_t need = write_request_head(head, std::span<char>());
  out.resize(at + need);
  write_request_head(head, std::span<char>(out.data() + at, need));
}

void write_response_head(const ResponseHead& head, std::string& out) {
  std::size_t at = out.size();
  std::size_t need = write_response_head(head, std::span<char>());
  out.resize(at + need);
  write_response_head(head, std::span<char>(out.data() + at, need));
}

}  // namespace http
