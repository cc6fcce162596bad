// What other threads send to a worker: a lock-free stack that the worker empties at once and reads
// in order of arrival. Its thread is woken through an eventfd only when it sleeps in epoll_wait.
// Lives as long as its worker; push() and ring() from any thread, the rest by the worker.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <system_error>

#include "rt/shared_number.h"

namespace rt {

// Embedded in what is sent. `deliver` runs on the worker's thread; with `run` false (the worker is
// being destroyed) it only frees.
struct Mail {
  Mail* next = nullptr;
  void (*deliver)(Mail& mail, bool run) = nullptr;
};

class Mailbox {
 public:
  Mailbox() : event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (event_fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Mailbox() { ::close(event_fd_); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  int event_fd() const { return event_fd_; }

  // True when the worker sleeps, or may, and another thread must ring(), which it may do after
  // leaving a lock. To one worker alone mail is rare: it is rung for each time, so that the worker
  // need not tell before it sleeps, which takes a locked instruction.
  [[nodiscard]] bool push(Mail& mail) {
    Mail* head = head_.load(std::memory_order_relaxed);
    do {
      mail.next = head;
    } while (!head_.compare_exchange_weak(head, &mail, std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
    return detail::one_worker ||
           (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false));
  }

  // Async-signal-safe. The counter is never read: each write is an edge of its own.
  void ring() {
    const std::uint64_t one = 1;
    [[maybe_unused]] ssize_t written = ::write(event_fd_, &one, sizeof one);
  }

  bool empty() const { return head_.load(std::memory_order_relaxed) == nullptr; }

  // Everything that has come, the oldest first.
  Mail* take_all() {
    Mail* newest_first = head_.exchange(nullptr, std::memory_order_acquire);
    Mail* oldest_first = nullptr;
    while (newest_first != nullptr) {
      Mail* next = newest_first->next;
      newest_first->next = oldest_first;
      oldest_first = newest_first;
      newest_first = next;
    }
    return oldest_first;
  }

  // False when mail has come meanwhile: do not sleep. A push() after true rings.
  bool fall_asleep() {
    if (detail::one_worker) return empty();
    asleep_.store(true, std::memory_order_seq_cst);
    if (head_.load(std::memory_order_seq_cst) == nullptr) return true;
    asleep_.store(false, std::memory_order_relaxed);
    return false;
  }
  void awake() { asleep_.store(false, std::memory_order_relaxed); }

 private:
  int event_fd_;
  alignas(64) std::atomic<Mail*> head_{nullptr};
  std::atomic<bool> asleep_{false};
};

}  // namespace rt
