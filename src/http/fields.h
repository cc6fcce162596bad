// The fields of heads and trailers. Internal to this room.
#pragma once

#include <initializer_list>

#include "http/h1.h"

namespace http::detail {

// Which fields there are, as bits by HeaderId: those that are there, and 32 above those that are
// there again.
struct Seen {
  std::uint64_t bits = 0;
  static constexpr std::uint64_t bit(HeaderId id) {
    return std::uint64_t{1} << static_cast<unsigned>(id);
  }
  static constexpr Seen of(std::initializer_list<HeaderId> ids) {
    Seen seen;
    for (const HeaderId id : ids) seen.bits |= bit(id);
    return seen;
  }
  void add(HeaderId id) { bits |= bit(id) | (bits & bit(id)) << 32; }
  bool has(HeaderId id) const { return (bits & bit(id)) != 0; }
  bool has_any(const Seen& of) const { return (bits & of.bits) != 0; }
  bool repeated(HeaderId id) const { return (bits & bit(id) << 32) != 0; }
};
static_assert(static_cast<unsigned>(HeaderId::count_) <= 32);

// All fields up to the empty line; names are lowered and folded lines joined in place. Lines with
// bad names are left out under accept_unsafe.
Parse parse_fields(char*& p, char* end, const ParseLimits& limits, Headers& headers, Seen& seen,
                   ParseError& error);

// What the headers of a complete head mean (framing, persistence, host), as h1.h says. They return
// null or what is wrong; `status` is set with it.
const char* finish_request(RequestHead& head, const Seen& seen, const ParseLimits& limits,
                           std::uint16_t& status);
// Characters that can be in a Host.
bool valid_host(std::string_view host);
const char* finish_response(ResponseHead& head, const Seen& seen, Method request_method,
                            bool accept_unsafe);

}  // namespace http::detail
