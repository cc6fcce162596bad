// Dates as numbers and as texts (manual section 7.3.1).
#include "http/date.h"

#include <fmt/format.h>

#include <ctime>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

// What the reference keeps of a number of seconds.
constexpr std::int64_t kSeconds = (std::int64_t{1} << 55) - 1;

bool http_date(Args args, Context& context, Value& value, const ConverterRow&) {
  const std::int64_t per_second = args[1].integer();
  const std::int64_t at = value.integer + args[0].integer();
  const auto seconds = static_cast<std::time_t>(at / per_second & kSeconds);
  std::tm parts;
  if (gmtime_r(&seconds, &parts) == nullptr) return false;
  char out[64];
  char* end = out + std::strftime(out, sizeof out, "%a, %d %b %Y %H:%M:%S", &parts);
  // Units below a second follow as a number, as the reference has it, not as a fraction.
  if (per_second > 1) end = fmt::format_to(end, ".{}", at % per_second);
  end = fmt::format_to(end, " GMT");
  return give_text(value, context.arena.copy({out, static_cast<std::size_t>(end - out)}));
}

bool check_http_date(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                     std::string& error) {
  std::int64_t per_second = 1;
  if (has(args, 1)) {
    const std::string& unit = args[1].text();
    per_second = unit == "s" ? 1 : unit == "ms" ? 1000 : unit == "us" ? 1000000 : 0;
    if (per_second == 0) {
      error = fmt::format("expects 's', 'ms' or 'us', got '{}'", unit);
      return false;
    }
  }
  std::int64_t offset = integer_or(args, 0, 0);
  args.resize(2);
  args[0].value = offset;
  args[1].value = per_second;
  return true;
}

bool parse_date(Args, Context&, Value& value, const ConverterRow&) {
  auto seconds = http::parse_date(value.text);
  return seconds && give(value, *seconds);
}

// Replaces %N, %3N and the like by the digits of the fraction: strftime() does not know them.
const char* with_fraction(std::string_view format, std::int64_t nanoseconds, base::Arena& arena) {
  char buffer[24];
  char* end = fmt::format_to(buffer, "{:09}", static_cast<std::uint64_t>(nanoseconds));
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  GrowingText out(arena, format.size() + 16);
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out.add(format[i]);
      continue;
    }
    std::size_t at = i + 1;
    std::size_t width = 0;
    for (; at + 1 < format.size() && base::is_digit(format[at]) && at < i + 4; ++at)
      width = width * 10 + static_cast<std::size_t>(format[at] - '0');
    if (at == i + 1) width = 9;
    if (format[at] == 'N') {
      out.add(digits.substr(0, std::min<std::size_t>(width, 9)));
      i = at;
    } else {
      out.add('%').add(format[++i]);
    }
  }
  return out.add('\0').view().data();
}

template <std::int64_t kPerSecond, bool kLocal>
bool format_time(Args args, Context& context, Value& value, const ConverterRow&) {
  std::int64_t at = value.integer;
  const std::int64_t whole = kPerSecond == 1 ? at & kSeconds : at / kPerSecond;
  const auto seconds = static_cast<std::time_t>(whole + integer_or(args, 1, 0));
  std::tm parts;
  if ((kLocal ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)) == nullptr)
    return false;
  char out[1024];
  std::size_t size;
  if constexpr (kPerSecond == 1) {
    size = std::strftime(out, sizeof out, args[0].text().c_str(), &parts);
  } else {
    const char* format =
        with_fraction(args[0].text(), at % kPerSecond * (1000000000 / kPerSecond), context.arena);
    size = std::strftime(out, sizeof out, format, &parts);
  }
  return give_text(value, context.arena.copy({out, size}));
}

constexpr ConverterRow kRows[] = {
    {{"date", "", "The seconds since the epoch of an HTTP date."},
     Type::string,
     Type::integer,
     parse_date},
    {{"http_date", "[is", "A date since the epoch as HTTP headers write it."},
     Type::integer,
     Type::string,
     http_date,
     check_http_date},
    {{"ltime", "s[i", "Seconds since the epoch as local time in a format of strftime(3)."},
     Type::integer,
     Type::string,
     format_time<1, true>},
    {{"ms_ltime", "s[i", "Milliseconds since the epoch as local time, also with %N."},
     Type::integer,
     Type::string,
     format_time<1000, true>},
    {{"ms_utime", "s[i", "Milliseconds since the epoch as UTC, also with %N."},
     Type::integer,
     Type::string,
     format_time<1000, false>},
    {{"us_ltime", "s[i", "Microseconds since the epoch as local time, also with %N."},
     Type::integer,
     Type::string,
     format_time<1000000, true>},
    {{"us_utime", "s[i", "Microseconds since the epoch as UTC, also with %N."},
     Type::integer,
     Type::string,
     format_time<1000000, false>},
    {{"utime", "s[i", "Seconds since the epoch as UTC in a format of strftime(3)."},
     Type::integer,
     Type::string,
     format_time<1, false>},
};

}  // namespace

std::span<const ConverterRow> date_converters() { return kRows; }

}  // namespace expr::converter
