#include "expr/converter/base64.h"

#include <array>
#include <cstdint>

namespace expr::converter {
namespace {

constexpr char kPlain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrl[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> reversed(const char* alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& x : table) x = -1;
  for (int i = 0; i < 64; ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  return table;
}
constexpr auto kFromPlain = reversed(kPlain);
constexpr auto kFromUrl = reversed(kUrl);

}  // namespace

std::string_view base64_encode(std::string_view bytes, bool url, base::Arena& arena) {
  const char* alphabet = url ? kUrl : kPlain;
  char* begin = arena.allocate_chars((bytes.size() + 2) / 3 * 4);
  char* out = begin;
  std::size_t i = 0;
  auto at = [&](std::size_t k) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[k]));
  };
  for (; i + 3 <= bytes.size(); i += 3) {
    std::uint32_t n = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) *out++ = alphabet[n >> shift & 63];
  }
  std::size_t left = bytes.size() - i;
  if (left != 0) {
    std::uint32_t n = at(i) << 16 | (left == 2 ? at(i + 1) << 8 : 0);
    *out++ = alphabet[n >> 18 & 63];
    *out++ = alphabet[n >> 12 & 63];
    if (left == 2) *out++ = alphabet[n >> 6 & 63];
    for (; !url && left < 3; ++left) *out++ = '=';
  }
  return {begin, static_cast<std::size_t>(out - begin)};
}

bool base64_decode(std::string_view text, bool url, base::Arena& arena, std::string_view& out) {
  if (!url && text.size() % 4 != 0) return false;
  std::size_t padding = 0;
  while (padding < 2 && text.size() > padding && text[text.size() - 1 - padding] == '=') ++padding;
  if (url && padding != 0 && text.size() % 4 != 0) return false;
  text.remove_suffix(padding);
  if (text.size() % 4 == 1) return false;
  const auto& from = url ? kFromUrl : kFromPlain;
  char* begin = arena.allocate_chars(text.size() / 4 * 3 + 3);
  char* end = begin;
  std::uint32_t bits = 0;
  int have = 0;
  for (char c : text) {
    std::int8_t digit = from[static_cast<unsigned char>(c)];
    if (digit < 0) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    have += 6;
    if (have >= 8) {
      have -= 8;
      *end++ = static_cast<char>(bits >> have);
    }
  }
  out = {begin, static_cast<std::size_t>(end - begin)};
  return true;
}

}  // namespace expr::converter
