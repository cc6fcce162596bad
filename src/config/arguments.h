// The words of one line, walked from left to right by whoever parses it. Parse functions take what
// they know and report what they do not; the caller reports words nobody took.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/source.h"
#include "config/units.h"

namespace config {

class Arguments {
 public:
  Arguments(const Line& line, Diagnostics& diagnostics, std::size_t first = 1)
      : line_(line), diagnostics_(diagnostics), next_(first) {}

  const Line& line() const { return line_; }
  Diagnostics& diagnostics() { return diagnostics_; }
  bool done() const { return next_ >= line_.size(); }
  std::size_t index() const { return next_; }  // of the next word in the line
  void seek(std::size_t index) { next_ = index; }
  std::string_view peek(std::size_t ahead = 0) const { return line_[next_ + ahead]; }
  std::string_view next() {
    return done() ? std::string_view() : std::string_view(line_.words[next_++].text);
  }
  bool accept(std::string_view word) {  // takes the word when it is next
    if (peek() != word || done()) return false;
    ++next_;
    return true;
  }
  Position here() const { return line_.at(next_); }
  Position previous() const { return line_.at(next_ == 0 ? 0 : next_ - 1); }

  // Take the next word as a value; on failure they report ("'maxconn' expects a number …") and
  // return nothing. `what` names the keyword.
  std::optional<std::string_view> text(std::string_view what);
  std::optional<std::int64_t> number(std::string_view what, std::int64_t low, std::int64_t high);
  // Milliseconds unless a unit is written (us ms s m h d), as the manual's section 2.5.
  std::optional<std::int64_t> time_ms(std::string_view what, TimeUnit unit = TimeUnit::ms);
  std::optional<std::uint64_t> size(std::string_view what);  // k m g

  // Reports at the next word (or the end of the line) and returns false, to be returned.
  bool error(std::string text, std::string hint = {});
  bool error_at_previous(std::string text, std::string hint = {});
  // Reports what follows as unexpected; true when the line is used up.
  bool expect_end();

 private:
  const Line& line_;
  Diagnostics& diagnostics_;
  std::size_t next_;
};

}  // namespace config
