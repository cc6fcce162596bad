#include "rt/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

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
  const int level = (std::bit_width(due ^ tick_) - 1) / kBits, shift = level * kBits;
  const Stop stop{due >> shift << shift, level, static_cast<unsigned>(due >> shift) & (kSlots - 1)};
  if (next_known_ && stop.tick < next_.tick) next_ = stop;
  levels_[level].occupied |= std::uint64_t{1} << stop.slot;
  Timer*& head = head_at(stop);
  timer.next_ = head;
  timer.previous_ = &head;
  if (head != nullptr) head->previous_ = &timer.next_;
  head = &timer;
}

void TimerWheel::arm(Timer& timer, Instant at) {
  timer.at_ = at;
  if (at != kNever) insert(timer, std::max(due_tick(timer), tick_ + 1));
}

bool TimerWheel::look_for_next() {
  for (int level = 0; level < kLevels; ++level) {
    const int shift = level * kBits;
    const auto digit = static_cast<unsigned>(tick_ >> shift) & (kSlots - 1);
    while (true) {
      const std::uint64_t ahead = levels_[level].occupied & ~((std::uint64_t{2} << digit) - 1);
      if (ahead == 0) break;
      const auto slot = static_cast<unsigned>(std::countr_zero(ahead));
      if (levels_[level].slots[slot] != nullptr) {
        const std::uint64_t above = tick_ >> (shift + kBits) << (shift + kBits);
        next_ = {above | (std::uint64_t{slot} << shift), level, slot};
        return true;
      }
      levels_[level].occupied &= ~(std::uint64_t{1} << slot);
    }
  }
  return false;
}

const TimerWheel::Stop* TimerWheel::find_next() {
  if (!next_known_ || head_at(next_) == nullptr) next_known_ = look_for_next();
  return next_known_ ? &next_ : nullptr;
}

void TimerWheel::handle(const Stop& stop, Instant now) {
  tick_ = stop.tick;
  levels_[stop.level].occupied &= ~(std::uint64_t{1} << stop.slot);
  Timer* due = std::exchange(head_at(stop), nullptr);
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
  while (tick_ < target) {
    const Stop* stop = find_next();
    if (stop == nullptr || stop->tick > target) break;
    handle(Stop(*stop), now);
  }
  tick_ = std::max(tick_, target);
}

Instant TimerWheel::next() {
  const Stop* stop = find_next();
  return stop != nullptr ? start_ + static_cast<std::int64_t>(stop->tick) * kTick : kNever;
}

}  // namespace rt
