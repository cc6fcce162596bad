// Byte scanning for the HTTP/1 parser: 16 bytes at a time with SSE2 where there is room, a table
// otherwise. Internal to this room.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace http::scan {

// RFC 9110 section 5.6.2: the lower-cased character of a token, 0 for what is none.
inline constexpr std::array<char, 256> kToken = [] {
  std::array<char, 256> t{};
  for (int c = 'a'; c <= 'z'; ++c) t[static_cast<std::size_t>(c)] = static_cast<char>(c);
  for (int c = 'A'; c <= 'Z'; ++c) t[static_cast<std::size_t>(c)] = static_cast<char>(c | 0x20);
  for (int c = '0'; c <= '9'; ++c) t[static_cast<std::size_t>(c)] = static_cast<char>(c);
  for (char c : {'!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~'})
    t[static_cast<unsigned char>(c)] = c;
  return t;
}();

inline char token_char(char c) { return kToken[static_cast<unsigned char>(c)]; }

#ifdef __SSE2__
// From 16 - n on: the bit that makes letters small, for the first n characters.
alignas(32) inline constexpr char kSmall[32] = {0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20,
                                                0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20};

inline __m128i load(const char* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }

// Which of the characters are from `first` to `last`.
inline __m128i within(__m128i x, char first, char last) {
  const __m128i from_lowest = _mm_add_epi8(x, _mm_set1_epi8(static_cast<char>(-128 - first)));
  return _mm_cmplt_epi8(from_lowest, _mm_set1_epi8(static_cast<char>(-128 + last - first + 1)));
}
inline __m128i letters(__m128i x) { return within(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 'z'); }

// 16 characters, and how many of them stand before anything else but letters and hyphens, those
// lowered.
struct Letters {
  __m128i bytes;
  unsigned count;
};
inline Letters lowered_letters(const char* p) {
  const __m128i x = load(p);
  const __m128i usual = _mm_or_si128(letters(x), _mm_cmpeq_epi8(x, _mm_set1_epi8('-')));
  const auto count =
      static_cast<unsigned>(std::countr_zero(~static_cast<unsigned>(_mm_movemask_epi8(usual))));
  return {_mm_or_si128(x, load(kSmall + 16 - count)), count};
}
inline void store(char* p, __m128i bytes) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
}

// Which are control characters up to CR, by bits.
inline unsigned controls(const char* p) {
  const __m128i x = load(p);
  return static_cast<unsigned>(
      _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8('\r')), x)));
}

// find_control() where there are 16 bytes before `end`.
inline char* find_control_by_16(char* p, char* end) {
  char* const last = end - 16;
  for (; p <= last; p += 16)
    if (const unsigned mask = controls(p); mask != 0) return p + std::countr_zero(mask);
  const unsigned mask = controls(last) >> (p - last);
  return mask != 0 ? p + std::countr_zero(mask) : end;
}
#endif

// To the first character that is no token character; tokens on the way are lowered in place.
inline char* lower_token(char* p, char* end) {
  for (; p != end; ++p) {
    char c = token_char(*p);
    if (c == 0) break;
    if (c != *p) *p = c;
  }
  return p;
}

// To the first control character up to CR, which can be no line end (a tab).
inline char* find_control(char* p, char* end) {
#ifdef __SSE2__
  if (end - p >= 16) return find_control_by_16(p, end);
#endif
  while (p != end && static_cast<unsigned char>(*p) > '\r') ++p;
  return p;
}

inline bool target_char(char c) { return c > ' ' && c != 0x7f && c != '#'; }

// To the first character that is not plain in a request target: 33 to 126 without '#'.
inline char* find_target_end(char* p, char* end) {
#ifdef __SSE2__
  while (end - p >= 16) {
    __m128i x = load(p);
    __m128i odd =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(0x7f)), _mm_cmpeq_epi8(x, _mm_set1_epi8('#')));
    __m128i plain = _mm_andnot_si128(odd, _mm_cmpgt_epi8(x, _mm_set1_epi8(' ')));
    unsigned mask = ~static_cast<unsigned>(_mm_movemask_epi8(plain)) & 0xffff;
    if (mask != 0) return p + std::countr_zero(mask);
    p += 16;
  }
#endif
  while (p != end && target_char(*p)) ++p;
  return p;
}

// Whether a host is of letters, digits, dots, hyphens and colons alone. Only true says something.
inline bool plain_host(std::string_view host) {
#ifdef __SSE2__
  const std::size_t size = host.size();
  if (size < 8) return false;
  const auto plain = [](__m128i x) {
    const __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('/'));
    const __m128i digits = within(x, '-', ':');  // and the others, and the slash
    return _mm_movemask_epi8(_mm_andnot_si128(slash, _mm_or_si128(letters(x), digits))) == 0xffff;
  };
  const char* end = host.data() + size;
  const auto half = [](const char* p) {
    return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  };
  if (size <= 16) return plain(_mm_unpacklo_epi64(half(host.data()), half(end - 8)));
  for (const char* p = host.data(); end - p > 16; p += 16)
    if (!plain(load(p))) return false;
  return plain(load(end - 16));
#else
  return false;
#endif
}

}  // namespace http::scan
