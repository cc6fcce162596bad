#include "expr/random.h"

#include <sys/random.h>

#include <bit>
#include <ctime>

namespace expr {
namespace {

// xoshiro256** (Blackman, Vigna).
struct Generator {
  std::uint64_t s[4];
  Generator() {
    if (getrandom(s, sizeof(s), 0) != static_cast<ssize_t>(sizeof(s))) {
      s[0] = static_cast<std::uint64_t>(clock());
      s[1] = reinterpret_cast<std::uintptr_t>(this);
      s[2] = static_cast<std::uint64_t>(time(nullptr));
      s[3] = 0x9e3779b97f4a7c15;
    }
  }
  std::uint64_t next() {
    std::uint64_t result = std::rotl(s[1] * 5, 7) * 9;
    std::uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = std::rotl(s[3], 45);
    return result;
  }
};

}  // namespace

std::uint64_t random_number() {
  thread_local Generator generator;
  return generator.next();
}

std::string_view make_uuid(bool version7, base::Arena& arena) {
  std::uint64_t high = random_number(), low = random_number();
  if (version7) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    std::uint64_t ms = static_cast<std::uint64_t>(now.tv_sec) * 1000 +
                       static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
    high = ms << 16 | (high & 0x0fff) | 0x7000;
  } else {
    high = (high & ~std::uint64_t{0xf000}) | 0x4000;
  }
  low = (low & 0x3fffffffffffffff) | 0x8000000000000000;
  char* out = arena.allocate_chars(36);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::size_t at = 0;
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) out[at++] = '-';
    std::uint64_t half = digit < 16 ? high : low;
    out[at++] = kDigits[half >> (60 - 4 * (digit % 16)) & 15];
  }
  return {out, at};
}

}  // namespace expr
