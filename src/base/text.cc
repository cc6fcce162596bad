#include "base/text.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace base {

namespace {

std::uint64_t eight_bytes(const char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Fewer than eight; those in the middle twice.
std::uint64_t few_bytes(const char* at, std::size_t size) {
  if (size >= 4) {
    std::uint32_t first, last;
    std::memcpy(&first, at, sizeof first);
    std::memcpy(&last, at + size - sizeof last, sizeof last);
    return std::uint64_t{first} << 32 | last;
  }
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < size; ++i) word = word << 8 | static_cast<unsigned char>(at[i]);
  return word;
}

// Eight letters at once: with bit 7 out of the way, adding carries into it exactly from 'A' on, and
// from behind 'Z' on.
std::uint64_t lower_eight(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101;
  const std::uint64_t seven = word & kEach * 0x7f;
  const std::uint64_t from_a = seven + kEach * (0x80 - 'A');
  const std::uint64_t behind_z = seven + kEach * (0x7f - 'Z');
  const std::uint64_t capital = ~word & from_a & ~behind_z & kEach * 0x80;
  return word | capital >> 2;
}

bool same_eight(std::uint64_t a, std::uint64_t b) {
  return a == b || lower_eight(a) == lower_eight(b);
}

}  // namespace

bool detail::iequals(const char* a, const char* b, std::size_t size) {
  if (size < 8) return same_eight(few_bytes(a, size), few_bytes(b, size));
  for (std::size_t i = 0; i + 8 < size; i += 8)
    if (!same_eight(eight_bytes(a + i), eight_bytes(b + i))) return false;
  return same_eight(eight_bytes(a + size - 8), eight_bytes(b + size - 8));
}

std::string to_lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

bool decode_base64(std::string_view text, std::string& out) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  unsigned held = 0, bits = 0;
  for (char c : text) {
    int value = is_digit(c)            ? c - '0' + 52
                : c >= 'A' && c <= 'Z' ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c == '+'             ? 62
                : c == '/'             ? 63
                                       : -1;
    if (value < 0) return false;
    held = held << 6 | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<char>(held >> bits & 0xff));
  }
  return true;
}

std::string_view nearest(std::string_view word, const std::string_view* candidates,
                         std::size_t count) {
  constexpr std::size_t kLongest = 64;  // no keyword comes near, and the distance takes its time
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t least = word.size() / 3 + 2;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t d = edit_distance(word, candidates[i]);
    if (d < least) {
      least = d;
      best = candidates[i];
    }
  }
  return best;
}

}  // namespace base
