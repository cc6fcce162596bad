// The fiber itself. It lives at the top of its stack from the day the stack is mapped and is used
// again for one body after the other, so that spawning allocates nothing. Owned by one worker;
// only the mail and `mail_queued` are touched by other threads.
#pragma once

#include <atomic>
#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>

#include "base/function.h"
#include "base/prefetch.h"
#include "rt/cost.h"
#include "rt/fiber.h"
#include "rt/mailbox.h"
#include "rt/sanitizers.h"
#include "rt/timer.h"

namespace rt {

class Loop;

// The head of __cxa_eh_globals (Itanium C++ ABI, exception handling, 2.2.2).
struct ExceptionState {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

// The timer is its deadline, the mail its wake-up from another thread.
class Fiber : public Timer, public Mail {
 public:
  enum class State : std::uint8_t { unused, ready, running, waiting, ended };

  explicit Fiber(Loop& owner)
      : Timer(&Fiber::on_deadline), Mail{nullptr, &Fiber::on_mail}, loop(owner) {}

  void become_ready();
  // What spawn() and the first switch to it touch.
  void fetch() const {
    __builtin_prefetch(this);
    __builtin_prefetch(&context);
    __builtin_prefetch(&body);
  }
  void fetch_stack() const {
    constexpr std::size_t kFrames = 256;
    base::prefetch(context, kFrames);
  }
  // What it goes on with: what its owner named, and the stack that its next calls take.
  void fetch_used() const {
    constexpr std::size_t kCalls = 896;
    base::prefetch(used, used_size);
    base::prefetch(static_cast<const char*>(context) - kCalls, kCalls);
  }
  static void on_deadline(Timer& timer);
  static void on_mail(Mail& mail, bool run);

  Loop& loop;
  boost::context::detail::fcontext_t context = nullptr;
  State state = State::unused;
  bool notified = false;  // a wake() that no suspend() has seen
  bool cancelled = false;
  bool uninterruptible = false;  // cancel() does not end the present wait
  ExceptionState exceptions;
  Fiber* next_fiber = nullptr;  // in the ready queue
  void* local = nullptr;
  const void* used = nullptr;  // see fetch.h
  std::size_t used_size = 0;
  char* mapping = nullptr;  // lowest address, the guard page
  std::atomic<bool> mail_queued{false};
  base::Function<void()> body;
  StackIdentity stack;

  // While costs are measured; an instant is zero where it was not taken.
  Cost cost;
  Instant ready_since{}, run_since{};

  std::size_t pool_index = 0;
};

// As suspend() without a deadline; cancel() does not end it.
void suspend_uninterruptibly();

// First in, first out; a fiber is in at most one.
class FiberQueue {
 public:
  bool empty() const { return head_ == nullptr; }
  const Fiber* front() const { return head_; }  // null where it is empty
  void push(Fiber& fiber) {
    fiber.next_fiber = nullptr;
    *tail_ = &fiber;
    tail_ = &fiber.next_fiber;
  }
  Fiber& pop() {
    Fiber& fiber = *head_;
    head_ = fiber.next_fiber;
    if (head_ == nullptr) tail_ = &head_;
    return fiber;
  }
  void append(FiberQueue& other) {
    if (other.empty()) return;
    *tail_ = other.head_;
    tail_ = other.tail_;
    other.head_ = nullptr;
    other.tail_ = &other.head_;
  }

 private:
  Fiber* head_ = nullptr;
  Fiber** tail_ = &head_;
};

}  // namespace rt
