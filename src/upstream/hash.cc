#include "upstream/hash.h"

#include "base/hash.h"
#include "base/text.h"

namespace upstream {

namespace {

std::uint32_t leading_number(std::string_view text) {
  std::uint32_t value = 0;
  for (const char c : text) {
    if (!base::is_digit(c)) break;
    value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

}  // namespace

std::uint32_t hash_of(HashFunction function, std::string_view bytes) {
  switch (function) {
    case HashFunction::sdbm:
      return base::hash_sdbm(bytes);
    case HashFunction::djb2:
      return base::hash_djb2(bytes);
    case HashFunction::wt6:
      return base::hash_wt6(bytes);
    case HashFunction::crc32:
      return base::hash_crc32(bytes);
    case HashFunction::none:
      return leading_number(bytes);
  }
  return 0;
}

}  // namespace upstream
