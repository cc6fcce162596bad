#include "rt/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace rt {

namespace {
constexpr Duration kTick = milliseconds(1);
}

TimerWheel::~TimerWheel() {
  for (Level& level : levels_)
    for (Timer* timer : level.slots)
      while (timer != nullptr) {
        Timer* next = timer->next_;
        timer->disarm();
        timer = next;
      }
}

std::uint64_t TimerWheel::due_tick(const Timer& timer) const {
  if (timer.at_ <= start_) return 0;
  const auto tick = static_cast<std::uint64_t>((timer.at_ - start_ - Duration(1)) / kTick) + 1;
  return std::min(tick, kLastTick);
}

void TimerWheel::insert(Timer& timer, std::uint64_t due) {
  const int level = (std::bit_width(due ^ tick_) - 1) / kBits;
  const auto slot = static_cast<unsigned>(due >> (level * kBits)) & (kSlots - 1);
  levels_[level].occupied |= std::uint64_t{1} << slot;
  Timer*& head = levels_[level].slots[slot];
  timer.next_ = head;
  timer.previous_ = &head;
  if (head != nullptr) head->previous_ = &timer.next_;
  head = &timer;
}

void TimerWheel::arm(Timer& timer, Instant at) {
  timer.at_ = at;
  if (at != kNever) insert(timer, std::max(due_tick(timer), tick_ + 1));
}

bool TimerWheel::find_next(Stop& stop) {
  for (int level = 0; level < kLevels; ++level) {
    const int shift = level * kBits;
    const auto digit = static_cast<unsigned>(tick_ >> shift) & (kSlots - 1);
    while (true) {
      const std::uint64_t ahead = levels_[level].occupied & ~((std::uint64_t{2} << digit) - 1);
      if (ahead == 0) break;
      const auto slot = static_cast<unsigned>(std::countr_zero(ahead));
      if (levels_[level].slots[slot] != nullptr) {
        const std::uint64_t above = tick_ >> (shift + kBits) << (shift + kBits);
        stop = {above | (std::uint64_t{slot} << shift), level, slot};
        return true;
      }
      levels_[level].occupied &= ~(std::uint64_t{1} << slot);
    }
  }
  return false;
}

void TimerWheel::handle(const Stop& stop, Instant now) {
  tick_ = stop.tick;
  Level& level = levels_[stop.level];
  level.occupied &= ~(std::uint64_t{1} << stop.slot);
  Timer* due = level.slots[stop.slot];
  level.slots[stop.slot] = nullptr;
  due->previous_ = &due;
  while (due != nullptr) {
    Timer& timer = *due;
    timer.unlink();
    if (timer.at_ == kNever) continue;
    const std::uint64_t tick = due_tick(timer);
    if (tick > tick_)
      insert(timer, tick);
    else if (timer.at_ > now)  // past the end of the top wheel
      insert(timer, tick_ + 1);
    else
      timer.callback_(timer);
  }
}

void TimerWheel::advance(Instant now) {
  if (now < start_) return;
  const auto target = static_cast<std::uint64_t>((now - start_) / kTick);
  Stop stop;
  while (tick_ < target && find_next(stop) && stop.tick <= target) handle(stop, now);
  tick_ = std::max(tick_, target);
}

Instant TimerWheel::next() {
  Stop stop;
  return find_next(stop) ? start_ + static_cast<std::int64_t>(stop.tick) * kTick : kNever;
}

}  // namespace rt
