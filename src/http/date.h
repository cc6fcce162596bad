// HTTP dates (RFC 9110 section 5.6.7): written once a second for each thread, read in all three
// forms.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace http {

inline constexpr std::size_t kDateSize = 29;  // "Sun, 06 Nov 1994 08:49:37 GMT"

// IMF-fixdate of `unix_seconds`. The text is cached for the thread and holds until its next call.
std::string_view date_text(std::int64_t unix_seconds);
void write_date(std::int64_t unix_seconds, std::span<char, kDateSize> out);
// IMF-fixdate, RFC 850 and asctime forms; nothing when it is none of them.
std::optional<std::int64_t> parse_date(std::string_view text);

// Days since 1970-01-01 of a date of the Gregorian calendar, and back.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day);
struct Civil {
  std::int64_t year;
  unsigned month, day;
};
Civil civil_from_days(std::int64_t days);

}  // namespace http
