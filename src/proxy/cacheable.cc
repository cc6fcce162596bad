#include "proxy/cacheable.h"

#include <algorithm>

#include "base/text.h"

namespace proxy {

namespace {

constexpr std::uint16_t kCacheable[] = {200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501};

struct Freshness {
  bool forbidden = false;  // some word says: do not keep this, or not the cookie
  bool stated = false;     // how long it holds, or by what it is checked
};

void read_directive(std::string_view word, Freshness& found) {
  const auto is = [&](std::string_view name) { return base::iequals(word, name); };
  const auto begins = [&](std::string_view name) {
    return base::iequals(word.substr(0, name.size()), name);
  };
  if (is("private") || is("no-store") || is("no-cache") || is("max-age=0") || is("s-maxage=0") ||
      begins("no-cache=") || begins("private="))
    found.forbidden = true;
  else if (begins("max-age=") || begins("s-maxage="))
    found.stated = true;
}

void read_cache_control(std::string_view value, Freshness& found) {
  while (!value.empty()) {
    bool quoted = false;
    std::size_t end = 0;
    for (; end < value.size() && (quoted || value[end] != ','); ++end)
      if (value[end] == '"') quoted = !quoted;
    read_directive(base::trim(value.substr(0, end)), found);
    value.remove_prefix(std::min(value.size(), end + 1));
  }
}

}  // namespace

bool sets_cacheable_cookie(http::Method method, const http::ResponseHead& response) {
  using http::Method;
  if (method != Method::get && method != Method::head && method != Method::options &&
      method != Method::trace)
    return false;
  if (std::find(std::begin(kCacheable), std::end(kCacheable), response.status) ==
      std::end(kCacheable))
    return false;
  bool cookie = false;
  Freshness found;
  for (const http::Field& field : response.headers) {
    if (field.name == "set-cookie")
      cookie = true;
    else if (field.name == "cache-control")
      read_cache_control(field.value, found);
    else if (field.name == "pragma")
      found.forbidden |= base::iequals(field.value, "no-cache");
    else if (field.name == "expires" || field.name == "etag" || field.name == "last-modified")
      found.stated = true;
  }
  return cookie && found.stated && !found.forbidden;
}

}  // namespace proxy
