// "traces" sections (manual section 12.1): what a "trace" command would set from the start.
#include <fmt/format.h>

#include <iterator>

#include "app/sections/other.h"
#include "config/arguments.h"
#include "obs/trace_command.h"

namespace app {

namespace {

constexpr config::Keyword kKeywords[] = {
    {"trace", "<source> <args...>", "Sets what is traced, as the command \"trace\" does."},
};

// Sinks that nobody has are no reason not to start, as in the reference.
bool forgivable(std::string_view text) { return text.starts_with("No such trace sink"); }

void read_trace(const config::Line& line, config::Diagnostics& diagnostics) {
  std::vector<std::string> words;
  for (std::size_t i = 1; i < line.size(); ++i) words.emplace_back(line[i]);
  obs::trace::Answer answer = obs::trace::command(words);
  using Kind = obs::trace::Answer::Kind;
  if (answer.kind == Kind::nothing || (!words.empty() && words[0] == "0")) return;
  while (answer.text.ends_with('\n')) answer.text.pop_back();
  if (answer.kind == Kind::mistake && !forgivable(answer.text))
    diagnostics.alert(line.at(words.empty() ? 0 : 1), answer.text);
  else
    diagnostics.warning(line.at(), fmt::format("'trace': {}", answer.text));
}

}  // namespace

std::span<const config::Keyword> trace_keywords() { return kKeywords; }

void read_traces(const config::Section& section, Assembly& assembly) {
  for (const config::Line& line : section.lines) {
    if (line[0] == "trace")
      read_trace(line, assembly.diagnostics);
    else
      assembly.diagnostics.alert(line.at(),
                                 fmt::format("unknown keyword '{}' in 'traces' section", line[0]),
                                 "there is one: trace");
  }
}

}  // namespace app
