#include "upstream/health.h"

#include <fmt/format.h>

#include "state/registry.h"
#include "upstream/checker.h"
#include "upstream/counting.h"
#include "upstream/mailer.h"
#include "upstream/queue.h"

namespace upstream {

using state::OperState;

namespace {

std::string full_name(Server& server) {
  return fmt::format("{}/{}", server.backend().state().name, server.state().name);
}

std::string subject(Server& server) {
  return fmt::format("{}Server {}", server.state().backup ? "Backup " : "", full_name(server));
}

std::string via(Server& server) { return " via " + full_name(server); }

std::string left(Server& server, std::uint32_t active_sessions, unsigned requeued) {
  const Backend::Usable usable = server.backend().usable();
  return fmt::format(
      ". {} active and {} backup servers left.{} {} sessions active, {} requeued, {} "
      "remaining in queue.",
      usable.active, usable.backup,
      usable.active == 0 && usable.backup != 0 ? " Running on backup." : "", active_sessions,
      requeued, server.state().queued.load(std::memory_order_relaxed));
}

std::string online(Server& server) {
  const Backend::Usable usable = server.backend().usable();
  return fmt::format(
      ". {} active and {} backup servers online.{} 0 sessions requeued, {} total in queue.",
      usable.active, usable.backup,
      usable.active == 0 && usable.backup != 0 ? " Running on backup." : "",
      server.state().queued.load(std::memory_order_relaxed));
}

void log_to(const Backend& backend, obs::Level level, std::string_view text) {
  const BackendSettings& settings = backend.settings;
  if (settings.log_targets.empty()) return;
  obs::LogLine line;
  line.level = level;
  line.tag = settings.log_tag;
  line.host = settings.log_hostname;
  line.text = text;
  obs::send(settings.log_targets, line);
}

// What subscribers are told of a change.
struct Change {
  OperState was;
  std::string_view cause;
  const state::CheckEvent* check;
  unsigned requeued = 0;
};

Change change(OperState was, std::string_view why, const state::CheckEvent* check) {
  // A check speaks for itself, and so does the server that is tracked.
  const bool told = check == nullptr && why.starts_with(", ");
  return {was, told ? why.substr(2) : std::string_view(), check};
}

state::Event event_of(Server& server, state::EventType type) {
  return {.type = type, .server = &server.state(), .when = wall_seconds()};
}

void tell(Server& server, const Change& change, bool administrative) {
  const state::Events& events = server.backend().registry().events();
  const OperState now = server.state().oper.load(std::memory_order_relaxed);
  if (!events.wanted() || now == change.was) return;
  if (now == OperState::stopped)
    events.publish(event_of(server, state::EventType::server_down));
  else if (change.was == OperState::stopped)
    events.publish(event_of(server, state::EventType::server_up));
  state::Event event = event_of(server, state::EventType::server_state);
  event.old_state = change.was;
  event.new_state = now;
  event.administrative = administrative;
  event.cause = change.cause;
  event.requeued = change.requeued;
  event.has_check = change.check != nullptr;
  if (event.has_check) event.check = *change.check;
  events.publish(event);
}

void tell_administration(Server& server, const Change& change, std::uint8_t was) {
  const state::Events& events = server.backend().registry().events();
  if (!events.wanted()) return;
  state::Event event = event_of(server, state::EventType::server_admin);
  event.old_admin = was;
  event.new_admin = server.state().admin.load(std::memory_order_relaxed);
  event.requeued = change.requeued;
  events.publish(event);
  tell(server, change, true);
}

void changed_now(state::Server& st, bool was_down) {
  const std::int64_t now = wall_seconds();
  const std::int64_t since = st.last_change.exchange(now, std::memory_order_relaxed);
  if (was_down && now > since) st.down_seconds.fetch_add(now - since, std::memory_order_relaxed);
}

}  // namespace

void log_line(const Backend& backend, obs::Level level, std::string_view text) {
  log_to(backend, level, text);
}

void Health::announce(Server& server, obs::Level level, std::string text) {
  obs::report(obs::Level::warning, text);
  log_to(server.backend(), level, text);
}

void Health::mail(Server& server, obs::Level level, const std::string& text) {
  Backend& backend = server.backend();
  const auto& mailer = backend.settings.mailer;
  if (mailer == nullptr || backend.registry().process().scripts_mail) return;
  mailer->send(backend, level, text);
}

// How the farm stood before a change.
struct Health::Before {
  explicit Before(Server& server)
      : usable(server.backend().usable()), in_use(server.scaled_weight() != 0) {}
  Backend::Usable usable;
  bool in_use;
};

void Health::settle(Server& server, const Before& before) {
  Backend& backend = server.backend();
  state::Proxy& proxy = backend.state();
  const Backend::Usable now = backend.usable();
  const bool had = before.usable.active + before.usable.backup != 0;
  const bool has = now.active + now.backup != 0;
  if (had == has) return;
  const std::int64_t seconds = wall_seconds();
  const std::int64_t since = proxy.last_change.exchange(seconds, std::memory_order_relaxed);
  if (has) {
    if (since != 0 && seconds > since)
      proxy.down_seconds.fetch_add(seconds - since, std::memory_order_relaxed);
    return;
  }
  proxy.went_down.fetch_add(1, std::memory_order_relaxed);
  const std::string_view kind = proxy.capabilities & state::kFrontend ? "proxy" : "backend";
  obs::report(obs::Level::alert, fmt::format("{} '{}' has no server available!", kind, proxy.name));
  log_to(backend, obs::Level::emerg,
         fmt::format("{} {} has no server available!", kind, proxy.name));
}

void Health::inherit(Server& server, void (*move)(Server&, std::string_view, Check)) {
  const std::string why = via(server);
  for (Server* tracker : server.trackers_) move(*tracker, why, nullptr);
}

unsigned Health::go_down(Server& server, std::string text, std::string_view why, bool alert,
                         bool mailed) {
  Backend& backend = server.backend();
  const unsigned requeued = backend.queue().requeue(server);
  if (server.settings().shutdown_on_down) server.kill_slots(Kill::server_down);
  server.drop_idle();
  const std::uint32_t sessions = server.state().sessions.load(std::memory_order_relaxed);
  text.append(why).append(left(server, sessions, requeued));
  const obs::Level level = alert ? obs::Level::alert : obs::Level::notice;
  if (mailed) mail(server, level, text);
  announce(server, level, std::move(text));
  return requeued;
}

void Health::up(Server& server, std::string_view why, Check check) {
  const std::lock_guard guard(server.transitions_);
  state::Server& st = server.state();
  const OperState was = st.oper.load(std::memory_order_relaxed);
  if (st.in_maintenance() || was == OperState::running || was == OperState::starting) return;
  const Before before(server);
  changed_now(st, was == OperState::stopped);
  server.started_.store(rt::precise_now(), std::memory_order_relaxed);
  const bool slow = server.settings().slow_start_ms > 0 && was == OperState::stopped;
  st.oper.store(slow ? OperState::starting : OperState::running, std::memory_order_relaxed);
  server.consecutive_errors_.store(0, std::memory_order_relaxed);
  server.backend().servers_changed();
  if (server.settings().shutdown_backup_on_up && !st.backup && server.scaled_weight() != 0) {
    for (const auto& other : server.backend().servers())
      if (other->state().backup) other->kill_slots(Kill::server_up);
  }
  std::string text = fmt::format("{} is UP{}{}", subject(server), why, online(server));
  mail(server, obs::Level::notice, text);
  announce(server, obs::Level::notice, std::move(text));
  settle(server, before);
  tell(server, change(was, why, check), false);
  inherit(server, &Health::up);
}

void Health::down(Server& server, std::string_view why, Check check) {
  const std::lock_guard guard(server.transitions_);
  state::Server& st = server.state();
  const OperState was = st.oper.load(std::memory_order_relaxed);
  if (st.in_maintenance() || was == OperState::stopped) return;
  const Before before(server);
  changed_now(st, false);
  st.oper.store(OperState::stopped, std::memory_order_relaxed);
  {
    const std::lock_guard health_guard(st.mutex);
    ++st.check.went_down;
  }
  server.backend().servers_changed();
  Change made = change(was, why, check);
  made.requeued = go_down(server, subject(server) + " is DOWN", why, before.in_use, true);
  settle(server, before);
  tell(server, made, false);
  inherit(server, &Health::down);
}

void Health::stopping(Server& server, std::string_view why, Check check) {
  const std::lock_guard guard(server.transitions_);
  state::Server& st = server.state();
  const OperState was = st.oper.load(std::memory_order_relaxed);
  if (st.in_maintenance() || was == OperState::stopped || was == OperState::stopping) return;
  const Before before(server);
  changed_now(st, false);
  st.oper.store(OperState::stopping, std::memory_order_relaxed);
  server.backend().servers_changed();
  std::string text = fmt::format("{} is stopping{}{}", subject(server), why, online(server));
  mail(server, obs::Level::notice, text);
  announce(server, obs::Level::notice, std::move(text));
  settle(server, before);
  tell(server, change(was, why, check), false);
  inherit(server, &Health::stopping);
}

unsigned Health::enter_maintenance(Server& server, std::string_view why) {
  state::Server& st = server.state();
  if (st.oper.load(std::memory_order_relaxed) == OperState::stopped) {
    announce(server, obs::Level::notice,
             fmt::format("{} was DOWN and now enters maintenance{}.", subject(server), why));
    return 0;
  }
  const Before before(server);
  changed_now(st, false);
  st.oper.store(OperState::stopped, std::memory_order_relaxed);
  server.backend().servers_changed();
  const unsigned requeued = go_down(server, subject(server) + " is going DOWN for maintenance", why,
                                    before.in_use, false);
  settle(server, before);
  return requeued;
}

void Health::leave_maintenance(Server& server, std::uint8_t cleared) {
  state::Server& st = server.state();
  const Before before(server);
  changed_now(st, true);
  bool good = true;
  if (server.checker() != nullptr) good = server.checker()->back_from_maintenance() && good;
  if (server.agent() != nullptr) good = server.agent()->back_from_maintenance() && good;
  const bool slow = server.settings().slow_start_ms > 0;
  server.started_.store(rt::precise_now(), std::memory_order_relaxed);
  st.oper.store(!good  ? OperState::stopped
                : slow ? OperState::starting
                       : OperState::running,
                std::memory_order_relaxed);
  server.backend().servers_changed();
  const bool forced = cleared & (state::kForcedMaintenance | state::kConfiguredMaintenance);
  announce(
      server, obs::Level::notice,
      fmt::format("{} is {}/{} (leaving {}maintenance).", subject(server), good ? "UP" : "DOWN",
                  st.draining() ? "DRAIN" : "READY", forced ? "forced " : ""));
  settle(server, before);
}

void Health::administer(Server& server, std::uint8_t set, std::uint8_t clear,
                        std::string_view why) {
  const std::lock_guard guard(server.transitions_);
  state::Server& st = server.state();
  const std::uint8_t was = st.admin.load(std::memory_order_relaxed);
  const auto now = static_cast<std::uint8_t>((was & ~clear) | set);
  if (now == was) return;
  const Before before(server);
  Change made = change(st.oper.load(std::memory_order_relaxed), {}, nullptr);
  st.admin.store(now, std::memory_order_relaxed);
  const bool maintained = was & state::kMaintenanceFlags,
             maintains = now & state::kMaintenanceFlags;
  const bool drained = was & state::kDrainFlags, drains = now & state::kDrainFlags;
  const bool forced_drain = (was | now) & state::kForcedDrain;
  if (!maintained && maintains) {
    made.requeued = enter_maintenance(server, why);
  } else if (maintained && !maintains) {
    leave_maintenance(server, static_cast<std::uint8_t>(was & ~now));
    if (drains)
      announce(server, obs::Level::notice,
               fmt::format("{} remains in {}drain mode{}.", subject(server),
                           forced_drain ? "forced " : "", why));
  } else if (!maintains && drained != drains) {
    server.backend().servers_changed();
    const bool stopped = st.oper.load(std::memory_order_relaxed) == OperState::stopped;
    if (drains) {
      std::string text =
          fmt::format("{} enters drain state{}{}", subject(server), why, online(server));
      mail(server, obs::Level::notice, text);
      announce(server, obs::Level::notice, std::move(text));
    } else {
      announce(server, obs::Level::notice,
               fmt::format("{} is {} (leaving {}drain){}.", subject(server),
                           stopped ? "DOWN" : "UP", forced_drain ? "forced " : "", why));
    }
    settle(server, before);
  }
  tell_administration(server, made, was);
  const std::uint8_t inherited = static_cast<std::uint8_t>(
      (maintains ? state::kInheritedMaintenance : 0) | (drains ? state::kInheritedDrain : 0));
  constexpr std::uint8_t kInherited = state::kInheritedMaintenance | state::kInheritedDrain;
  for (Server* tracker : server.trackers_)
    administer(*tracker, inherited, static_cast<std::uint8_t>(kInherited & ~inherited),
               via(server));
}

}  // namespace upstream
