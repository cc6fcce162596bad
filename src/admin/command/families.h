// The tables of built-in commands, one for each file of this folder.
#pragma once

#include <span>

#include "admin/command.h"

namespace admin {

std::span<const Command> session_commands();
std::span<const Command> process_commands();
std::span<const Command> profiling_commands();
std::span<const Command> statistics_commands();
std::span<const Command> server_commands();
std::span<const Command> server_state_commands();
std::span<const Command> frontend_commands();
std::span<const Command> backend_commands();
std::span<const Command> runtime_server_commands();
std::span<const Command> pattern_commands();
std::span<const Command> table_commands();
std::span<const Command> variable_commands();
std::span<const Command> event_commands();
std::span<const Command> resource_commands();
std::span<const Command> error_commands();
std::span<const Command> session_list_commands();
std::span<const Command> trace_commands();

}  // namespace admin
