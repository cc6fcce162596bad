#include <fmt/format.h>

#include "app/global/keyword.h"
#include "app/proxy_keywords/keyword.h"
#include "app/sections/section.h"
#include "base/text.h"

namespace app {

namespace {

constexpr std::string_view kNegation =
    "negation/default currently supported only for options, log, busy-polling, set-dumpable, "
    "strict-limits, insecure-fork-wanted and numa-cpu-mapping.";

void unknown(const config::Line& line, std::size_t word, config::Diagnostics& diagnostics) {
  std::vector<std::string_view> names;
  for (const GlobalKeyword* row : all_global_keywords()) names.push_back(row->name);
  std::string hint = where_it_belongs(line[word]);
  if (hint.empty()) hint = did_you_mean(line[word], names);
  diagnostics.alert(line.at(word),
                    fmt::format("unknown keyword '{}' in 'global' section", line[word]), hint);
}

void read_line(const config::Line& line, GlobalSettings& settings,
               config::Diagnostics& diagnostics) {
  const bool negated = line[0] == "no";
  const std::size_t word = negated ? 1 : 0;
  const GlobalKeyword* row = find_global_keyword(line[word]);
  if (row == nullptr) return unknown(line, word, diagnostics);
  if (line[0] == "default" || (negated && !row->may_negate)) {
    diagnostics.alert(line.at(), std::string(kNegation));
    return;
  }
  config::Arguments args(line, diagnostics, word + 1);
  GlobalContext context{settings, args, *row, negated};
  const std::size_t mistakes = diagnostics.messages().size();
  if (!row->parse(context)) return;
  if (diagnostics.messages().size() != mistakes || !args.expect_end()) return;
  if (!row->no_effect.empty())
    diagnostics.diagnostic(line.at(),
                           fmt::format("'{}' has no effect: {}.", row->name, row->no_effect));
}

}  // namespace

void read_global(const config::Section& section, GlobalSettings& settings,
                 config::Diagnostics& diagnostics) {
  if (section.head.size() > 1)
    diagnostics.alert(
        section.head.at(1),
        fmt::format("'global' cannot handle unexpected argument '{}'.", section.head[1]));
  for (const config::Line& line : section.lines) {
    if (diagnostics.full()) return;
    read_line(line, settings, diagnostics);
  }
}

}  // namespace app
