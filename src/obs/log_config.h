// The "log" lines of the global section and of proxies, read into targets (manual section 4.2).
// Start-up only.
#pragma once

#include <memory>
#include <vector>

#include "config/arguments.h"
#include "obs/log.h"

namespace obs {

struct LogSettings {
  std::vector<std::shared_ptr<LogTarget>> targets;
  bool global = false;  // "log global": the process's targets as well
};

enum class LogPlace : std::uint8_t { global, proxy };

// The words after "log" at the cursor, or after "no log" when `negated`. Reports what is wrong and
// returns false then; `into` is changed only on success.
bool parse_log(config::Arguments& args, LogPlace place, bool negated, LogSettings& into);

// Finds the rings that the targets name, once all sections are read. Reports unknown ones. Log
// backends are found by app/.
bool link_targets(const LogSettings& settings, config::Diagnostics& diagnostics);

// Names as the manual's list: "local0" is 16; -1 for none.
int parse_facility(std::string_view name);
bool parse_log_format(std::string_view name, LogFormatKind& out);

}  // namespace obs
