// Byte-string helpers: ASCII only, locale-free, no allocation unless the name says so.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace base {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }
constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr int hex_digit(char c) {  // -1: not one
  if (is_digit(c)) return c - '0';
  char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

namespace detail {
bool iequals(const char* a, const char* b, std::size_t size);
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (!std::is_constant_evaluated()) return detail::iequals(a.data(), b.data(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  return true;
}
constexpr bool istarts_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

// Without blanks and tabs at both ends (RFC 9110 section 5.6.3, OWS).
constexpr std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

// The whole of `s` as a decimal number, or nothing: no sign for unsigned types, no blanks, no
// overflow.
template <class Int>
std::optional<Int> parse_int(std::string_view s, int radix = 10) {
  Int value{};
  auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value, radix);
  if (error != std::errc{} || end != s.data() + s.size()) return std::nullopt;
  return value;
}

std::string to_lower(std::string_view s);

// Appends what base64 says (RFC 4648 section 4), padded or not; false on any other character.
bool decode_base64(std::string_view text, std::string& out);

// The candidate nearest to `word` by edit distance, for "did you mean"; empty when none is near.
std::string_view nearest(std::string_view word, const std::string_view* candidates,
                         std::size_t count);

}  // namespace base
