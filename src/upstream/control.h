// Runtime changes that balancers, queues and checks must hear of; for commands and scripts. Any
// worker. The error is the text of the command's answer.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace upstream {

class Server;

namespace control {

base::Result<void> set_weight(Server& server, std::string_view weight);  // "10" or "50%"
base::Result<void> set_state(Server& server, std::string_view state);    // ready drain maint
base::Result<void> set_health(Server& server, std::string_view health);  // up stopping down
// An IP address or empty; a port, "+n" or "-n" relative to the client's destination port, or empty.
base::Result<void> set_address(Server& server, std::string_view address, std::string_view port);
base::Result<void> set_maximum(Server& server, std::uint32_t maximum);
// Where checks and agents are asked; empty leaves as it is.
base::Result<void> set_check_target(Server& server, std::string_view address,
                                    std::string_view port);
base::Result<void> set_agent_target(Server& server, std::string_view address,
                                    std::string_view port);
base::Result<void> set_agent_send(Server& server, std::string_view text);
base::Result<void> set_agent_health(Server& server, std::string_view health);  // up down
void enable_check(Server& server, bool on);
void enable_agent(Server& server, bool on);
void shutdown_sessions(Server& server);

}  // namespace control
}  // namespace upstream
