// Threads for calls that block: files, the system's resolver. Started when work waits and none is
// idle, ended when idle for some seconds. Owned by the Runtime; submit() from any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "base/function.h"

namespace rt {

class HelperPool {
 public:
  HelperPool() = default;
  ~HelperPool();  // waits for what runs; what has not begun is dropped
  HelperPool(const HelperPool&) = delete;
  HelperPool& operator=(const HelperPool&) = delete;

  // `work` must not throw. Where no thread can be had at all, it runs at once in the caller.
  void submit(base::Function<void()> work);
  // A thread inherits the place of the one that starts it: those of the pool go back to where the
  // caller may run now. Before the first submit().
  static void run_anywhere();

 private:
  void start_thread();
  void serve();
  void join_ended();

  std::mutex mutex_;  // guards all below
  std::condition_variable work_came_;
  std::deque<base::Function<void()>> work_;
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::unordered_map<std::thread::id, std::thread> threads_;
  std::deque<std::thread> ended_;
};

}  // namespace rt
