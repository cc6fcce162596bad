#include "config/arguments.h"

#include <fmt/format.h>

#include "base/text.h"

namespace config {

namespace {

// "1ss": the reference takes the time, warns about the rest and announces an error for later.
bool is_time_with_tail(std::string_view word) {
  std::size_t n = 0;
  while (n < word.size() && base::is_digit(word[n])) ++n;
  if (n == 0 || n == word.size()) return false;
  const std::size_t unit =
      word.substr(n).starts_with("us") || word.substr(n).starts_with("ms") ? 2 : 1;
  return word.size() > n + unit && parse_time(word.substr(0, n + unit), TimeUnit::ms, TimeUnit::ms);
}

}  // namespace

std::optional<std::string_view> Arguments::text(std::string_view what) {
  if (!done()) return next();
  error(fmt::format("'{}' expects an argument.", what));
  return std::nullopt;
}

std::optional<std::int64_t> Arguments::number(std::string_view what, std::int64_t low,
                                              std::int64_t high) {
  if (done()) {
    error(fmt::format("'{}' expects an integer argument.", what));
    return std::nullopt;
  }
  std::string_view word = peek();
  if (word.starts_with('+')) word.remove_prefix(1);
  const auto value = base::parse_int<std::int64_t>(word);
  if (!value) {
    error(fmt::format("cannot parse '{}' value '{}', an integer is expected.", what, peek()));
    return std::nullopt;
  }
  if (*value < low || *value > high) {
    error(fmt::format("'{}' value must be between {} and {} (was {})", what, low, high, *value));
    return std::nullopt;
  }
  ++next_;
  return value;
}

std::optional<std::int64_t> Arguments::time_ms(std::string_view what, TimeUnit unit) {
  if (done() || peek().empty()) {
    error(fmt::format("'{}' expects an integer value (in milliseconds)", what));
    return std::nullopt;
  }
  std::string_view word = peek();
  if (is_time_with_tail(word)) {
    std::string_view whole = word;
    while (is_time_with_tail(word)) word.remove_suffix(1);
    diagnostics_.warning(
        here(), fmt::format("unexpected character '{}' after the timer value '{}', only "
                            "(us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d=days) "
                            "are supported.",
                            whole[word.size()], whole));
  }
  const auto value = parse_time(word, unit, TimeUnit::ms);
  if (!value) {
    error(fmt::format("'{}' : {}", what, value.error()));
    return std::nullopt;
  }
  ++next_;
  return *value;
}

std::optional<std::uint64_t> Arguments::size(std::string_view what) {
  if (done()) {
    error(fmt::format("'{}' expects an integer argument.", what));
    return std::nullopt;
  }
  const auto value = parse_size(peek());
  if (!value) {
    error(fmt::format("'{}' : {}", what, value.error()));
    return std::nullopt;
  }
  ++next_;
  return *value;
}

bool Arguments::error(std::string text, std::string hint) {
  diagnostics_.alert(here(), std::move(text), std::move(hint));
  return false;
}

bool Arguments::error_at_previous(std::string text, std::string hint) {
  diagnostics_.alert(previous(), std::move(text), std::move(hint));
  return false;
}

bool Arguments::expect_end() {
  if (done()) return true;
  return error(fmt::format("'{}' cannot handle unexpected argument '{}'.", line_[0], peek()));
}

}  // namespace config
