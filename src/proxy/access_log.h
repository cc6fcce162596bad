// Lines about traffic, as a frontend's log settings, its targets and their profiles want them.
// Called in the fiber of the session; samples in formats may wait.
#pragma once

#include <string>

#include "expr/log_profile.h"
#include "proxy/config.h"

namespace proxy {

inline constexpr int kSilent = 8;  // "set-log-level silent"

struct AccessLine {
  txn::LogOrigin origin = txn::LogOrigin::unspecified;
  const expr::LogFormat* format = nullptr;    // where no profile has another; null: none
  const expr::LogProfile* profile = nullptr;  // instead of those of the targets
  obs::Level level = obs::Level::info;
};

// `text` is a buffer whose room is used again.
void write_access_line(const Proxy& frontend, const AccessLine& line, expr::Context& context,
                       std::string& text);

}  // namespace proxy
