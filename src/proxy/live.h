// What is under way right now, for "show sess" and "shutdown session": snapshots of the exchanges
// of all workers, taken by each worker of its own. Called in a fiber; waits for the workers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rt/time.h"

namespace state {
struct Proxy;
struct Server;
}  // namespace state

namespace proxy {

struct LiveExchange {
  std::uint64_t id = 0;  // names it in commands
  unsigned worker = 0;
  bool is_http = false, has_request = false;
  std::string source;          // "127.0.0.1:1234"
  std::string method, target;  // of an HTTP request
  const state::Proxy* frontend = nullptr;
  const state::Proxy* backend = nullptr;  // null: not chosen yet
  const state::Server* server = nullptr;
  std::string service;  // "<STATS>", where no server answers
  rt::Duration age{};   // since the connection was accepted
  std::int64_t start_wall_us = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint32_t retries = 0;
  bool tunnel = false;  // bytes go through, rules are done
};

std::vector<LiveExchange> live_exchanges();
// Ends the exchange; false when there is none of that id any more.
bool shut_exchange(std::uint64_t id);

}  // namespace proxy
