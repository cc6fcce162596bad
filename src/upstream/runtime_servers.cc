// Servers that come, go and change their name while the process runs ("add server", "del server",
// "set server ... name").
#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "config/diagnostics.h"
#include "rt/standstill.h"
#include "state/registry.h"
#include "upstream/check_rules.h"
#include "upstream/checker.h"
#include "upstream/dynamic_cookie.h"
#include "upstream/queue.h"
#include "upstream/resolve.h"
#include "upstream/state_file.h"

namespace upstream {

namespace {

constexpr const char* kBusy = "The workers are busy, try again.";

// What diagnostics found, as the text of an answer.
std::string first_alert(const config::Diagnostics& diagnostics) {
  for (const config::Message& message : diagnostics.messages())
    if (message.severity == config::Severity::alert) return message.text;
  return "The server could not be made.";
}

void publish(state::Registry& registry, const state::Server& server, state::EventType type) {
  registry.events().publish({.type = type, .server = &server, .when = std::time(nullptr)});
}

}  // namespace

// Whom a new server tracks, where it does; the error says why that is not possible.
base::Result<Server*> Backend::tracked_by(const ServerSettings& line) const {
  if (line.track.empty()) return nullptr;
  const state::Server* found = registry_.find_server(line.track, &state_);
  if (found == nullptr)
    return base::fail(fmt::format("unable to find required server '{}' to track.", line.track));
  if (found->dynamic)
    return base::fail(
        fmt::format("unable to use {} for tracking as it is a dynamic server.", line.track));
  if (!found->check_configured && !found->agent_configured && found->tracked.empty())
    return base::fail(fmt::format(
        "unable to use {} for tracking as it does not have any check nor agent enabled.",
        line.track));
  return found->behaviour;
}

base::Result<void> Backend::add_at_runtime(std::shared_ptr<ServerSettings> line) {
  if (state_.mode == state::Mode::log)
    return base::fail(
        fmt::format("backend '{}' takes log lines, its servers are fixed.", state_.name));
  if (!balancer_->dynamic())
    return base::fail(
        fmt::format("backend '{}' uses a non dynamic load balancing method", state_.name));
  if (find(line->name) != nullptr)
    return base::fail(std::string("Already exists a server with the same name in backend."));
  auto tracked = tracked_by(*line);
  if (!tracked) return base::fail(tracked.error());
  inherit_connection_settings(*line);
  line->disabled = true;
  config::Diagnostics diagnostics;
  Server* added = nullptr;
  bool good = false;
  const bool met = rt::at_standstill([&] {
    added = &add_server(std::move(line), diagnostics);
    state::Server& st = added->state();
    st.dynamic = true;
    st.admin = state::kForcedMaintenance;
    st.check_enabled = st.agent_enabled = false;
    number_servers();
    good = !diagnostics.failed() &&
           resolve_at_start(*added, StateFile("", diagnostics), diagnostics) &&
           prepare_check(*added, diagnostics);
    if (!good) return unlink(*added);
    set_dynamic_cookie(*added);
    if (Server* other = *tracked; other != nullptr)
      other->trackers_.insert(other->trackers_.begin(), added);
  });
  if (!met) return base::fail(std::string(kBusy));
  if (!good) return base::fail(first_alert(diagnostics));
  servers_changed();
  publish(registry_, added->state(), state::EventType::server_add);
  if (added->checker_) added->checker_->start(0, 1);
  if (added->agent_) added->agent_->start(0, 1);
  return {};
}

base::Result<void> Backend::remove_at_runtime(Server& server) {
  const state::Server& st = server.state();
  if (st.referenced || !server.trackers_.empty())
    return base::fail(
        std::string("This server cannot be removed at runtime due to other configuration elements "
                    "pointing to it."));
  if (!st.in_maintenance())
    return base::fail(std::string("Only servers in maintenance mode can be deleted."));
  server.drop_idle();
  bool in_use = false;
  const bool met = rt::at_standstill([&] {
    in_use = st.served.load() != 0 || st.sessions.load() != 0 || st.queued.load() != 0 ||
             st.used_connections.load() != 0;
    if (in_use) return;
    if (server.checker_) server.checker_->retire();
    if (server.agent_) server.agent_->retire();
    if (const state::Server* tracked = registry_.find_server(st.tracked, &state_);
        !st.tracked.empty() && tracked != nullptr)
      std::erase(tracked->behaviour->trackers_, &server);
    unlink(server);
  });
  if (!met) return base::fail(std::string(kBusy));
  if (in_use)
    return base::fail(
        std::string("Server still has connections attached to it, cannot remove it."));
  servers_changed();
  publish(registry_, st, state::EventType::server_del);
  return {};
}

// Takes it out of the lists. The object stays for as long as the backend: fibers that are asleep, a
// check under way among them, may still look at it.
void Backend::unlink(Server& server) {
  const auto mine = std::find_if(servers_.begin(), servers_.end(),
                                 [&](const auto& one) { return one.get() == &server; });
  const auto its_state =
      std::find_if(state_.servers.begin(), state_.servers.end(),
                   [&](const auto& one) { return one.get() == &server.state(); });
  const std::unique_lock lock(registry_.servers_mutex());
  removed_.emplace_back(std::move(*its_state), std::move(*mine));
  servers_.erase(mine);
  state_.servers.erase(its_state);
}

base::Result<void> Backend::rename_at_runtime(Server& server, std::string_view name) {
  state::Server& st = server.state();
  if (!st.in_maintenance())
    return base::fail(std::string("Server must be in maintenance mode to change its name."));
  for (const char c : name)
    if (!base::is_alpha(c) && !base::is_digit(c) && std::string_view("_-.:").find(c) == name.npos)
      return base::fail(std::string("Server name contains invalid characters."));
  if (name == st.name) return {};
  if (find(name) != nullptr)
    return base::fail(std::string("A server with the same name already exists in this backend."));
  if (st.referenced || !server.trackers_.empty())
    return base::fail(
        std::string("The server's name is statically referenced by the configuration."));
  // Log lines of exchanges under way may hold views of the old name.
  const bool met = rt::at_standstill([&] {
    old_names_.push_back(std::move(st.name));
    st.name = std::string(name);
  });
  if (!met) return base::fail(std::string(kBusy));
  return {};
}

}  // namespace upstream
