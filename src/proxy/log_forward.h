// What log-forward sections do: lines come in over datagrams and streams, are understood as far as
// they can be, and go to the section's log targets. Sockets are opened by the main thread; each
// stream is a fiber of the worker that accepted it, each datagram socket one of a single worker.
#pragma once

#include <memory>
#include <vector>

#include "config/diagnostics.h"
#include "proxy/config.h"

namespace proxy {

class LogForwarding {
 public:
  explicit LogForwarding(const Config& config);
  ~LogForwarding();
  LogForwarding(const LogForwarding&) = delete;
  LogForwarding& operator=(const LogForwarding&) = delete;

  // Binds everything; reports each failure.
  bool open(config::Diagnostics& diagnostics);
  // On all workers; also before Runtime::run().
  void start();
  // Soft stop, any thread: no new connections; what is open goes on until the process ends.
  void stop();

 private:
  struct Door;
  struct Inlet;
  const Config& config_;
  std::vector<std::unique_ptr<Door>> doors_;
  std::vector<std::unique_ptr<Inlet>> inlets_;
};

}  // namespace proxy
