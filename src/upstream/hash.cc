#include "upstream/hash.h"

#include <array>
#include <bit>

#include "base/text.h"

namespace upstream {

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (0xedb88320u & (0u - (value & 1)));
    table[i] = value;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

std::uint32_t leading_number(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text) {
    if (!base::is_digit(c)) break;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

}  // namespace

std::uint32_t hash_sdbm(std::string_view bytes) {
  std::uint32_t hash = 0;
  for (const char c : bytes) hash = static_cast<unsigned char>(c) + hash * 65599u;
  return hash;
}

std::uint32_t hash_djb2(std::string_view bytes) {
  std::uint32_t hash = 5381;
  for (const char c : bytes) hash = hash * 33u + static_cast<unsigned char>(c);
  return hash;
}

// Two registers that rotate each other by amounts taken from their own bits.
std::uint32_t hash_wt6(std::string_view bytes) {
  std::uint32_t low = 0xa53c965au, high = 0x5ca6953au;
  int by_low = 6, by_high = 18;
  for (const char c : bytes) {
    low = ~(low ^ static_cast<unsigned char>(c));
    high = ~(high + static_cast<unsigned char>(c));
    const std::uint32_t turned = std::rotl(high, by_low);
    high = std::rotl(low, by_high);
    low = turned;
    const std::uint32_t mixed = ((low >> 16) ^ high) & 0xffffu;
    by_low = static_cast<int>(mixed & 31);
    by_high = static_cast<int>(mixed >> 11);
  }
  return low ^ high;
}

std::uint32_t hash_crc32(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes)
    crc = kCrcTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t hash_of(HashFunction function, std::string_view bytes) {
  switch (function) {
    case HashFunction::sdbm:
      return hash_sdbm(bytes);
    case HashFunction::djb2:
      return hash_djb2(bytes);
    case HashFunction::wt6:
      return hash_wt6(bytes);
    case HashFunction::crc32:
      return hash_crc32(bytes);
    case HashFunction::none:
      return leading_number(bytes);
  }
  return 0;
}

std::uint32_t avalanche(std::uint32_t a) {
  a = (a + 0x7ed55d16u) + (a << 12);
  a = (a ^ 0xc761c23cu) ^ (a >> 19);
  a = (a + 0x165667b1u) + (a << 5);
  a = (a + 0xd3a2646cu) ^ (a << 9);
  a = (a + 0xfd7046c5u) + (a << 3);
  a = (a ^ 0xb55a4f09u) ^ (a >> 16);
  return a * 3221225473u;
}

}  // namespace upstream
