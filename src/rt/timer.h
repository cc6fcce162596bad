// A deadline without a fiber: parked connections, housekeeping. Intrusive, O(1) to arm and disarm;
// the wheel turns in milliseconds and never fires early.
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

  // Sets or moves the deadline; kNever disarms. On the worker thread that shall fire it.
  void arm(Instant at);
  void disarm();
  bool armed() const { return previous_ != nullptr; }
  Instant at() const { return at_; }

 private:
  friend class TimerWheel;
  Callback callback_;
  Instant at_ = kNever;
  Timer* next_ = nullptr;
  Timer** previous_ = nullptr;  // the pointer that points here
};

}  // namespace rt
