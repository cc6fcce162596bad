// A value that all workers read at every request and that changes rarely: an address, a schedule of
// servers. Reading is one load. A replaced value lives until every worker has passed a turn of its
// loop, so a reader may use what it got until it waits. Readers are worker threads.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "rt/worker.h"

namespace upstream {

template <class T>
class Published {
 public:
  Published() = default;
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;
  ~Published() { delete current_.load(std::memory_order_relaxed); }

  const T* get() const { return current_.load(std::memory_order_acquire); }

  // Any thread.
  void publish(std::unique_ptr<const T> next) {
    std::shared_ptr<const T> old(current_.exchange(next.release(), std::memory_order_acq_rel));
    if (old == nullptr) return;
    if (rt::Runtime* runtime = rt::Runtime::instance()) {
      runtime->post_all([old](rt::Worker&) {});  // the last worker to run it drops the value
    } else {
      const std::lock_guard guard(mutex_);
      kept_.push_back(std::move(old));
    }
  }

 private:
  std::atomic<const T*> current_{nullptr};
  std::mutex mutex_;
  std::vector<std::shared_ptr<const T>> kept_;  // replaced before there was a runtime
};

}  // namespace upstream
