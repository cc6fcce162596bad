// Finds what a command names, or prints why not.
#pragma once

#include "admin/command.h"
#include "upstream/backend.h"

namespace admin {

// "backend/server"; null with the refusal printed.
state::Server* find_state_server(Call& call, std::string_view name);
upstream::Server* find_server(Call& call, std::string_view name);
state::Proxy* find_frontend(Call& call, std::string_view name);

}  // namespace admin
