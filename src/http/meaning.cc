// What a complete head means: framing (RFC 9112 section 6), persistence (section 9), upgrades
// (RFC 9110 section 7.8) and the host (RFC 9112 section 3.2).
#include <array>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "http/fields.h"
#include "http/scan.h"
#include "http/uri.h"

namespace http::detail {

namespace {

// Calls `visit` with each element of a comma-separated value, trimmed; stops on false.
template <class Visit>
bool each_element(std::string_view value, Visit visit) {
  for (;;) {
    std::size_t comma = value.find(',');
    if (!visit(base::trim(value.substr(0, comma)))) return false;
    if (comma == value.npos) return true;
    value.remove_prefix(comma + 1);
  }
}

// Drops from a list, in the bytes it views, the elements that `drop` names and the empty ones.
template <class Drop>
void filter_list(std::string_view& value, Drop drop) {
  if (value.find(',') == value.npos) {  // nearly always
    if (drop(value)) value = {};
    return;
  }
  bool any = false;
  each_element(value, [&](std::string_view e) {
    any = any || e.empty() || drop(e);
    return true;
  });
  if (!any) return;
  char* out = const_cast<char*>(value.data());  // the parser's own buffer
  char* start = out;
  each_element(value, [&](std::string_view e) {
    if (e.empty() || drop(e)) return true;
    if (out != start) *out++ = ',';
    std::memmove(out, e.data(), e.size());
    out += e.size();
    return true;
  });
  value = {start, static_cast<std::size_t>(out - start)};
}

// Applies filter_list to every field of the id; fields left empty are removed.
template <class Drop>
void filter_fields(Headers& headers, HeaderId id, Drop drop) {
  for (std::size_t i = 0; i < headers.size();) {
    if (headers[i].id == id) {
      filter_list(headers.at(i).value, drop);
      if (headers[i].value.empty()) {
        headers.remove_at(i);
        continue;
      }
    }
    ++i;
  }
}

void remove_after_first(Headers& headers, HeaderId id) {
  bool first = true;
  for (std::size_t i = 0; i < headers.size();) {
    if (headers[i].id == id && !std::exchange(first, false))
      headers.remove_at(i);
    else
      ++i;
  }
}

// The first field of an id that has been seen.
Field& first_of(Headers& headers, HeaderId id) {
  std::size_t at = 0;
  while (headers[at].id != id) ++at;
  return headers.at(at);
}

// What nearly all are: one number, without zeros before it.
inline bool plain_length(std::string_view value, std::uint64_t& length) {
  constexpr std::size_t kSafeDigits = 19;
  if (value.empty() || value.size() > kSafeDigits || (value.front() == '0' && value.size() > 1))
    return false;
  std::uint64_t sum = 0;
  for (const char c : value) {
    if (!base::is_digit(c)) return false;
    sum = sum * 10 + static_cast<unsigned>(c - '0');
  }
  length = sum;
  return true;
}

// Every Content-Length, and every element of each, must say the same; one field of it is left.
[[gnu::noinline]] const char* join_lengths(Headers& headers, bool repeated, std::uint64_t& length) {
  std::size_t kept = headers.size();
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].id != HeaderId::content_length) continue;
    bool first = kept == headers.size();
    bool same = each_element(headers[i].value, [&](std::string_view e) {
      auto n = base::parse_int<std::uint64_t>(e);
      if (!n || (!std::exchange(first, false) && length != *n)) return false;
      length = *n;
      return true;
    });
    if (!same) return "invalid or conflicting content-length";
    if (kept == headers.size()) kept = i;
  }
  std::string_view& value = headers.at(kept).value;
  value = base::trim(value.substr(0, value.find(',')));
  while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
  if (repeated) remove_after_first(headers, HeaderId::content_length);
  return nullptr;
}

// Frames a message by its Content-Length.
template <class Head>
const char* frame_by_length(Head& head, const Seen& seen) {
  const bool repeated = seen.repeated(HeaderId::content_length);
  std::uint64_t length = 0;
  if (repeated || !plain_length(first_of(head.headers, HeaderId::content_length).value, length))
    if (const char* what = join_lengths(head.headers, repeated, length)) return what;
  head.framing = length == 0 ? Framing::none : Framing::length;
  head.content_length = length;
  return nullptr;
}

enum class Coding : std::uint8_t { chunked, unsupported, invalid };

// chunked must be there once and last. What else is named is a coding nobody here can undo.
Coding read_codings(const Headers& headers) {
  bool chunked = false, other = false;
  for (const Field& f : headers) {
    if (f.id != HeaderId::transfer_encoding) continue;
    bool good = each_element(f.value, [&](std::string_view e) {
      if (chunked || e.empty()) return false;
      if (base::iequals(e, "chunked"))
        chunked = true;
      else
        other = true;
      return true;
    });
    if (!good) return Coding::invalid;
  }
  if (!chunked) return Coding::invalid;
  return other ? Coding::unsupported : Coding::chunked;
}

// For servers under accept_unsafe: empty and repeated elements pass. Whether chunked was named.
bool read_codings_loosely(Headers& headers, bool& other) {
  bool chunked = false;
  for (const Field& f : headers)
    if (f.id == HeaderId::transfer_encoding)
      each_element(f.value, [&](std::string_view e) {
        bool is_chunked = base::iequals(e, "chunked");
        chunked = chunked || is_chunked;
        other = other || (!e.empty() && !is_chunked);
        return true;
      });
  return chunked;
}

void set_chunked(Headers& headers, Framing& framing) {
  framing = Framing::chunked;
  for (std::size_t i = 0; i < headers.size(); ++i)
    if (headers[i].id == HeaderId::transfer_encoding) headers.at(i).value = "chunked";
  remove_after_first(headers, HeaderId::transfer_encoding);
}

bool at_least_1_1(Version v) { return v.major > 1 || (v.major == 1 && v.minor >= 1); }

// Of a message that has a Transfer-Encoding of chunked, and perhaps a length that it overrides.
template <class Head>
void frame_by_chunks(Head& head, bool has_length) {
  set_chunked(head.headers, head.framing);
  head.content_length = 0;
  if (has_length) {
    head.headers.remove(HeaderId::content_length);
    head.insecure_lengths = head.keep_alive && at_least_1_1(head.version);
    head.keep_alive = false;
  }
  // HTTP/1.0 knows no chunked; what frames such a message is unclear to others (section 6.1).
  if (!at_least_1_1(head.version)) head.keep_alive = false;
}

enum class ConnectionOption : std::uint8_t { other, close, keep_alive, upgrade };

// Whether it is that word of the same size in any case; nearly always it is as it is written here.
inline bool is_word(std::string_view text, const auto& word) {
  return std::memcmp(text.data(), word, sizeof word - 1) == 0 || base::iequals(text, word);
}

ConnectionOption connection_option(std::string_view element) {
  switch (element.size()) {
    case 5:
      return is_word(element, "close") ? ConnectionOption::close : ConnectionOption::other;
    case 7:
      return is_word(element, "upgrade") ? ConnectionOption::upgrade : ConnectionOption::other;
    case 10:
      return is_word(element, "keep-alive") ? ConnectionOption::keep_alive
                                            : ConnectionOption::other;
    default:
      return ConnectionOption::other;
  }
}

struct Connection {
  bool close = false, keep_alive = false, upgrade = false;
};

Connection read_connection(const Headers& headers) {
  Connection c;
  for (const Field& f : headers)
    if (f.id == HeaderId::connection)
      each_element(f.value, [&](std::string_view e) {
        const ConnectionOption option = connection_option(e);
        c.close = c.close || option == ConnectionOption::close;
        c.keep_alive = c.keep_alive || option == ConnectionOption::keep_alive;
        c.upgrade = c.upgrade || option == ConnectionOption::upgrade;
        return true;
      });
  return c;
}

// What nearly every message has that has the header at all: one field with one word.
inline bool take_only_option(Headers& headers, const Seen& seen, Connection& found) {
  if (seen.repeated(HeaderId::connection)) return false;
  const Field& field = first_of(headers, HeaderId::connection);
  const ConnectionOption option = connection_option(field.value);
  found.close = option == ConnectionOption::close;
  found.keep_alive = option == ConnectionOption::keep_alive;
  if (!found.close && !found.keep_alive) return false;
  headers.remove_at(static_cast<std::size_t>(&field - &headers[0]));
  return true;
}

void strip_connection(Headers& headers, bool keep_upgrade) {
  filter_fields(headers, HeaderId::connection, [&](std::string_view e) {
    const ConnectionOption option = connection_option(e);
    return option != ConnectionOption::other &&
           !(keep_upgrade && option == ConnectionOption::upgrade);
  });
}

bool asks_websocket(const Headers& headers) {
  for (const Field& f : headers)
    if (f.id == HeaderId::upgrade &&
        !each_element(f.value, [](std::string_view e) { return !base::iequals(e, "websocket"); }))
      return true;
  return false;
}

const char* read_persistence(RequestHead& head, const Seen& seen, bool accept_unsafe) {
  Connection c;
  const bool taken = !seen.has(HeaderId::connection) || take_only_option(head.headers, seen, c);
  if (!taken) c = read_connection(head.headers);
  if (seen.has(HeaderId::upgrade)) {
    if (!c.upgrade)
      head.headers.remove(HeaderId::upgrade);
    else
      filter_fields(head.headers, HeaderId::upgrade,
                    [](std::string_view e) { return base::iequals(e, "h2c"); });
    head.upgrade = c.upgrade && head.headers.find(HeaderId::upgrade) != nullptr;
  }
  if (!taken) strip_connection(head.headers, head.upgrade);
  head.keep_alive = !c.close && (c.keep_alive || at_least_1_1(head.version));
  if (head.upgrade && !accept_unsafe && asks_websocket(head.headers)) {
    const Field* key = head.headers.find("sec-websocket-key");
    if (key == nullptr || key->value.size() != 24)  // RFC 6455 section 4.1
      return "websocket request without a valid key";
  }
  return nullptr;
}

const char* read_request_framing(RequestHead& head, const Seen& seen, std::uint16_t& status) {
  const bool has_length = seen.has(HeaderId::content_length);
  if (has_length)
    if (const char* what = frame_by_length(head, seen)) return what;
  if (!seen.has(HeaderId::transfer_encoding)) return nullptr;
  switch (read_codings(head.headers)) {
    case Coding::invalid:
      return "invalid transfer-encoding";
    case Coding::unsupported:
      status = 422;
      return "unsupported transfer-encoding";
    case Coding::chunked:
      break;
  }
  frame_by_chunks(head, has_length);
  return nullptr;
}

std::string_view without_user(std::string_view authority) {
  std::size_t at = authority.rfind('@');
  return at == authority.npos ? authority : authority.substr(at + 1);
}

// The authority without a port that goes without saying; unchanged when it has none such.
std::string_view without_default_port(std::string_view authority, std::string_view scheme,
                                      bool connect) {
  std::size_t colon = authority.rfind(':');
  if (colon == authority.npos || authority.find(']', colon) != authority.npos) return authority;
  std::string_view port = authority.substr(colon + 1);
  bool is_default = connect ? port == "80" || port == "443"
                            : port.empty() || (base::iequals(scheme, "http") && port == "80") ||
                                  (base::iequals(scheme, "https") && port == "443");
  return is_default ? authority.substr(0, colon) : authority;
}

// Cuts the default port out of an absolute target and gives an empty path its slash, in place:
// there is a blank behind the target to write on.
void normalize_target(RequestHead& head, const Target& t, std::size_t port_size) {
  char* start = const_cast<char*>(head.target.data());
  std::size_t size = head.target.size();
  auto authority_end =
      static_cast<std::size_t>(t.authority.data() + t.authority.size() - head.target.data());
  if (port_size != 0) {
    std::memmove(start + authority_end - port_size, start + authority_end, size - authority_end);
    size -= port_size;
  }
  if (t.path.empty() && !t.has_query && authority_end - port_size == size) start[size++] = '/';
  head.target = {start, size};
}

// Whether the target names no authority.
bool is_path(const RequestHead& head) {
  return (head.target.front() == '/' || head.target.front() == '*') &&
         head.method != Method::connect;
}

// Host and the authority of the target must agree (RFC 9112 section 3.2.2), default ports aside.
[[gnu::noinline]] const char* check_authority(RequestHead& head, std::size_t host_at,
                                              bool accept_unsafe) {
  bool connect = head.method == Method::connect;
  Target t = split_target(head.target, connect);
  std::string_view authority = without_user(t.authority);
  if (!valid_host(connect ? without_user(head.target) : authority))
    return "invalid character in the authority";
  std::string_view bare = without_default_port(authority, t.scheme, connect);
  bool has_host = host_at != head.headers.size();
  std::string_view host = has_host ? head.headers[host_at].value : authority;
  // An empty port says no more than none.
  std::string_view bare_host = host.ends_with(':') ? host.substr(0, host.size() - 1) : host;
  if (!connect) bare_host = without_default_port(host, t.scheme, false);
  bool same = base::iequals(host, authority) || base::iequals(bare_host, bare);
  if (has_host && !same && !accept_unsafe) return "host differs from the request target";
  if (connect) {
    if (has_host && base::iequals(host, authority))
      head.headers.at(host_at).value = without_default_port(host, t.scheme, true);
    return nullptr;
  }
  bool no_path = t.path.empty() && !t.has_query && head.method != Method::options &&
                 head.target.find('#') == head.target.npos;
  if (bare.size() == authority.size() && !no_path) return nullptr;
  if (bare.size() != authority.size() || no_path)
    normalize_target(head, t, authority.size() - bare.size());
  if (has_host) head.headers.at(host_at).value = bare;
  return nullptr;
}

// Those behind the one at `at` must say the same.
bool same_hosts(Headers& headers, std::size_t at) {
  for (std::size_t i = at + 1; i < headers.size(); ++i)
    if (headers[i].id == HeaderId::host && !base::iequals(headers[i].value, headers[at].value))
      return false;
  remove_after_first(headers, HeaderId::host);
  return true;
}

[[gnu::noinline]] const char* read_host(RequestHead& head, const Seen& seen, bool accept_unsafe) {
  const Headers& headers = head.headers;
  std::size_t at = 0;
  if (seen.has(HeaderId::host)) {
    while (headers[at].id != HeaderId::host) ++at;
    if (!valid_host(headers[at].value)) return "invalid character in host";
    if (seen.repeated(HeaderId::host) && !same_hosts(head.headers, at)) return "two hosts";
  } else {
    at = headers.size();
  }
  if (is_path(head)) return nullptr;
  return check_authority(head, at, accept_unsafe);
}

// Servers of that age may take the payload for another request (the manual's
// h1-accept-payload-with-any-method).
bool old_without_payload(const RequestHead& head) {
  const bool without =
      head.method == Method::get || head.method == Method::head || head.method == Method::delete_;
  return without && !at_least_1_1(head.version) && head.framing != Framing::none;
}

void keep_trailers_only(Headers& headers) {
  filter_fields(headers, HeaderId::te,
                [](std::string_view e) { return !base::iequals(e, "trailers"); });
}

constexpr std::array<bool, 256> kHostChar = [] {
  std::array<bool, 256> good{};
  for (unsigned c = '!'; c < 0x7f; ++c) good[c] = true;
  for (const char c : {'#', ',', '/', '?', '@', '[', '\\', ']'})
    good[static_cast<unsigned char>(c)] = false;
  return good;
}();

bool bodiless(unsigned status) { return (status >= 100 && status < 200) || status == 204; }

[[gnu::noinline]] const char* read_response_codings(ResponseHead& head, bool has_length,
                                                    bool accept_unsafe) {
  bool chunked, other = false;
  if (accept_unsafe) {
    chunked = read_codings_loosely(head.headers, other);
    if (!chunked && !other) head.headers.remove(HeaderId::transfer_encoding);
  } else {
    chunked = read_codings(head.headers) == Coding::chunked;
    other = !chunked;
  }
  if (other) return "invalid or unsupported transfer-encoding";
  if (chunked) frame_by_chunks(head, has_length);
  return nullptr;
}

[[gnu::noinline]] void read_listed_options(ResponseHead& head, Connection& found) {
  found = read_connection(head.headers);
  strip_connection(head.headers, head.upgrade);
}

[[gnu::noinline]] void drop_lengths(Headers& headers) {
  headers.remove(HeaderId::content_length);
  headers.remove(HeaderId::transfer_encoding);
}

}  // namespace

// Visible ASCII but for what delimits parts of a URI; brackets only around an address.
bool valid_host(std::string_view host) {
  if (scan::plain_host(host)) return true;
  std::size_t i = 0;
  if (!host.empty() && host.front() == '[') {
    i = host.find(']');
    if (i == host.npos) return false;
    for (char c : host.substr(1, i - 1))
      if (base::hex_digit(c) < 0 && c != ':' && c != '.' && c != '%') return false;
    ++i;
  }
  bool good = true;
  for (; i < host.size(); ++i) good &= kHostChar[static_cast<unsigned char>(host[i])];
  return good;
}

namespace {

// Of a request whose headers say more than the host.
[[gnu::noinline]] const char* finish_demanding_request(RequestHead& head, const Seen& seen,
                                                       const ParseLimits& limits,
                                                       std::uint16_t& status) {
  const bool unsafe = limits.accept_unsafe;
  if (const char* what = read_persistence(head, seen, unsafe)) return what;
  if (seen.has(HeaderId::content_length) || seen.has(HeaderId::transfer_encoding)) {
    std::uint16_t found = status;
    const char* what = read_request_framing(head, seen, found);
    if (what != nullptr && found == status) return what;
    if (what == nullptr && !limits.any_payload && old_without_payload(head)) {
      what = "HTTP/1.0 request with a payload that its method does not have";
      found = 413;
    }
    if (what != nullptr) {  // of a request that is good otherwise
      if (const char* host = read_host(head, seen, unsafe)) return host;
      status = found;
      return what;
    }
  }
  if (seen.has(HeaderId::te)) keep_trailers_only(head.headers);
  if (seen.has(HeaderId::expect))
    head.expect_continue =
        at_least_1_1(head.version) &&
        base::iequals(head.headers.find(HeaderId::expect)->value, "100-continue");
  return read_host(head, seen, unsafe);
}

}  // namespace

const char* finish_request(RequestHead& head, const Seen& seen, const ParseLimits& limits,
                           std::uint16_t& status) {
  constexpr Seen kDemanding =
      Seen::of({HeaderId::connection, HeaderId::upgrade, HeaderId::content_length,
                HeaderId::transfer_encoding, HeaderId::te, HeaderId::expect});
  if (seen.has_any(kDemanding)) return finish_demanding_request(head, seen, limits, status);
  head.keep_alive = at_least_1_1(head.version);
  return read_host(head, seen, limits.accept_unsafe);
}

const char* finish_response(ResponseHead& head, const Seen& seen, Method request_method,
                            bool accept_unsafe) {
  Connection c;
  head.upgrade = head.status == 101;
  if (seen.has(HeaderId::connection) && !take_only_option(head.headers, seen, c))
    read_listed_options(head, c);
  head.keep_alive = !c.close && (c.keep_alive || at_least_1_1(head.version));
  head.framing = Framing::until_close;
  const bool has_length = seen.has(HeaderId::content_length);
  if (has_length)
    if (const char* what = frame_by_length(head, seen)) return what;
  if (seen.has(HeaderId::transfer_encoding))
    if (const char* what = read_response_codings(head, has_length, accept_unsafe)) return what;
  if (bodiless(head.status)) drop_lengths(head.headers);
  if (bodiless(head.status) || head.status == 304 || request_method == Method::head) {
    head.framing = Framing::none;
  } else if (request_method == Method::connect && head.status < 300) {
    head.framing = Framing::none;
    head.upgrade = true;
  }
  if (head.framing == Framing::until_close) head.keep_alive = false;
  return nullptr;
}

}  // namespace http::detail
