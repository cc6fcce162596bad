// Byte scanning for the HTTP/1 parser: 16 bytes at a time with SSE2 where there is room, a table
// otherwise. Internal to this room.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

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

// To the first character that is no token character; tokens on the way are lowered in place.
inline char* lower_token(char* p, char* end) {
#ifdef __SSE2__
  const __m128i iota = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  while (end - p >= 16) {
    __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i capital = _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8('A' - 1)),
                                    _mm_cmplt_epi8(x, _mm_set1_epi8('Z' + 1)));
    __m128i y = _mm_or_si128(x, _mm_and_si128(capital, _mm_set1_epi8(0x20)));
    __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(y, _mm_set1_epi8('a' - 1)),
                                   _mm_cmplt_epi8(y, _mm_set1_epi8('z' + 1)));
    __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(y, _mm_set1_epi8('0' - 1)),
                                  _mm_cmplt_epi8(y, _mm_set1_epi8('9' + 1)));
    __m128i usual =
        _mm_or_si128(_mm_or_si128(letter, digit), _mm_cmpeq_epi8(y, _mm_set1_epi8('-')));
    unsigned stop = ~static_cast<unsigned>(_mm_movemask_epi8(usual)) & 0xffff;
    unsigned n = stop == 0 ? 16 : static_cast<unsigned>(std::countr_zero(stop));
    if ((static_cast<unsigned>(_mm_movemask_epi8(capital)) & ((1u << n) - 1)) != 0) {
      __m128i mine = _mm_cmplt_epi8(iota, _mm_set1_epi8(static_cast<char>(n)));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                       _mm_or_si128(_mm_and_si128(mine, y), _mm_andnot_si128(mine, x)));
    }
    p += n;
    if (n == 16) continue;
    if (token_char(*p) == 0) return p;
    ++p;
  }
#endif
  for (; p != end; ++p) {
    char c = token_char(*p);
    if (c == 0) break;
    if (c != *p) *p = c;
  }
  return p;
}

// To the first CR, LF or NUL.
inline char* find_line_end(char* p, char* end) {
#ifdef __SSE2__
  while (end - p >= 16) {
    __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('\r')),
                                            _mm_cmpeq_epi8(x, _mm_set1_epi8('\n'))),
                               _mm_cmpeq_epi8(x, _mm_setzero_si128()));
    unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (mask != 0) return p + std::countr_zero(mask);
    p += 16;
  }
#endif
  while (p != end && *p != '\r' && *p != '\n' && *p != '\0') ++p;
  return p;
}

inline bool target_char(char c) { return c > ' ' && c != 0x7f && c != '#'; }

// To the first character that is not plain in a request target: 33 to 126 without '#'.
inline char* find_target_end(char* p, char* end) {
#ifdef __SSE2__
  while (end - p >= 16) {
    __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
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

}  // namespace http::scan
