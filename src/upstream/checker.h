// One health check or agent check of one server: a fiber that probes it at intervals, keeps its
// health between 0 and rise + fall - 1, and moves the server by it. Lives on one worker; what
// others ask for (forced health, enabling) goes through atomics and state::Server.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "obs/trace.h"
#include "rt/time.h"
#include "state/events.h"
#include "upstream/backend.h"

namespace config {
class Diagnostics;
}

namespace upstream {

class CheckRules;

// What one probe found.
struct CheckOutcome {
  enum class Verdict : std::uint8_t {
    failed,
    passed,
    conditional,
    neutral
  } verdict = Verdict::failed;
  state::CheckStatus status = state::CheckStatus::unknown;
  int code = 0;
  std::string text;
};

// How many probes one worker may have under way at once; 0: any number. Before the first one.
void limit_probes(unsigned of_each_worker);

class Checker {
 public:
  enum class Kind : std::uint8_t { health, agent };

  Checker(Server& server, Kind kind, std::shared_ptr<const CheckRules> rules);

  // Spreads the first probe over the interval by `position` among `count`.
  void start(unsigned position, unsigned count);
  // Health as commands set it.
  void set_health(bool up);
  // What traffic observed counts as a failed check (on-error).
  void fail_from_traffic(OnError how);
  // The interval restarts with "fastinter".
  // The server is gone: no further probe.
  void retire() { retired_.store(true, std::memory_order_relaxed); }
  void hurry() { hurried_.store(true, std::memory_order_relaxed); }
  // The server leaves maintenance: up, but falls at the first failure. False: it is down.
  bool back_from_maintenance();
  bool healthy() const;
  bool enabled() const;
  // "set server … check-addr/check-port/agent-addr/agent-port/agent-send".
  void set_target(const net::Ip& ip, std::uint16_t port);
  void set_agent_send(std::string text);
  net::Address target() const;

  const ProbeSettings& probe() const;
  Server& server() { return server_; }
  Kind kind() const { return kind_; }
  std::string agent_send() const;

  // An agent's word counts at once.
  int rise() const { return kind_ == Kind::agent ? 1 : server_.settings().rise; }
  int fall() const { return kind_ == Kind::agent ? 1 : server_.settings().fall; }

  // One probe, without consequences.
  CheckOutcome probe_now();
  // Counts an outcome and acts on it. Public for tests and for traffic that stands for a check.
  void conclude(const CheckOutcome& outcome, std::int64_t duration_ms);

 private:
  void run(rt::Duration first_delay);
  bool paused() const;
  void probe_once();
  void trace(obs::trace::Events of, obs::trace::Level level, std::string_view text,
             const CheckOutcome* outcome,
             const obs::trace::Place& where = obs::trace::Place::current()) const;
  rt::Duration interval() const;
  state::HealthState& health() const;
  std::string describe(const CheckOutcome& outcome, std::int64_t duration_ms) const;
  state::CheckEvent event_of(const CheckOutcome& outcome, std::int64_t duration_ms,
                             int health) const;
  void publish(const state::CheckEvent& check);
  void log_check(const CheckOutcome& outcome, std::int64_t duration_ms, int health);

  Server& server_;
  Kind kind_;
  std::shared_ptr<const CheckRules> rules_;
  std::atomic<bool> hurried_{false}, retired_{false};
  bool probed_ = false;
  // Changed by commands; guarded by the mutex of state::Server.
  net::Ip other_ip_;
  std::uint16_t other_port_ = 0;
  std::string agent_send_;
};

// Makes the checkers of all servers of a backend from its settings. False with a report.
bool prepare_checks(Backend& backend, config::Diagnostics& diagnostics);

}  // namespace upstream
