// One thread, one epoll loop, its timers, fibers and mailbox. Everything a worker owns is touched
// by its thread alone; other threads speak to it through post().
#pragma once

#include <functional>
#include <memory>

#include "base/function.h"
#include "rt/time.h"

namespace rt {

using Task = base::Function<void()>;

class Worker {
 public:
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  unsigned index() const { return index_; }  // 0 .. count-1
  // Runs `task` in that worker's loop (not in a fiber: it must not wait; it may spawn). Any thread.
  // Tasks of one thread run in its order. What comes after the loop has ended is destroyed unrun.
  void post(Task task);

 protected:
  Worker() = default;
  ~Worker() = default;
  unsigned index_ = 0;
};

// The worker of this thread; null on other threads.
Worker* this_worker();

// All workers of the process. Built once by app/, before anything waits.
class Runtime {
 public:
  // Creates `workers` workers; the calling thread becomes worker 0 inside run(), the others start
  // there as well. Until run(), and between run() and the destructor, the calling thread counts as
  // worker 0, so that fibers can be spawned and descriptors registered at start-up.
  explicit Runtime(unsigned workers);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  unsigned size() const;
  Worker& worker(unsigned index);
  std::uint32_t open_descriptors() const;  // that the loops watch, shared ones not counted
  // Runs all loops until stop(). Then every worker cancels its fibers and lets them unwind, for two
  // seconds at most; returns when all have left their loops.
  void run();
  // Runs all loops until `done` says so, which worker 0 asks about once a millisecond; the other
  // workers go on until stop() or the destructor. For tests and start-up work; may be repeated.
  void run_until(const std::function<bool()>& done);
  // Makes run() return. Any thread, async-signal-safe.
  void stop();
  // Runs `task` once on each worker, in its loop; before run(): as the first thing there.
  void post_all(const std::function<void(Worker&)>& task);

  // The one that exists, null before.
  static Runtime* instance();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

namespace detail {
extern constinit thread_local unsigned here_index;
}

// Number of workers; 1 before a Runtime exists. For counters and pools with one slot a worker.
unsigned worker_count();
// Index of this thread's worker; 0 on threads that are none.
inline unsigned worker_index() { return detail::here_index; }

}  // namespace rt
