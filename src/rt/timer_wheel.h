// The timers of one worker: seven wheels of 64 slots, a tick of one millisecond, each wheel 64
// times slower than the one below. A timer hangs in the slot of the highest digit (base 64) in
// which its tick differs from the present one, and moves down when the wheel gets there.
#pragma once

#include <array>
#include <cstdint>

#include "rt/timer.h"

namespace rt {

class TimerWheel {
 public:
  explicit TimerWheel(Instant start) : start_(start) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Puts `timer`, which hangs nowhere, where it fires at `at`; kNever leaves it alone.
  void arm(Timer& timer, Instant at);
  // Fires what is due at `now`.
  void advance(Instant now);
  // When advance() next has something to do (perhaps only moving timers down); kNever for nothing.
  Instant next();

 private:
  static constexpr int kBits = 6;
  static constexpr unsigned kSlots = 1U << kBits;
  static constexpr int kLevels = 7;
  static constexpr std::uint64_t kLastTick = (std::uint64_t{1} << (kBits * kLevels)) - 1;
  struct Level {
    std::uint64_t occupied = 0;  // a bit may outlive its timers
    std::array<Timer*, kSlots> slots{};
  };
  struct Stop {  // where the wheel must halt next
    std::uint64_t tick = 0;
    int level = 0;
    unsigned slot = 0;
  };

  std::uint64_t due_tick(const Timer& timer) const;
  void insert(Timer& timer, std::uint64_t due);
  Timer*& head_at(const Stop& stop) { return levels_[stop.level].slots[stop.slot]; }
  // The next stop with a timer; null where there is none. Valid until a timer is armed or handled.
  const Stop* find_next();
  bool look_for_next();
  void handle(const Stop& stop, Instant now);

  Instant start_;
  std::uint64_t tick_ = 0;  // the last one handled
  Stop next_;               // the next stop, where it is known
  bool next_known_ = false;
  std::array<Level, kLevels> levels_;
};

}  // namespace rt
