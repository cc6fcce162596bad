// What an administrator can do to a server from the statistics page, by the names that its form and
// scripts around it use.
#pragma once

#include <span>
#include <string_view>

#include "upstream/backend.h"

namespace admin {

struct ServerAction {
  std::string_view name;                    // value of "action" in the form
  std::string_view label;                   // in the list of the page
  bool (*apply)(upstream::Server& server);  // false: it does not apply
};

std::span<const ServerAction> server_actions();
const ServerAction* find_server_action(std::string_view name);

}  // namespace admin
