#include "config/units.h"

#include <fmt/format.h>

#include <limits>

#include "base/text.h"

namespace config {

namespace {

// Timers are 31 bits wide in every unit, as the manual's messages promise (about 24.8 days in ms).
constexpr std::uint64_t kLargestTimer = 2147483647;

constexpr std::uint64_t kMicros[] = {1, 1000, 1000000, 60000000, 3600000000, 86400000000};

std::string_view unit_name(TimeUnit unit) {
  constexpr std::string_view kNames[] = {"us", "ms", "s", "m", "h", "d"};
  return kNames[static_cast<int>(unit)];
}

// Digits at the start of `text`, removed from it; nothing when there are none or too many.
bool take_number(std::string_view& text, std::uint64_t& value, bool& overflow) {
  std::size_t n = 0;
  value = 0;
  overflow = false;
  for (; n < text.size() && base::is_digit(text[n]); ++n) {
    const auto digit = static_cast<std::uint64_t>(text[n] - '0');
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10)
      overflow = true;
    else
      value = value * 10 + digit;
  }
  text.remove_prefix(n);
  return n != 0;
}

bool take_unit(std::string_view& text, TimeUnit& unit) {
  if (text.starts_with("us")) {
    unit = TimeUnit::us;
    text.remove_prefix(2);
  } else if (text.starts_with("ms")) {
    unit = TimeUnit::ms;
    text.remove_prefix(2);
  } else {
    switch (text.front()) {
      case 's':
        unit = TimeUnit::s;
        break;
      case 'm':
        unit = TimeUnit::m;
        break;
      case 'h':
        unit = TimeUnit::h;
        break;
      case 'd':
        unit = TimeUnit::d;
        break;
      default:
        return false;
    }
    text.remove_prefix(1);
  }
  return true;
}

}  // namespace

base::Result<std::int64_t> parse_time(std::string_view text, TimeUnit bare, TimeUnit to) {
  const std::string_view whole = text;
  std::uint64_t number = 0;
  bool overflow = false;
  if (whole.empty()) return base::fail(std::string("a time is missing"));
  if (!take_number(text, number, overflow))
    return base::fail(fmt::format("unexpected character '{}'", text.front()));
  TimeUnit unit = bare;
  if (!text.empty() && (!take_unit(text, unit) || !text.empty()))
    return base::fail(fmt::format("unexpected character '{}'", text.front()));
  const std::uint64_t from = kMicros[static_cast<int>(unit)];
  const std::uint64_t step = kMicros[static_cast<int>(to)];
  overflow = overflow || number > (std::numeric_limits<std::uint64_t>::max() - step) / from;
  const std::uint64_t value = overflow ? 0 : (number * from + step - 1) / step;
  if (overflow || value > kLargestTimer)
    return base::fail(fmt::format("timer overflow in argument '{}' (maximum value is {} {}{})",
                                  whole, kLargestTimer, unit_name(to),
                                  to == TimeUnit::ms ? " or ~24.8 days" : ""));
  return static_cast<std::int64_t>(value);
}

base::Result<std::uint64_t> parse_size(std::string_view text) {
  const std::string_view whole = text;
  std::uint64_t number = 0;
  bool overflow = false;
  if (!take_number(text, number, overflow))
    return base::fail(fmt::format("unexpected '{}' after size", whole));
  unsigned shift = 0;
  if (!text.empty()) {
    switch (base::lower(text.front())) {
      case 'k':
        shift = 10;
        break;
      case 'm':
        shift = 20;
        break;
      case 'g':
        shift = 30;
        break;
      default:
        return base::fail(fmt::format("unexpected '{}' after size", text));
    }
    text.remove_prefix(1);
    if (!text.empty()) return base::fail(fmt::format("unexpected '{}' after size", text));
  }
  if (overflow || number > (std::numeric_limits<std::uint64_t>::max() >> shift))
    return base::fail(fmt::format("size '{}' is too large", whole));
  return number << shift;
}

}  // namespace config
