// Events of servers that scripts subscribe to (core.event_sub, Server.event_sub). The part that
// sees a change describes it here; each subscription handles its events one after the other in a
// fiber of the worker that subscribed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "state/server.h"

namespace lua {

enum class EventType : std::uint8_t {
  server_add,
  server_del,
  server_down,
  server_up,
  server_state,
  server_admin,
  server_check,
  count_
};

struct CheckEvent {
  const char* result = "PASSED";  // FAILED PASSED CONDPASS
  bool agent = false;
  std::int64_t duration_ms = 0;
  state::CheckStatus status = state::CheckStatus::unknown;
  int code = -1;  // of layer 5 and above; -1: none
  int health = 0, rise = 0, fall = 0;
};

struct ServerEvent {
  EventType type;
  const state::Server* server;  // lives as long as the process
  std::int64_t when = 0;        // wall-clock seconds
  // SERVER_STATE and SERVER_ADMIN
  state::OperState old_state = state::OperState::stopped, new_state = state::OperState::stopped;
  std::uint8_t old_admin = 0, new_admin = 0;
  bool administrative = false;
  std::string cause;
  std::uint32_t requeued = 0;
  bool has_check = false;  // SERVER_CHECK, and SERVER_STATE that a check led to
  CheckEvent check;
};

}  // namespace lua
