// Whether a worker rests a moment before it asks for events, so that one turn finds several of them
// (what network interfaces call interrupt moderation). Turns with one event or two make each of
// them pay for a turn and often for waking the worker, and wake the peers one by one. Where many
// connections are busy at once, each hears little of a rest; where few are, it would hold them up.
// Known to this room only; one a worker, for its thread alone. See docs/decisions/0010.
#pragma once

#include <cstdint>

#include "rt/time.h"

namespace rt {

class Moderation {
 public:
  // Units of 1,024 ns, which begin anew after 73 minutes.
  using Moment = std::uint32_t;

  static constexpr Duration kRest = Duration(50'000);
  // A turn with as many events takes long enough for others to come meanwhile.
  static constexpr int kEnough = 16;

  // A turn begins.
  void turn(Instant now) {
    now_ = static_cast<Moment>(now.time_since_epoch().count() >> kUnit);
    if (now_ - begin_ >= kWindow) judge();
  }
  // An event of a descriptor, which keeps `last` for this.
  void heard(Moment& last) {
    ++events_;
    if (now_ - last < kHurry) ++hurried_;
    last = now_;
  }
  // An event of a listener.
  void heard() { ++events_; }

  bool worthwhile() const { return worthwhile_; }

 private:
  static constexpr int kUnit = 10;  // two to the power of it, in nanoseconds
  static constexpr Moment kRestMoments = kRest.count() >> kUnit;
  static constexpr Moment kWindow = 20 * kRestMoments;
  // Who hears again so soon would notice that it hears later.
  static constexpr Moment kHurry = 6 * kRestMoments;
  static constexpr Moment kFewest = 4;  // events while it rests, to be worth it

  void judge() {
    const Moment rests = (now_ - begin_) / kRestMoments;
    worthwhile_ = events_ / kFewest >= rests && hurried_ <= events_ / 8;
    begin_ = now_;
    events_ = hurried_ = 0;
  }

  Moment now_ = 0;
  Moment begin_ = 0;                 // of the window
  Moment events_ = 0, hurried_ = 0;  // in it
  bool worthwhile_ = false;
};

}  // namespace rt
