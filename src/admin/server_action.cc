#include "admin/server_action.h"

#include "upstream/control.h"

namespace admin {
namespace {

namespace control = upstream::control;
using upstream::Server;

template <class Change>
bool check(Server& server, bool configured, Change change) {
  if (configured) change(server);
  return configured;
}

constexpr ServerAction kActions[] = {
    {"ready", "set state to READY",
     [](Server& s) { return control::set_state(s, "ready").has_value(); }},
    {"drain", "set state to DRAIN",
     [](Server& s) { return control::set_state(s, "drain").has_value(); }},
    {"maint", "set state to MAINT",
     [](Server& s) { return control::set_state(s, "maint").has_value(); }},
    {"dhlth", "health: stop checks",
     [](Server& s) {
       return check(s, s.state().check_configured,
                    [](Server& x) { control::enable_check(x, false); });
     }},
    {"ehlth", "health: run checks",
     [](Server& s) {
       return check(s, s.state().check_configured,
                    [](Server& x) { control::enable_check(x, true); });
     }},
    {"hrunn", "health: force UP",
     [](Server& s) { return control::set_health(s, "up").has_value(); }},
    {"hnolb", "health: force NOLB",
     [](Server& s) { return control::set_health(s, "stopping").has_value(); }},
    {"hdown", "health: force DOWN",
     [](Server& s) { return control::set_health(s, "down").has_value(); }},
    {"dagent", "agent: stop checks",
     [](Server& s) {
       return check(s, s.state().agent_configured,
                    [](Server& x) { control::enable_agent(x, false); });
     }},
    {"eagent", "agent: run checks",
     [](Server& s) {
       return check(s, s.state().agent_configured,
                    [](Server& x) { control::enable_agent(x, true); });
     }},
    {"arunn", "agent: force UP",
     [](Server& s) {
       return s.state().agent_configured && control::set_agent_health(s, "up").has_value();
     }},
    {"adown", "agent: force DOWN",
     [](Server& s) {
       return s.state().agent_configured && control::set_agent_health(s, "down").has_value();
     }},
    {"shutdown", "end sessions",
     [](Server& s) {
       control::shutdown_sessions(s);
       return true;
     }},
};

}  // namespace

std::span<const ServerAction> server_actions() { return kActions; }

const ServerAction* find_server_action(std::string_view name) {
  // Older forms call maintenance "stop" and its end "start".
  if (name == "stop" || name == "disable") name = "maint";
  if (name == "start" || name == "enable") name = "ready";
  for (const ServerAction& action : kActions)
    if (action.name == name) return &action;
  return nullptr;
}

}  // namespace admin
