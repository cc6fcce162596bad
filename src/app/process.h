// What the process does to itself: descriptor limits, background, pid file, root directory, user,
// signals. Main thread, in the order of start-up; see main.cc.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "app/command_line.h"
#include "app/global/settings.h"
#include "base/result.h"

namespace app {

// Descriptors for `maxconn` connections (both sides) and `others` (listeners, checks, loops); with
// no maxconn configured, the most that the system's limits allow. Returns the maxconn to use.
base::Result<std::int64_t> raise_limits(const GlobalSettings& settings, std::int64_t maximum,
                                        std::int64_t others, std::vector<std::string>& warnings);

// -m: what connections may take of memory is what that leaves beside the use so far.
base::Result<void> limit_memory(std::int64_t megabytes);

// The background process and the terminal's one that waits for its start.
class Daemon {
 public:
  // Forks; the caller goes on as the child. The parent never returns: it exits with the child's
  // verdict on its start.
  static Daemon fork_now();
  Daemon() = default;
  Daemon(Daemon&& other) noexcept : pipe_(std::exchange(other.pipe_, -1)) {}
  Daemon& operator=(Daemon&& other) noexcept {
    std::swap(pipe_, other.pipe_);
    return *this;
  }
  ~Daemon();
  // Tells the parent that the start succeeded, and leaves its terminal.
  void started();

 private:
  int pipe_ = -1;
};

base::Result<void> write_pidfile(const std::string& path);

// chroot, group, user, capabilities, in that order, after listeners are open.
base::Result<void> drop_privileges(const GlobalSettings& settings,
                                   std::vector<std::string>& warnings);

// From now on SIGUSR1, SIGHUP, SIGUSR2, SIGTTOU and SIGTTIN wait for watch_signals(). Once, on the
// main thread.
void hold_signals();

// SIGUSR1 (soft stop), SIGTERM and SIGINT (stop), SIGHUP, SIGUSR2, SIGTTOU, SIGTTIN are told to
// `on_signal` in a fiber of worker 0, until that ends. SIGPIPE is ignored. Once.
void watch_signals(std::function<void(int)> on_signal);
// When the workers have ended: SIGTERM and SIGINT end the process from now on, others do nothing.
void stop_watching_signals();

// Ends the process the way an unhandled `signal` would.
[[noreturn]] void die_by(int signal);

std::string host_name();

// Sends `signal` to the processes of -sf and -st.
void signal_processes(const std::vector<std::int32_t>& processes, int signal);

}  // namespace app
