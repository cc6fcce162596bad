// What "trace" says, in a "traces" section, on the runtime socket and as -dt. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace obs::trace {

struct Answer {
  enum class Kind : std::uint8_t { nothing, listing, mistake } kind = Kind::nothing;
  std::string text;
};

// The words behind "trace". What stands before a mistake has been done.
Answer command(std::span<const std::string> words);
// "show trace": all sources, or the events of one.
Answer show(std::string_view source);

// "-dt": "source:level:verbosity" and commas; empty: errors of all sources.
base::Result<void> follow_option(std::string_view text);
std::string option_help();

}  // namespace obs::trace
