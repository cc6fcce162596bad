#include "upstream/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <random>

#include "obs/trace_sources.h"
#include "rt/fiber.h"
#include "state/registry.h"
#include "upstream/check_rules.h"
#include "upstream/counting.h"
#include "upstream/health.h"

namespace upstream {

using Verdict = CheckOutcome::Verdict;

Checker::Checker(Server& server, Kind kind, std::shared_ptr<const CheckRules> rules)
    : server_(server),
      kind_(kind),
      rules_(std::move(rules)),
      agent_send_(server.settings().agent.agent_send) {
  const ServerSettings& settings = server.settings();
  state::HealthState& state = health();
  state.status = state::CheckStatus::initial;
  const int most = rise() + fall() - 1;
  switch (settings.init_state) {
    case InitState::none:
    case InitState::up:
      state.health = rise();
      break;
    case InitState::fully_up:
      state.health = most;
      break;
    case InitState::down:
      state.health = rise() - 1;
      break;
    case InitState::fully_down:
      state.health = 0;
      break;
  }
  if (kind == Kind::agent) state.health = most;
  if (settings.disabled) state.health = 0;
}

const ProbeSettings& Checker::probe() const {
  return kind_ == Kind::health ? server_.settings().check : server_.settings().agent;
}

state::HealthState& Checker::health() const {
  return kind_ == Kind::health ? server_.state().check : server_.state().agent;
}

bool Checker::enabled() const {
  const state::Server& st = server_.state();
  return kind_ == Kind::health ? st.check_enabled.load(std::memory_order_relaxed)
                               : st.agent_enabled.load(std::memory_order_relaxed);
}

bool Checker::healthy() const {
  const std::lock_guard guard(server_.state().mutex);
  return health().health >= rise();
}

bool Checker::back_from_maintenance() {
  const std::lock_guard guard(server_.state().mutex);
  const ServerSettings& settings = server_.settings();
  if (!enabled() || kind_ == Kind::agent) return !enabled() || health().health >= rise();
  switch (settings.init_state) {
    case InitState::fully_up:
      health().health = rise() + fall() - 1;
      break;
    case InitState::down:
      health().health = rise() - 1;
      break;
    case InitState::fully_down:
      health().health = 0;
      break;
    case InitState::none:
    case InitState::up:
      health().health = rise();
      break;
  }
  return health().health >= rise();
}

void Checker::set_target(const net::Ip& ip, std::uint16_t port) {
  const std::lock_guard guard(server_.state().mutex);
  if (ip.family != 0) other_ip_ = ip;
  if (port != 0) other_port_ = port;
}

void Checker::set_agent_send(std::string text) {
  const std::lock_guard guard(server_.state().mutex);
  agent_send_ = std::move(text);
}

std::string Checker::agent_send() const {
  const std::lock_guard guard(server_.state().mutex);
  return agent_send_;
}

// addr and port of the check, else the server's (manual, "check").
net::Address Checker::target() const {
  net::Address to = server_.address();
  const ProbeSettings& settings = probe();
  const std::lock_guard guard(server_.state().mutex);
  if (other_ip_.family != 0) {
    const std::uint16_t port = to.port();
    to = net::Address::of(other_ip_, port);
  }
  if (other_port_ != 0)
    to.set_port(other_port_);
  else if (settings.port != 0)
    to.set_port(settings.port);
  return to;
}

rt::Duration Checker::interval() const {
  const ProbeSettings& settings = probe();
  std::int64_t ms = settings.inter_ms;
  {
    const std::lock_guard guard(server_.state().mutex);
    const int now = health().health;
    const bool between = !probed_ || (now != 0 && now != rise() + fall() - 1);
    if (hurried_.load(std::memory_order_relaxed) || between) {
      if (settings.fast_inter_ms != 0) ms = settings.fast_inter_ms;
    } else if (now == 0 && settings.down_inter_ms != 0) {
      ms = settings.down_inter_ms;
    }
  }
  const std::uint32_t spread = server_.backend().settings.spread_checks;
  if (spread != 0) {
    thread_local std::minstd_rand generator{std::random_device{}()};
    const std::int64_t range = ms * spread / 100;
    ms += std::uniform_int_distribution<std::int64_t>(-range, range)(generator);
  }
  return rt::milliseconds(std::max<std::int64_t>(ms, 1));
}

void Checker::start(unsigned position, unsigned count) {
  rt::Runtime* runtime = rt::Runtime::instance();
  if (runtime == nullptr) return;
  const rt::Duration first = rt::milliseconds(probe().inter_ms * position / std::max(count, 1u));
  runtime->worker(position % runtime->size()).post([this, first] {
    rt::spawn([this, first] { run(first); });
  });
}

// Agents are asked in maintenance as well: they may end it.
bool Checker::paused() const { return kind_ == Kind::health && server_.state().in_maintenance(); }

void Checker::run(rt::Duration delay) {
  while (true) {
    if (delay != rt::Duration::zero() && rt::sleep_for(delay) == rt::Wait::cancelled) return;
    if (retired_.load(std::memory_order_relaxed)) return;
    if (enabled() && !paused()) probe_once();
    if (rt::cancelled()) return;
    delay = interval();
    hurried_.store(false, std::memory_order_relaxed);
  }
}

CheckOutcome Checker::probe_now() { return rules_->probe(*this); }

namespace {

unsigned most_probes = 0;  // of a worker (tune.max-checks-per-thread)
struct Turns {
  unsigned taken = 0;
  std::deque<rt::Fiber*> waiting;
};
thread_local Turns turns;

void leave_turn() {
  if (turns.waiting.empty()) {
    --turns.taken;
    return;
  }
  rt::wake(*turns.waiting.front());  // it has the turn from here on
  turns.waiting.pop_front();
}

// False when the wait was ended.
bool take_turn() {
  if (most_probes == 0 || turns.taken < most_probes) {
    ++turns.taken;
    return true;
  }
  rt::Fiber* const self = rt::current();
  turns.waiting.push_back(self);
  while (true) {
    const bool cancelled = rt::suspend(rt::kNever) == rt::Wait::cancelled;
    const auto at = std::find(turns.waiting.begin(), turns.waiting.end(), self);
    if (at == turns.waiting.end()) {
      if (cancelled) leave_turn();
      return !cancelled;
    }
    if (!cancelled) continue;
    turns.waiting.erase(at);
    return false;
  }
}

}  // namespace

void limit_probes(unsigned of_each_worker) { most_probes = of_each_worker; }

void Checker::trace(obs::trace::Events of, obs::trace::Level level, std::string_view text,
                    const CheckOutcome* outcome, const obs::trace::Place& where) const {
  obs::trace::Source& source = obs::trace::check::source;
  if (!source.wants(of)) return;
  source.take(of, level, where, [&](obs::trace::Entry& entry) {
    entry.about.check = this;
    entry.about.server = &server_.state();
    entry.about.backend = &server_.backend().state();
    entry.text = text;
    if (entry.verbosity >= obs::trace::kClean)
      entry.text +=
          fmt::format(" : [{}] SRV={}", kind_ == Kind::agent ? 'A' : 'H', server_.state().name);
    if (entry.verbosity >= obs::trace::kMinimal)
      entry.text += fmt::format(" be={}", server_.backend().state().name);
    if (outcome != nullptr && entry.verbosity >= obs::trace::kSimple)
      entry.text += fmt::format(" last={} {}", state::describe(outcome->status), outcome->text);
  });
}

void Checker::probe_once() {
  using namespace obs::trace::check;
  using obs::trace::Level;
  if (!take_turn()) return;
  const rt::Instant begin = rt::precise_now();
  trace(task_wake | hchck_start, Level::state, "health-check starts", nullptr);
  const CheckOutcome outcome = probe_now();
  if (outcome.verdict == Verdict::failed)
    trace(hchck_run | hchck_err, Level::error, "health-check failed", &outcome);
  else
    trace(hchck_run | hchck_succ, Level::proto, "health-check passed", &outcome);
  trace(hchck_end, Level::state, "health-check complete or aborted", &outcome);
  leave_turn();
  if (rt::cancelled() || paused()) return;
  const auto took = std::chrono::duration_cast<rt::milliseconds>(rt::precise_now() - begin);
  probed_ = true;
  conclude(outcome, took.count());
}

namespace {

bool has_code(state::CheckStatus status) {
  using state::CheckStatus;
  switch (status) {
    case CheckStatus::l7_ok:
    case CheckStatus::l7_ok_conditional:
    case CheckStatus::l7_status:
    case CheckStatus::process_ok:
    case CheckStatus::process_error:
    case CheckStatus::process_timeout:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string Checker::describe(const CheckOutcome& outcome, std::int64_t duration_ms) const {
  std::string text = fmt::format(", reason: {}", state::describe(outcome.status));
  if (has_code(outcome.status)) text += fmt::format(", code: {}", outcome.code);
  if (!outcome.text.empty()) text += fmt::format(", info: \"{}\"", outcome.text);
  return text + fmt::format(", check duration: {}ms", duration_ms);
}

void Checker::log_check(const CheckOutcome& outcome, std::int64_t duration_ms, int now) {
  const bool is_up = now >= rise();
  const char* result = outcome.verdict == Verdict::conditional ? "conditionally succeeded"
                       : outcome.verdict == Verdict::passed    ? "succeeded"
                                                               : "failed";
  const bool weightless = server_.state().user_weight.load(std::memory_order_relaxed) == 0;
  std::string text = fmt::format(
      "{} check for {}server {}/{} {}{}, status: {}/{} {}.",
      kind_ == Kind::agent ? "Agent" : "Health", server_.state().backup ? "backup " : "",
      server_.backend().state().name, server_.state().name, result, describe(outcome, duration_ms),
      is_up ? now - rise() + 1 : now, is_up ? fall() : rise(),
      !is_up       ? "DOWN"
      : weightless ? "DRAIN"
                   : "UP");
  Health::mail(server_, obs::Level::info, text);
  Health::announce(server_, obs::Level::notice, std::move(text));
}

state::CheckEvent Checker::event_of(const CheckOutcome& outcome, std::int64_t duration_ms,
                                    int now) const {
  state::CheckEvent event;
  event.result = outcome.verdict == Verdict::conditional ? "CONDPASS"
                 : outcome.verdict == Verdict::passed    ? "PASSED"
                                                         : "FAILED";
  event.agent = kind_ == Kind::agent;
  event.duration_ms = duration_ms;
  event.status = outcome.status;
  if (has_code(outcome.status)) event.code = outcome.code;
  event.health = now;
  event.rise = rise();
  event.fall = fall();
  return event;
}

void Checker::publish(const state::CheckEvent& check) {
  const state::Events& events = server_.backend().registry().events();
  if (!events.wanted()) return;
  state::Event event{
      .type = state::EventType::server_check, .server = &server_.state(), .when = wall_seconds()};
  event.has_check = true;
  event.check = check;
  events.publish(event);
}

void Checker::conclude(const CheckOutcome& outcome, std::int64_t duration_ms) {
  if (outcome.verdict == Verdict::neutral) return;
  const int most = rise() + fall() - 1;
  bool moved = false;
  int now = 0;
  {
    const std::lock_guard guard(server_.state().mutex);
    state::HealthState& state = health();
    moved = state.status != outcome.status;
    state.status = outcome.status;
    state.code = outcome.code;
    state.text = outcome.text;
    state.duration_ms = duration_ms;
    if (outcome.verdict == Verdict::failed) {
      if (state.health >= rise()) {
        moved = true;
        ++state.failed_checks;
        --state.health;
      }
      if (state.health < rise()) state.health = 0;
    } else if (state.health < most) {
      moved = true;
      if (++state.health >= rise()) state.health = most;
    }
    now = state.health;
  }
  const bool logs = server_.backend().settings.log_health_checks;
  if (logs && moved) log_check(outcome, duration_ms, now);
  const state::CheckEvent event = event_of(outcome, duration_ms, now);
  if (moved) publish(event);
  const std::string why = logs ? std::string() : describe(outcome, duration_ms);
  if (outcome.verdict == Verdict::failed) {
    if (now < rise()) Health::down(server_, why, &event);
    return;
  }
  if (now < rise()) return;
  if (Checker* other = kind_ == Kind::health ? server_.agent() : server_.checker();
      other != nullptr && other->enabled() && !other->healthy())
    return;
  if (outcome.verdict == Verdict::conditional)
    Health::stopping(server_, why, &event);
  else
    Health::up(server_, why, &event);
}

void Checker::set_health(bool up) {
  const std::lock_guard guard(server_.state().mutex);
  health().health = up ? rise() + fall() - 1 : 0;
}

// Manual, "on-error".
void Checker::fail_from_traffic(OnError how) {
  const ServerSettings& settings = server_.settings();
  hurry();
  if (how == OnError::fast_inter) return;
  {
    const std::lock_guard guard(server_.state().mutex);
    if (how == OnError::sudden_death && health().health > rise()) health().health = rise() + 1;
    if (how == OnError::mark_down) health().health = rise();
  }
  CheckOutcome outcome;
  outcome.status = state::CheckStatus::l7_status;
  outcome.text = fmt::format(
      "Detected {} consecutive errors, last one was: {}", settings.error_limit,
      settings.observe == Observe::layer4 ? "L4 unsuccessful connection" : "L7 response error");
  conclude(outcome, 0);
}

}  // namespace upstream
