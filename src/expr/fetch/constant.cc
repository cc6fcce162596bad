// Samples that are the same whoever asks: constants, the clock, random numbers (manual
// section 7.3.2).
#include <cstdlib>
#include <ctime>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "expr/random.h"

namespace expr::fetch {
namespace {

bool always_true(Args, Context&, Value& out, const FetchRow&) { return give_bool(out, true); }
bool always_false(Args, Context&, Value& out, const FetchRow&) { return give_bool(out, false); }

bool constant_text(Args args, Context&, Value& out, const FetchRow&) {
  return give_text(out, text_or(args, 0));
}
bool constant_integer(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, args[0].integer());
}
bool constant_bytes(Args args, Context&, Value& out, const FetchRow&) {
  return give_binary(out, text_or(args, 0));
}
bool constant_bool(Args args, Context&, Value& out, const FetchRow&) {
  return give_bool(out, args[0].integer() != 0);
}
bool constant_ip(Args args, Context&, Value& out, const FetchRow&) {
  return give_ip(out, std::get<net::Ip>(args[0].value));
}
bool constant_method(Args args, Context&, Value& out, const FetchRow&) {
  std::string_view name = text_or(args, 0);
  out = Value::of(http::method_of(name), name);
  return true;
}

bool check_bytes(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present()) return true;
  const std::string text = args[0].text();
  std::string bytes;
  if (text.empty() || text.size() % 2 != 0) {
    error = "an even number of hexadecimal digits is expected";
    return false;
  }
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = base::hex_digit(text[i]), low = base::hex_digit(text[i + 1]);
    if (high < 0 || low < 0) {
      error = "'" + text + "' is not a hexadecimal string";
      return false;
    }
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  args[0].value = std::move(bytes);
  return true;
}

bool check_bool(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present()) return true;
  const std::string text = args[0].text();
  bool truth = base::iequals(text, "true") || text == "1";
  if (!truth && !base::iequals(text, "false") && text != "0") {
    error = "only true, false, 1 or 0 are supported, not '" + text + "'";
    return false;
  }
  args[0].value = std::int64_t{truth};
  return true;
}

// Replaces args[at] by the number of units in a second (1, 1000, 1000000).
bool check_unit(std::vector<Argument>& args, std::size_t at, std::string& error) {
  if (args.size() <= at) args.resize(at + 1);
  std::string_view unit = args[at].present() ? std::string_view(args[at].text()) : "s";
  std::int64_t per_second = unit == "s" ? 1 : unit == "ms" ? 1000 : unit == "us" ? 1000000 : 0;
  if (per_second == 0) {
    error = "unit must be 's', 'ms' or 'us', not '" + std::string(unit) + "'";
    return false;
  }
  args[at].value = per_second;
  return true;
}
bool check_date(std::vector<Argument>& args, std::string& error) {
  return check_unit(args, 1, error);
}
bool check_unit_alone(std::vector<Argument>& args, std::string& error) {
  return check_unit(args, 0, error);
}

bool date(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, wall_us() / (1000000 / integer_or(args, 1, 1)) + integer_or(args, 0, 0));
}
bool date_us(Args, Context&, Value& out, const FetchRow&) { return give(out, wall_us() % 1000000); }

bool accept_date(Args args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr) return false;
  return give(out, context.session->accepted_wall_us / (1000000 / integer_or(args, 0, 1)));
}
bool request_date(Args args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr) return false;
  return give(out, context.exchange->times.start_wall_us / (1000000 / integer_or(args, 0, 1)));
}

bool env(Args args, Context& context, Value& out, const FetchRow&) {
  const char* value = std::getenv(args[0].text().c_str());
  if (value == nullptr) return false;
  return give_text(out, context.arena.copy(value));
}

bool rand(Args args, Context&, Value& out, const FetchRow&) {
  std::uint64_t number = random_number() & 0xffffffff;
  std::int64_t range = integer_or(args, 0, 0);
  if (range > 0) number = (number * static_cast<std::uint64_t>(range)) >> 32;
  return give(out, static_cast<std::int64_t>(number));
}
bool check_range(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present()) return true;
  if (args[0].integer() > 0 && args[0].integer() <= 0xffffffff) return true;
  error = "a range between 1 and 4294967295 is expected";
  return false;
}

bool uuid(Args args, Context& context, Value& out, const FetchRow&) {
  return give_text(out, make_uuid(integer_or(args, 0, 4) == 7, context.arena));
}
bool check_uuid(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present()) return true;
  if (args[0].integer() == 4 || args[0].integer() == 7) return true;
  error = "unsupported UUID version " + std::to_string(args[0].integer()) + ", expected 4 or 7";
  return false;
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"always_false", "", "Always false."}, Type::boolean, kAnywhere, always_false},
    {{"always_true", "", "Always true."}, Type::boolean, kAnywhere, always_true},
    {{"bin", "s", "The bytes that the hexadecimal text stands for."},
     Type::binary, kAnywhere, constant_bytes, check_bytes},
    {{"bool", "s", "The given truth value: true, false, 1 or 0."},
     Type::boolean, kAnywhere, constant_bool, check_bool},
    {{"int", "i", "The given number."}, Type::integer, kAnywhere, constant_integer},
    {{"ipv4", "4", "The given IPv4 address."}, Type::ipv4, kAnywhere, constant_ip},
    {{"ipv6", "6", "The given IPv6 address."}, Type::ipv6, kAnywhere, constant_ip},
    {{"meth", "s", "The given HTTP method."}, Type::method, kAnywhere, constant_method},
    {{"str", "s", "The given text."}, Type::string, kAnywhere, constant_text},
    {{"env", "s", "The value of an environment variable."}, Type::string, kAnywhere, env},
    {{"date", "[is", "The present date since the epoch, plus an offset, in a unit (s, ms, us)."},
     Type::integer, kAnywhere, date, check_date},
    {{"date_us", "", "The microseconds within the present second."},
     Type::integer, kAnywhere, date_us},
    {{"accept_date", "[s", "When the connection was accepted, since the epoch (s, ms, us)."},
     Type::integer, kClientL4, accept_date, check_unit_alone},
    {{"request_date", "[s", "When the request's first byte came, since the epoch (s, ms, us)."},
     Type::integer, kTransaction, request_date, check_unit_alone},
    {{"rand", "[i", "A random number from zero up to below the range (2^32 without one)."},
     Type::integer, kAnywhere, rand, check_range},
    {{"uuid", "[i", "A random UUID of version 4 (the default) or 7."},
     Type::string, kAnywhere, uuid, check_uuid},
};
// clang-format on

}  // namespace

std::span<const FetchRow> constant_fetches() { return kRows; }

}  // namespace expr::fetch
