// The fields of heads and trailers. Internal to this room.
#pragma once

#include "http/h1.h"

namespace http::detail {

struct Seen {
  std::uint32_t once = 0, again = 0;  // bits by HeaderId
  void add(HeaderId id) {
    std::uint32_t bit = 1u << static_cast<unsigned>(id);
    again |= once & bit;
    once |= bit;
  }
  bool has(HeaderId id) const { return (once & (1u << static_cast<unsigned>(id))) != 0; }
  bool repeated(HeaderId id) const { return (again & (1u << static_cast<unsigned>(id))) != 0; }
};

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
