#include "http/cookie.h"

#include <cstring>

#include "base/text.h"

namespace http {

namespace {

// Where the next of `separators` stands outside a quoted string; size() without one.
std::size_t find_separator(std::string_view s, std::string_view separators) {
  bool quoted = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '"')
      quoted = !quoted;
    else if (s[i] == '\\' && quoted)
      ++i;
    else if (!quoted && separators.find(s[i]) != separators.npos)
      return i;
  }
  return s.size();
}

void split_pair(std::string_view text, std::string_view& name, std::string_view& value) {
  std::size_t equals = text.find('=');
  name = base::trim(text.substr(0, equals));
  value = equals == text.npos ? text.substr(text.size()) : base::trim(text.substr(equals + 1));
}

std::string_view join(std::string_view a, std::string_view b, std::string_view c,
                      base::Arena& arena) {
  std::size_t size = a.size() + b.size() + c.size();
  char* out = arena.allocate_chars(size);
  if (!a.empty()) std::memcpy(out, a.data(), a.size());
  if (!b.empty()) std::memcpy(out + a.size(), b.data(), b.size());
  if (!c.empty()) std::memcpy(out + a.size() + b.size(), c.data(), c.size());
  return {out, size};
}

}  // namespace

bool next_cookie(std::string_view& rest, CookiePair& out) {
  while (!rest.empty()) {
    std::size_t end = find_separator(rest, ";,");
    out.whole = base::trim(rest.substr(0, end));
    rest.remove_prefix(end == rest.size() ? end : end + 1);
    if (out.whole.empty()) continue;
    split_pair(out.whole, out.name, out.value);
    return true;
  }
  return false;
}

bool read_set_cookie(std::string_view field_value, CookiePair& pair, std::string_view& attributes) {
  std::size_t end = find_separator(field_value, ";");
  pair.whole = base::trim(field_value.substr(0, end));
  attributes = end == field_value.size() ? std::string_view() : field_value.substr(end + 1);
  if (pair.whole.empty()) return false;
  split_pair(pair.whole, pair.name, pair.value);
  return !pair.name.empty();
}

std::string_view without_cookie(std::string_view field_value, const CookiePair& pair,
                                base::Arena& arena) {
  auto start = static_cast<std::size_t>(pair.whole.data() - field_value.data());
  std::string_view before = base::trim(field_value.substr(0, start));
  std::string_view after = base::trim(field_value.substr(start + pair.whole.size()));
  if (!after.empty()) after = base::trim(after.substr(1));  // its separator
  if (after.empty()) {
    if (!before.empty()) before = base::trim(before.substr(0, before.size() - 1));
    return before;
  }
  if (before.empty()) return after;
  return join(before, " ", after, arena);
}

std::string_view with_cookie_value(std::string_view field_value, const CookiePair& pair,
                                   std::string_view value, base::Arena& arena) {
  auto start = static_cast<std::size_t>(pair.value.data() - field_value.data());
  return join(field_value.substr(0, start), value, field_value.substr(start + pair.value.size()),
              arena);
}

}  // namespace http
