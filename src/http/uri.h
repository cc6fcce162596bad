// Request targets and their parts (RFC 9112 section 3.2, RFC 3986). Views into the given text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace http {

struct Target {
  enum class Form : std::uint8_t { origin, absolute, authority, asterisk } form = Form::origin;
  std::string_view scheme;     // absolute form
  std::string_view authority;  // host[:port]
  std::string_view path;       // without the query; "*" for asterisk
  std::string_view query;      // without '?'
  bool has_query = false;
};

// Never fails: what fits no form is origin with an odd path (the parser has refused the
// impossible).
Target split_target(std::string_view target, bool connect_method = false);
// Without the port: "example.com:80" -> "example.com", "[::1]:80" -> "[::1]".
std::string_view host_only(std::string_view authority);
std::string_view port_only(std::string_view authority);
// The value of `name` in a query string with `delimiter`; false when absent.
bool query_value(std::string_view query, std::string_view name, std::string_view& value,
                 char delimiter = '&', bool ignore_case = false);

}  // namespace http
