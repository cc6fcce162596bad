// What happens to servers and pattern sets, for those who want to hear of it (scripts). Whoever
// makes the change describes it and publishes it, on any worker; the listener is set before
// traffic.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "state/server.h"

namespace state {

enum class EventType : std::uint8_t {
  server_add,
  server_del,
  server_down,
  server_up,
  server_state,
  server_admin,
  server_check,
  pattern_add,
  pattern_del,
  pattern_set,
  pattern_clear,
  pattern_commit,
  count_
};

struct CheckEvent {
  const char* result = "PASSED";  // FAILED PASSED CONDPASS
  bool agent = false;
  std::int64_t duration_ms = 0;
  CheckStatus status = CheckStatus::unknown;
  int code = -1;  // of layer 5 and above; -1: none
  int health = 0, rise = 0, fall = 0;
};

struct Event {
  EventType type;
  const Server* server = nullptr;  // lives as long as the process; null in events of patterns
  std::int64_t when = 0;           // wall-clock seconds
  // server_state and server_admin
  OperState old_state = OperState::stopped, new_state = OperState::stopped;
  std::uint8_t old_admin = 0, new_admin = 0;
  bool administrative = false;
  std::string cause;
  std::uint32_t requeued = 0;
  bool has_check = false;  // server_check, and server_state that a check led to
  CheckEvent check;
};

class Events {
 public:
  using Listener = std::function<void(const Event&)>;
  void listen(Listener listener) { listener_ = std::move(listener); }
  // Nobody need describe what nobody waits for.
  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }
  void want() { wanted_.store(true, std::memory_order_relaxed); }
  void publish(const Event& event) const {
    if (wanted() && listener_) listener_(event);
  }

 private:
  Listener listener_;
  std::atomic<bool> wanted_{false};
};

}  // namespace state
