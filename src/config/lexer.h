// One raw line into words: comments, quoting, escapes and environment variables, as the manual's
// sections 2.2 and 2.3. Pure except for reading the process environment; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/source.h"

namespace config {

inline constexpr std::size_t kMaxWords = 2048;

// What the pseudo-variables .FILE, .LINE and .SECTION stand for.
struct LexContext {
  std::string_view file;
  std::uint32_t line = 0;
  std::string_view section;
  bool comments = true;  // an unprotected '#' ends the line
};

struct LexError {
  std::string text;
  std::uint32_t column = 0;
};

struct LexedLine {
  std::vector<Word> words;
  std::uint32_t end = 0;  // column just past the last word
};

base::Result<LexedLine, LexError> split_words(std::string_view raw, const LexContext& context);

}  // namespace config
