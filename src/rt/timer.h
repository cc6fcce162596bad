// A deadline without a fiber: parked connections, housekeeping. Intrusive, O(1) to arm and disarm;
// the wheel turns in milliseconds and never fires early. Moving a deadline to a later time costs
// one store: the wheel finds out when it reaches the old one.
#pragma once

#include "rt/time.h"

namespace rt {

class Timer {
 public:
  using Callback = void (*)(Timer&);  // runs in the loop, not in a fiber
  explicit Timer(Callback callback) : callback_(callback) {}
  ~Timer() { disarm(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  Instant deadline() const { return previous_ != nullptr ? at_ : kNever; }
  // Sets or moves the deadline; kNever disarms. On the worker thread that shall fire it.
  void arm(Instant at) {
    if (previous_ != nullptr && at >= at_)
      at_ = at;
    else
      arm_earlier(at);
  }
  void disarm() {
    at_ = kNever;
    if (previous_ != nullptr) unlink();
  }
  bool armed() const { return previous_ != nullptr && at_ != kNever; }
  Instant at() const { return at_; }

 private:
  friend class TimerWheel;
  void arm_earlier(Instant at);
  void unlink() {
    *previous_ = next_;
    if (next_ != nullptr) next_->previous_ = previous_;
    previous_ = nullptr;
  }

  Callback callback_;
  Instant at_ = kNever;
  Timer* next_ = nullptr;
  Timer** previous_ = nullptr;  // the pointer that points here
};

}  // namespace rt
