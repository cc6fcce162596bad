// The lists of commands that "help" and unknown commands print.
#pragma once

#include <span>
#include <string>

#include "admin/command.h"

namespace admin {

// Commands whose words begin with `words`; all of the session's level when there are none.
std::string help_text(const Catalogue& catalogue, const SessionState& session,
                      std::span<const std::string> words);
// "Unknown command: 'x', but maybe …" with those most like it.
std::string unknown_command_text(const Catalogue& catalogue, const SessionState& session,
                                 std::span<const std::string> words);

}  // namespace admin
