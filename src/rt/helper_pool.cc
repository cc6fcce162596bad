#include "rt/helper_pool.h"

#include <sched.h>

#include <chrono>
#include <optional>
#include <system_error>

namespace rt {

namespace {
constexpr std::size_t kMostThreads = 64;
constexpr auto kIdle = std::chrono::seconds(5);
std::optional<cpu_set_t> anywhere;  // where threads of the pool run, if not where they are begun
}  // namespace

HelperPool::~HelperPool() {
  std::unordered_map<std::thread::id, std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    work_.clear();
    threads.swap(threads_);
  }
  work_came_.notify_all();
  for (auto& [id, thread] : threads) thread.join();
  join_ended();
}

void HelperPool::submit(base::Function<void()> work) {
  std::unique_lock lock(mutex_);
  work_.push_back(std::move(work));
  join_ended();
  if (idle_ < work_.size() && threads_.size() < kMostThreads) start_thread();
  if (!threads_.empty()) {
    work_came_.notify_one();
    return;
  }
  work = std::move(work_.back());
  work_.pop_back();
  lock.unlock();
  work();
}

void HelperPool::run_anywhere() {
  cpu_set_t here;
  CPU_ZERO(&here);
  if (::sched_getaffinity(0, sizeof here, &here) == 0) anywhere = here;
}

// Does without when the system refuses one.
void HelperPool::start_thread() {
  try {
    std::thread thread([this] { serve(); });
    const auto id = thread.get_id();
    threads_.emplace(id, std::move(thread));
  } catch (const std::system_error&) {
  }
}

void HelperPool::join_ended() {
  for (std::thread& thread : ended_) thread.join();
  ended_.clear();
}

void HelperPool::serve() {
  if (anywhere) ::sched_setaffinity(0, sizeof *anywhere, &*anywhere);
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (work_.empty()) {
      ++idle_;
      const bool came = work_came_.wait_for(lock, kIdle, [&] { return !work_.empty() || ending_; });
      --idle_;
      if (!came) break;
      continue;
    }
    base::Function<void()> work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
  // Under the lock to the end: whoever joins this thread holds it and does not wait for long.
  auto self = threads_.find(std::this_thread::get_id());
  if (self == threads_.end()) return;
  ended_.push_back(std::move(self->second));
  threads_.erase(self);
}

}  // namespace rt
