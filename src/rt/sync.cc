#include "rt/sync.h"

#include <exception>
#include <optional>
#include <thread>

#include "rt/helper_pool.h"
#include "rt/loop.h"

namespace rt {

struct FiberMutex::Waiter {
  WakeHandle handle;
  bool granted = false;
  Waiter* next = nullptr;
  Waiter* previous = nullptr;
};

// Under mutex_. True when the lock was free after all.
bool FiberMutex::take_or_queue(Waiter& waiter) {
  std::uint32_t state = state_.load(std::memory_order_relaxed);
  while (true) {
    if (state == kFree) {
      if (state_.compare_exchange_weak(state, kTaken, std::memory_order_acquire)) return true;
    } else if (state == kWaitedFor ||
               state_.compare_exchange_weak(state, kWaitedFor, std::memory_order_acquire)) {
      break;
    }
  }
  waiter.previous = tail_;
  (tail_ != nullptr ? tail_->next : head_) = &waiter;
  tail_ = &waiter;
  return false;
}

void FiberMutex::remove(Waiter& waiter) {
  (waiter.previous != nullptr ? waiter.previous->next : head_) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : tail_) = waiter.previous;
  if (head_ == nullptr) state_.store(kTaken, std::memory_order_release);
}

Wait FiberMutex::lock_slow(Instant deadline) {
  if (current() == nullptr) {
    while (!try_lock()) {
      if (precise_now() >= deadline) return Wait::timed_out;
      std::this_thread::yield();
    }
    return Wait::ready;
  }
  Waiter waiter;
  {
    const std::lock_guard lock(mutex_);
    if (take_or_queue(waiter)) return Wait::ready;
  }
  while (true) {
    const Wait how = suspend(deadline);
    const std::lock_guard lock(mutex_);
    if (waiter.granted) return Wait::ready;
    if (how == Wait::ready) continue;  // a wake-up that was meant for something else
    remove(waiter);
    return how;
  }
}

void FiberMutex::lock_even_cancelled() {
  if (current() == nullptr) {
    (void)lock_slow(kNever);
    return;
  }
  Waiter waiter;
  {
    const std::lock_guard lock(mutex_);
    if (take_or_queue(waiter)) return;
  }
  while (true) {
    suspend_uninterruptibly();
    const std::lock_guard lock(mutex_);
    if (waiter.granted) return;
  }
}

void FiberMutex::hand_over() {
  const std::lock_guard lock(mutex_);
  Waiter* first = head_;
  if (first == nullptr) {  // the only waiter gave up
    state_.store(kFree, std::memory_order_release);
    return;
  }
  remove(*first);
  first->granted = true;
  // Under the lock: once it is gone, the waiter may be as well.
  first->handle.wake();
}

namespace {

struct Job : Mail {
  Job(base::Function<void()> w, Fiber& f)
      : Mail{nullptr, &Job::on_done}, work(std::move(w)), fiber(f) {}

  void run() noexcept {
    try {
      work();
      work = nullptr;
    } catch (...) {
      error = std::current_exception();
    }
    fiber.loop.deliver(*this);
  }
  static void on_done(Mail& mail, bool run) {
    auto& job = static_cast<Job&>(mail);
    job.done = true;
    if (run) wake(job.fiber);
  }

  base::Function<void()> work;
  Fiber& fiber;
  std::exception_ptr error;
  bool done = false;
};

}  // namespace

void offload(base::Function<void()> work) {
  Fiber* fiber = current();
  if (fiber == nullptr) return work();
  Job job(std::move(work), *fiber);
  fiber->loop.helpers().submit([&job] { job.run(); });
  while (!job.done) suspend_uninterruptibly();
  if (job.error) std::rethrow_exception(job.error);
}

void run_on_helper(base::Function<void()> work) { Loop::here()->helpers().submit(std::move(work)); }

}  // namespace rt
