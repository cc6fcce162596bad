// The engine as app/ sees it: make a configuration the running one, open its listening sockets,
// accept on every worker, stop softly. Everything but start() is called by the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "config/diagnostics.h"
#include "proxy/config.h"

namespace proxy {

// What running() returns from now on. Before traffic, once.
void set_running(const Config& config);

// Answers the statistics page: app/ hands in the factory that admin/ has. Called where a request
// meets "stats uri" and passed "stats http-request" and "stats auth".
using StatsFactory = std::unique_ptr<txn::ServiceRun> (*)(const Proxy& proxy,
                                                          txn::Exchange& exchange);
void set_stats_factory(StatsFactory factory);

class Listening {
 public:
  explicit Listening(const Config& config);
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  // Binds and listens for every frontend that is not disabled; reports each failure.
  bool open(config::Diagnostics& diagnostics);
  // Accepts on all workers; also before Runtime::run().
  void start();
  // Soft stop, any thread: accepts no more, closes idle client connections; busy ones end with
  // their exchange. registry.process().stopping is set.
  void stop();
  // Client connections that still live. Any thread.
  static std::uint32_t sessions();

  // Runtime commands: "disable frontend", "enable frontend", "set maxconn frontend". Any thread.
  static void pause(state::Proxy& frontend);
  static void resume(state::Proxy& frontend);
  // "shutdown frontend": its sockets are closed for good.
  static void shut(state::Proxy& frontend);

 private:
  struct Socket;
  std::vector<Socket*> refusing_sockets(const state::Proxy& frontend);
  static void on_all_workers(std::function<void(unsigned)> each, std::function<void()> last);

  const Config& config_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::set<int> inherited_;  // the descriptors that others gave us
};

}  // namespace proxy
