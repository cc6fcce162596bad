// The number of a header name, by a perfect hash. Internal to this room.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "http/message.h"

namespace http::detail {

inline constexpr std::size_t kIds = static_cast<std::size_t>(HeaderId::count_);
inline constexpr std::array<std::string_view, kIds> kIdNames{"",
                                                             "host",
                                                             "connection",
                                                             "content-length",
                                                             "transfer-encoding",
                                                             "expect",
                                                             "upgrade",
                                                             "keep-alive",
                                                             "proxy-connection",
                                                             "te",
                                                             "trailer",
                                                             "cookie",
                                                             "set-cookie",
                                                             "content-type",
                                                             "date",
                                                             "server",
                                                             "user-agent",
                                                             "x-forwarded-for",
                                                             "authorization",
                                                             "proxy-authorization",
                                                             "cache-control",
                                                             "location",
                                                             "accept-encoding",
                                                             "content-encoding"};
static_assert(!kIdNames.back().empty());

// Over the first eight letters, as a number, and the length; the factor is found at compile time.
struct IdTable {
  std::uint64_t factor = 0;
  std::array<std::uint8_t, 64> ids{};
  alignas(16) std::array<std::array<char, 16>, kIds> starts{};  // of the names, zeros behind
  alignas(16) std::array<std::array<char, 16>, kIds> ends{};    // of those with 16 characters

  constexpr std::size_t slot(std::uint64_t start, std::size_t size) const {
    return ((start + size) * factor) >> 58;
  }
  constexpr bool fill() {
    ids.fill(0);
    for (std::size_t id = 1; id < kIds; ++id) {
      const std::string_view name = kIdNames[id];
      std::array<char, 8> start{};
      std::copy_n(name.begin(), std::min(name.size(), start.size()), start.begin());
      std::uint8_t& place = ids[slot(std::bit_cast<std::uint64_t>(start), name.size())];
      if (place != 0) return false;
      place = static_cast<std::uint8_t>(id);
      std::copy_n(name.begin(), std::min(name.size(), starts[id].size()), starts[id].begin());
      if (name.size() >= 16) std::copy_n(name.end() - 16, 16, ends[id].begin());
    }
    return true;
  }
};

consteval IdTable make_id_table() {
  for (std::uint64_t factor = 0x9e3779b97f4a7c15;; factor = factor * 6364136223846793005 + 2) {
    IdTable t{.factor = factor};
    if (t.fill()) return t;
  }
}
inline constexpr IdTable kIdTable = make_id_table();

#ifdef __SSE2__
inline __m128i load_16(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}
inline bool same_16(__m128i a, __m128i b) {
  return _mm_movemask_epi8(_mm_cmpeq_epi8(a, b)) == 0xffff;
}

// id_of() a name of token characters, of whose first 16 bytes it is told.
inline HeaderId id_of_token(const char* name, std::size_t size, __m128i start) {
  // From 16 - n on: what keeps the first n characters.
  alignas(32) static constexpr unsigned char kKept[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                          255, 255, 255, 255, 255, 255, 255, 255};
  if (size < 16)
    start = _mm_and_si128(start, load_16(reinterpret_cast<const char*>(kKept + 16 - size)));
  const std::uint8_t id =
      kIdTable.ids[kIdTable.slot(static_cast<std::uint64_t>(_mm_cvtsi128_si64(start)), size)];
  bool same = same_16(start, load_16(kIdTable.starts[id].data()));
  if (size > 16 && same)
    same = same_16(load_16(name + size - 16), load_16(kIdTable.ends[id].data()));
  return same ? static_cast<HeaderId>(id) : HeaderId::other;
}
#endif

}  // namespace http::detail
