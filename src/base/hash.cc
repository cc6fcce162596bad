#include "base/hash.h"

#include <array>
#include <bit>

namespace base {
namespace {

using CrcTable = std::array<std::uint32_t, 256>;

constexpr CrcTable make_crc_table(std::uint32_t polynomial) {
  CrcTable table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (polynomial & (0u - (value & 1)));
    table[i] = value;
  }
  return table;
}
constexpr CrcTable kCrc32 = make_crc_table(0xedb88320);
constexpr CrcTable kCrc32c = make_crc_table(0x82f63b78);

std::uint32_t crc(const CrcTable& table, std::string_view bytes) {
  std::uint32_t value = ~0u;
  for (char c : bytes) value = table[(value ^ static_cast<unsigned char>(c)) & 255] ^ value >> 8;
  return ~value;
}

}  // namespace

std::uint32_t hash_crc32(std::string_view bytes) { return crc(kCrc32, bytes); }
std::uint32_t hash_crc32c(std::string_view bytes) { return crc(kCrc32c, bytes); }

std::uint32_t hash_djb2(std::string_view bytes) {
  std::uint32_t hash = 5381;
  for (char c : bytes) hash = hash * 33 + static_cast<unsigned char>(c);
  return hash;
}

std::uint32_t hash_sdbm(std::string_view bytes) {
  std::uint32_t hash = 0;
  for (char c : bytes) hash = hash * 65599 + static_cast<unsigned char>(c);
  return hash;
}

// Two registers that rotate each other by amounts taken from their own bits.
std::uint32_t hash_wt6(std::string_view bytes) {
  std::uint32_t low = 0xa53c965a, high = 0x5ca6953a;
  int by_low = 6, by_high = 18;
  for (char c : bytes) {
    low = ~(low ^ static_cast<unsigned char>(c));
    high = ~(high + static_cast<unsigned char>(c));
    std::uint32_t turned = std::rotl(high, by_low);
    high = std::rotl(low, by_high);
    low = turned;
    std::uint32_t mixed = (low >> 16 ^ high) & 0xffff;
    by_low = static_cast<int>(mixed & 31);
    by_high = static_cast<int>(mixed >> 11);
  }
  return low ^ high;
}

std::uint32_t avalanche(std::uint32_t a) {
  a = (a + 0x7ed55d16) + (a << 12);
  a = (a ^ 0xc761c23c) ^ (a >> 19);
  a = (a + 0x165667b1) + (a << 5);
  a = (a + 0xd3a2646c) ^ (a << 9);
  a = (a + 0xfd7046c5) + (a << 3);
  a = (a ^ 0xb55a4f09) ^ (a >> 16);
  return a * 3221225473u;
}

}  // namespace base
