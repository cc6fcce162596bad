// Who wants to hear of events (core.event_sub, Server.event_sub, Patref.event_sub). Each
// subscription handles its events one after the other, in a fiber of the worker that subscribed or
// whose state it is. publish() and deliver() may be called by any worker.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "state/events.h"

namespace lua {

class State;

struct Subscription {
  State& state;
  int function;                       // registry reference, kept as long as the process
  std::uint32_t types;                // bits by EventType
  const state::Server* server;        // null: of all servers
  unsigned worker;                    // handles them
  std::deque<state::Event> events{};  // the worker's
  bool draining = false;              // the worker's
  std::atomic<bool> active{true};

  Subscription(State& s, int f, std::uint32_t t, const state::Server* v, unsigned w)
      : state(s), function(f), types(t), server(v), worker(w) {}
};

void deliver(const std::shared_ptr<Subscription>& subscription, const state::Event& event);

class Subscriptions {
 public:
  void add(std::shared_ptr<Subscription> subscription);
  void publish(const state::Event& event);

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Subscription>> all_;
};

}  // namespace lua
