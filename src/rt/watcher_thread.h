// The watchdog's thread; see watchdog.h. Owned by the Runtime, known to this room only.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "rt/pulse.h"
#include "rt/time.h"

namespace rt {

class Loop;

class WatcherThread {
 public:
  explicit WatcherThread(const std::vector<std::unique_ptr<Loop>>& loops);
  ~WatcherThread();

 private:
  struct Seen {
    Pulse* pulse;
    std::uint64_t step = 0;  // the last time
    Instant since{};         // it has been that
    std::int64_t cpu_ns = 0;
    Duration next{};  // how busy it must be to be told of
    std::int64_t measured_cpu_ns = 0;
  };
  void run();
  void look(Seen& one, unsigned worker, Instant now);
  void measure(Instant now);

  std::vector<Seen> seen_;
  Instant measured_{};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace rt
