#include "state/server.h"

#include <array>

namespace state {
namespace {

struct CheckText {
  std::string_view name, description;
};
constexpr std::array<CheckText, 17> kChecks{{{"UNK", "Unknown"},
                                             {"INI", "Initializing"},
                                             {"SOCKERR", "Socket error"},
                                             {"L4OK", "Layer4 check passed"},
                                             {"L4TOUT", "Layer4 timeout"},
                                             {"L4CON", "Layer4 connection problem"},
                                             {"L6OK", "Layer6 check passed"},
                                             {"L6TOUT", "Layer6 timeout"},
                                             {"L6RSP", "Layer6 invalid response"},
                                             {"L7OK", "Layer7 check passed"},
                                             {"L7OKC", "Layer7 check conditionally passed"},
                                             {"L7TOUT", "Layer7 timeout"},
                                             {"L7RSP", "Layer7 invalid response"},
                                             {"L7STS", "Layer7 wrong status"},
                                             {"PROCOK", "External check passed"},
                                             {"PROCERR", "External check error"},
                                             {"PROCTOUT", "External check timeout"}}};

std::string maintenance_text(std::uint8_t flags, const std::string& tracked) {
  if (flags & kResolutionMaintenance) return "MAINT (resolution)";
  if ((flags & kInheritedMaintenance) && !(flags & kForcedMaintenance))
    return "MAINT (via " + tracked + ")";
  return "MAINT";
}

}  // namespace

std::string_view name_of(CheckStatus status) {
  return kChecks[static_cast<std::size_t>(status)].name;
}
std::string_view describe(CheckStatus status) {
  return kChecks[static_cast<std::size_t>(status)].description;
}

std::string Server::status_text(int with_rise, int with_fall) const {
  std::uint8_t flags = admin.load(std::memory_order_relaxed);
  if (flags & kMaintenanceFlags) return maintenance_text(flags, tracked);
  bool checked = check_enabled.load(std::memory_order_relaxed);
  int health;
  int agent_health;
  {
    std::lock_guard lock(mutex);
    health = check.health;
    agent_health = agent.health;
  }
  auto fraction = [](int part, int whole) {
    return std::to_string(part) + "/" + std::to_string(whole);
  };
  OperState state = oper.load(std::memory_order_relaxed);
  if (state == OperState::stopped) {
    if (agent_enabled.load(std::memory_order_relaxed) && agent_health <= 0 && checked &&
        health >= with_rise)
      return "DOWN (agent)";
    return health > 0 && checked ? "DOWN " + fraction(health, with_rise) : "DOWN";
  }
  if (flags & kDrainFlags) return "DRAIN";
  if (!checked && tracked.empty() && !agent_enabled.load(std::memory_order_relaxed))
    return "no check";
  std::string up = state == OperState::stopping ? "NOLB" : "UP";
  bool falling = checked && health < with_rise + with_fall - 1;
  return falling ? up + " " + fraction(health - with_rise + 1, with_fall) : up;
}

}  // namespace state
