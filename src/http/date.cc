#include "http/date.h"

#include <cstring>

#include "base/text.h"

namespace http {

namespace {

constexpr std::string_view kDays = "ThuFriSatSunMonTueWed";  // 1970-01-01 was a Thursday
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr std::int64_t kDay = 86400;

void two_digits(char* out, unsigned n) {
  out[0] = static_cast<char>('0' + n / 10);
  out[1] = static_cast<char>('0' + n % 10);
}

// Takes a number of up to `digits` digits, or a word, from the front; moves on.
std::optional<unsigned> take_number(std::string_view& s, std::size_t digits) {
  std::size_t n = 0;
  while (n < digits && n < s.size() && base::is_digit(s[n])) ++n;
  auto value = base::parse_int<unsigned>(s.substr(0, n));
  s.remove_prefix(n);
  return value;
}

bool take(std::string_view& s, char c) {
  if (s.empty() || s.front() != c) return false;
  s.remove_prefix(1);
  return true;
}

std::optional<unsigned> take_month(std::string_view& s) {
  if (s.size() < 3) return std::nullopt;
  for (unsigned m = 0; m < 12; ++m)
    if (base::iequals(kMonths.substr(m * 3, 3), s.substr(0, 3))) {
      s.remove_prefix(3);
      return m + 1;
    }
  return std::nullopt;
}

std::optional<std::int64_t> take_time(std::string_view& s) {
  auto hour = take_number(s, 2);
  if (!hour || !take(s, ':')) return std::nullopt;
  auto minute = take_number(s, 2);
  if (!minute || !take(s, ':')) return std::nullopt;
  auto second = take_number(s, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return *hour * 3600 + *minute * 60 + *second;
}

std::optional<std::int64_t> assemble(std::int64_t year, unsigned month, unsigned day,
                                     std::int64_t time) {
  if (day == 0 || day > 31) return std::nullopt;
  return days_from_civil(year, month, day) * kDay + time;
}

// "Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(std::string_view s) {
  auto month = take_month(s);
  while (take(s, ' ')) {
  }
  auto day = take_number(s, 2);
  if (!month || !day || !take(s, ' ')) return std::nullopt;
  auto time = take_time(s);
  if (!time || !take(s, ' ')) return std::nullopt;
  auto year = take_number(s, 4);
  if (!year || !s.empty()) return std::nullopt;
  return assemble(*year, *month, *day, *time);
}

}  // namespace

// Howard Hinnant's algorithms on the proleptic Gregorian calendar.
std::int64_t days_from_civil(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2;
  std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  auto yoe = static_cast<unsigned>(year - era * 400);
  unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

Civil civil_from_days(std::int64_t days) {
  days += 719468;
  std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  auto doe = static_cast<unsigned>(days - era * 146097);
  unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  unsigned mp = (5 * doy + 2) / 153;
  unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2), month,
          doy - (153 * mp + 2) / 5 + 1};
}

void write_date(std::int64_t unix_seconds, std::span<char, kDateSize> out) {
  std::int64_t days = unix_seconds / kDay - (unix_seconds % kDay < 0);
  auto second = static_cast<unsigned>(unix_seconds - days * kDay);
  Civil c = civil_from_days(days);
  std::memcpy(out.data(), "Thu, 01 Jan 1970 00:00:00 GMT", kDateSize);
  std::memcpy(out.data(), kDays.data() + ((days % 7 + 7) % 7) * 3, 3);
  two_digits(out.data() + 5, c.day);
  std::memcpy(out.data() + 8, kMonths.data() + (c.month - 1) * 3, 3);
  auto year = static_cast<unsigned>(c.year);
  two_digits(out.data() + 12, year / 100 % 100);
  two_digits(out.data() + 14, year % 100);
  two_digits(out.data() + 17, second / 3600);
  two_digits(out.data() + 20, second / 60 % 60);
  two_digits(out.data() + 23, second % 60);
}

std::string_view date_text(std::int64_t unix_seconds) {
  thread_local std::int64_t cached = -1;
  thread_local char text[kDateSize];
  if (cached != unix_seconds) {
    write_date(unix_seconds, text);
    cached = unix_seconds;
  }
  return {text, kDateSize};
}

std::optional<std::int64_t> parse_date(std::string_view s) {
  while (!s.empty() && base::is_alpha(s.front()))
    s.remove_prefix(1);  // the day's name says nothing
  if (take(s, ' ')) return parse_asctime(s);
  if (!take(s, ',') || !take(s, ' ')) return std::nullopt;
  auto day = take_number(s, 2);
  bool rfc850 = take(s, '-');
  if (!day || (!rfc850 && !take(s, ' '))) return std::nullopt;
  auto month = take_month(s);
  if (!month || !take(s, rfc850 ? '-' : ' ')) return std::nullopt;
  auto year = take_number(s, 4);
  if (!year || !take(s, ' ')) return std::nullopt;
  auto time = take_time(s);
  if (!time || s != " GMT") return std::nullopt;
  if (rfc850 && *year < 100) *year += *year < 70 ? 2000 : 1900;
  return assemble(*year, *month, *day, *time);
}

}  // namespace http
