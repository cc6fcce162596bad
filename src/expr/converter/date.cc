// Dates as numbers and as texts (manual section 7.3.1).
#include "http/date.h"

#include <fmt/format.h>

#include <ctime>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

bool http_date(Args args, Context& context, Value& value, const ConverterRow&) {
  std::int64_t per_second = args[1].integer();
  std::int64_t at = value.integer + args[0].integer();
  Text out(context.arena, http::kDateSize + 8);
  std::string_view text = http::date_text(at / per_second);
  out.add(text.substr(0, text.size() - 4));
  // Units below a second show as a fraction.
  if (per_second > 1) {
    out.add('.');
    for (std::int64_t unit = per_second / 10; unit > 0; unit /= 10)
      out.add(static_cast<char>('0' + at / unit % 10));
  }
  out.add(" GMT");
  return give_text(value, out.view());
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
  char* end = fmt::format_to(buffer, "{:09}", nanoseconds);
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
  auto seconds = static_cast<std::time_t>(at / kPerSecond + integer_or(args, 1, 0));
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
