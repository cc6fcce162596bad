// A "log-profile" section: how the lines for one log target are made at each step, where that
// differs from what the proxy says (manual section 8.3.5). Immutable once it was read; targets and
// "do-log" rules refer to it.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "expr/log_format.h"
#include "txn/log_origin.h"

namespace expr {

struct LogProfile {
  struct Step {
    bool given = false, drop = false;
    std::shared_ptr<LogFormat> format, structured;  // null: the proxy's
  };

  std::string tag;  // empty: the proxy's
  std::array<Step, static_cast<std::size_t>(txn::LogOrigin::count_)> steps;
  Step any;

  // What holds for a line of this origin; null where nothing was said.
  const Step* at(txn::LogOrigin origin) const {
    const Step& own = steps[static_cast<std::size_t>(origin)];
    if (own.given) return &own;
    return any.given ? &any : nullptr;
  }
};

using LogProfiles = std::map<std::string, std::shared_ptr<const LogProfile>, std::less<>>;

}  // namespace expr
