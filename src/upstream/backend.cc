#include "upstream/backend.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/diagnostics.h"
#include "state/registry.h"
#include "upstream/balance/balance.h"
#include "upstream/checker.h"
#include "upstream/counting.h"
#include "upstream/dynamic_cookie.h"
#include "upstream/log_outlet.h"
#include "upstream/per_worker.h"
#include "upstream/queue.h"
#include "upstream/resolve.h"
#include "upstream/state_file.h"

namespace upstream {

bool PickContext::avoids(const Server* server) const {
  return std::find(tried.begin(), tried.end(), server) != tried.end();
}

Backend::Backend(state::Registry& registry, state::Proxy& st)
    : registry_(registry), state_(st), queue_(std::make_unique<SlotQueue>(*this)) {}

Backend::~Backend() = default;

namespace {

void fill(state::Server& st, const ServerSettings& settings, state::Proxy& proxy) {
  st.proxy = &proxy;
  st.name = settings.name;
  st.cookie = settings.cookie;
  st.backup = settings.backup;
  st.tracked = settings.track;
  st.rise = settings.rise;
  st.fall = settings.fall;
  st.minimum = settings.minimum;
  st.queue_limit = settings.queue_limit;
  st.maximum = settings.maximum;
  st.initial_weight = settings.weight;
  st.user_weight = settings.weight;
  st.effective_weight = settings.weight;
  st.check_configured = settings.check.enabled;
  st.agent_configured = settings.agent.enabled;
  st.check_enabled = settings.check.enabled;
  st.agent_enabled = settings.agent.enabled;
  st.last_change = wall_seconds();
  st.map_port = settings.spec.has_offset;
  st.port_offset = settings.spec.port_offset;
  if (settings.disabled) {
    st.admin = state::kForcedMaintenance | state::kConfiguredMaintenance;
    st.oper = state::OperState::stopped;
  }
}

}  // namespace

Server& Backend::add_server(std::shared_ptr<const ServerSettings> line,
                            config::Diagnostics& diagnostics) {
  if (const Server* other = find(line->name)) {
    diagnostics.alert(
        line->at,
        fmt::format("backend '{}', another server named '{}' was already defined at line {}",
                    state_.name, line->name, other->settings().at.line));
  }
  auto owned = std::make_unique<state::Server>();
  fill(*owned, *line, state_);
  owned->id = line->id;
  for (const auto& other : state_.servers) {
    if (line->id != 0 && other->id == line->id)
      diagnostics.alert(
          line->at, fmt::format("server '{}': the id {} is already used by server '{}'", line->name,
                                line->id, other->name));
  }
  state::Server& st = *owned;
  const std::unique_lock lock(registry_.servers_mutex());
  state_.servers.push_back(std::move(owned));
  queue_->add_server();
  servers_.push_back(std::make_unique<Server>(*this, st, std::move(line), next_index_++));
  st.behaviour = servers_.back().get();
  return *servers_.back();
}

Server* Backend::find(std::string_view name) const {
  for (const auto& server : servers_)
    if (server->state().name == name) return server.get();
  return nullptr;
}

Server* Backend::of(const state::Server& st) const {
  return st.proxy == &state_ ? st.behaviour : nullptr;
}

bool Backend::link_tracking(config::Diagnostics& diagnostics) {
  bool good = true;
  for (const auto& server : servers_) {
    const std::string& name = server->settings().track;
    if (name.empty()) continue;
    const auto complain = [&](std::string text) {
      diagnostics.alert(
          server->settings().at,
          fmt::format("backend '{}', server '{}': {}", state_.name, server->state().name, text));
      good = false;
    };
    const state::Server* tracked = registry_.find_server(name, &state_);
    if (tracked == nullptr) {
      complain(fmt::format("unable to find '{}' for tracking", name));
      continue;
    }
    Server* other = tracked->behaviour;
    bool loop = other == server.get();
    for (const Server* at = other; at != nullptr && !loop;) {
      const state::Server* next =
          at->settings().track.empty()
              ? nullptr
              : registry_.find_server(at->settings().track, &at->backend_.state());
      at = next == nullptr ? nullptr : next->behaviour;
      loop = at == server.get();
    }
    if (loop) {
      complain(fmt::format("unable to track '{}': it tracks this server in turn", name));
    } else if (!other->settings().check.enabled && !other->settings().agent.enabled &&
               other->settings().track.empty()) {
      complain(fmt::format(
          "unable to use {} for tracking as it does not have any check nor agent enabled", name));
    } else if (server->settings().check.enabled) {
      complain("cannot both track another server and be checked");
    } else {
      other->trackers_.insert(other->trackers_.begin(), server.get());
      other->state_.referenced = true;
    }
  }
  return good;
}

bool Backend::make_algorithm(config::Diagnostics& diagnostics) {
  if (state_.mode != state::Mode::log) {
    balancer_ = make_balancer(*this, diagnostics);
    return balancer_ != nullptr;
  }
  auto made = make_log_balancer(*this, diagnostics);
  if (made == nullptr) return false;
  log_outlet_ = std::make_shared<LogOutlet>(*this, *made);
  balancer_ = std::move(made);
  return true;
}

void Backend::number_servers() {
  unsigned next_id = 1;
  const auto used = [&](unsigned id) {
    return std::any_of(state_.servers.begin(), state_.servers.end(),
                       [id](const auto& st) { return st->id == id; });
  };
  for (const auto& st : state_.servers) {
    if (st->id != 0) continue;
    while (used(next_id)) ++next_id;
    st->id = next_id++;
  }
}

// What the backend says about connections to all its servers.
void Backend::inherit_connection_settings(ServerSettings& line) const {
  if (!line.has_source) {
    line.source = settings.source;
    line.connect.source = settings.connect.source;
    line.connect.interface = settings.connect.interface;
  }
  line.connect.keepalive |= settings.connect.keepalive;
  line.connect.tuning = settings.connect.tuning;
}

bool Backend::prepare(config::Diagnostics& diagnostics) {
  bool good = true;
  number_servers();
  state_.full_connections = settings.full_connections;
  const StateFile file(settings.state_file, diagnostics);
  for (const auto& server : servers_) {
    auto merged = std::make_shared<ServerSettings>(*server->settings_);
    inherit_connection_settings(*merged);
    server->settings_ = std::move(merged);
    server->publish_target(server->address());
    good &= resolve_at_start(*server, file, diagnostics);
    set_dynamic_cookie(*server);
  }
  good &= make_algorithm(diagnostics);
  good &= link_tracking(diagnostics);
  good &= balancer_ != nullptr && prepare_checks(*this, diagnostics);
  if (!good) return false;
  state_.balance_name = settings.balance;
  for (const auto& server : servers_) file.apply(*server);
  servers_changed();
  return true;
}

void Backend::start() {
  const auto checked = [](const auto& server) { return server->checker_ || server->agent_; };
  const auto count =
      static_cast<unsigned>(std::count_if(servers_.begin(), servers_.end(), checked));
  unsigned position = 0;
  for (const auto& server : servers_) {
    if (!checked(server)) continue;
    if (server->checker_) server->checker_->start(position, count);
    if (server->agent_) server->agent_->start(position, count);
    ++position;
  }
  watch_slow_starts();
}

Backend::Usable Backend::usable() const {
  Usable usable;
  for (const auto& server : servers_) {
    if (server->scaled_weight() == 0) continue;
    ++(server->state().backup ? usable.backup : usable.active);
  }
  return usable;
}

void Backend::servers_changed() {
  {
    const std::lock_guard guard(changes_);
    const rt::Instant now = rt::precise_now();
    bool starting = false;
    for (const auto& server : servers_) {
      server->update_weight(now);
      starting |= server->state_.oper.load(std::memory_order_relaxed) == state::OperState::starting;
    }
    const Usable count = usable();
    std::uint32_t weight = 0;
    bool first_backup = true;
    for (const auto& server : servers_) {
      const bool backup = server->state_.backup;
      if (server->scaled_weight() == 0 || backup != (count.active == 0)) continue;
      if (!backup || first_backup || settings.all_backups)
        weight += server->state_.effective_weight.load(std::memory_order_relaxed);
      first_backup = first_backup && !backup;
    }
    state_.usable_servers.store(count.active + count.backup, std::memory_order_relaxed);
    state_.total_weight.store(weight, std::memory_order_relaxed);
    balancer_->update();
    if (starting) watch_slow_starts();
  }
  queue_->serve_all();
}

// Weights of starting servers grow step by step; one fiber looks after all of a backend.
void Backend::watch_slow_starts() {
  rt::Runtime* runtime = rt::Runtime::instance();
  const bool any = std::any_of(servers_.begin(), servers_.end(), [](const auto& server) {
    return server->state().oper.load(std::memory_order_relaxed) == state::OperState::starting;
  });
  if (runtime == nullptr || !any || slow_start_watched_.exchange(true)) return;
  runtime->worker(0).post([this] {
    rt::spawn([this] {
      bool starting = true;
      while (starting && rt::sleep_for(rt::milliseconds(500)) == rt::Wait::timed_out) {
        starting = false;
        for (const auto& server : servers_) {
          if (server->state_.oper.load() != state::OperState::starting) continue;
          const auto up = rt::now() - server->started_.load();
          auto expected = state::OperState::starting;
          if (up >= rt::milliseconds(server->settings().slow_start_ms))
            server->state_.oper.compare_exchange_strong(expected, state::OperState::running);
          else
            starting = true;
        }
        servers_changed();
      }
      slow_start_watched_.store(false);
    });
  });
}

}  // namespace upstream
