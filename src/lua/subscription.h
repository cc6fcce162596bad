// Who wants to hear of server events. publish() may be called by any worker.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "lua/events.h"

namespace lua {

class State;

struct Subscription {
  State& state;
  int function;                      // registry reference, kept as long as the process
  std::uint32_t types;               // bits by EventType
  const state::Server* server;       // null: of all servers
  unsigned worker;                   // handles them
  std::deque<ServerEvent> events{};  // the worker's
  bool draining = false;             // the worker's
  std::atomic<bool> active{true};

  Subscription(State& s, int f, std::uint32_t t, const state::Server* v, unsigned w)
      : state(s), function(f), types(t), server(v), worker(w) {}
};

class Subscriptions {
 public:
  void add(std::shared_ptr<Subscription> subscription);
  void publish(const ServerEvent& event);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> all_;
};

}  // namespace lua
