// Arithmetic and logic on numbers (manual section 7.3.1). Results saturate, they never wrap.
#include <arpa/inet.h>

#include <limits>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

using Limits = std::numeric_limits<std::int64_t>;

std::int64_t saturated(bool negative) { return negative ? Limits::min() : Limits::max(); }

std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  return __builtin_add_overflow(a, b, &sum) ? saturated(a < 0) : sum;
}
std::int64_t subtract(std::int64_t a, std::int64_t b) {
  std::int64_t difference;
  return __builtin_sub_overflow(a, b, &difference) ? saturated(a < 0) : difference;
}
std::int64_t multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product;
  return __builtin_mul_overflow(a, b, &product) ? saturated((a < 0) != (b < 0)) : product;
}
std::int64_t divide(std::int64_t a, std::int64_t b) {
  if (b == 0) return Limits::max();
  return a == Limits::min() && b == -1 ? Limits::max() : a / b;
}
std::int64_t modulo(std::int64_t a, std::int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
std::int64_t both(std::int64_t a, std::int64_t b) { return a & b; }
std::int64_t either(std::int64_t a, std::int64_t b) { return a | b; }
std::int64_t differ(std::int64_t a, std::int64_t b) { return a ^ b; }

template <std::int64_t (*kOperation)(std::int64_t, std::int64_t)>
bool binary(Args args, Context& context, Value& value, const ConverterRow&) {
  std::int64_t operand;
  if (!number_of(args[0], context, operand)) return false;
  return give(value, kOperation(value.integer, operand));
}

bool complement(Args, Context&, Value& value, const ConverterRow&) {
  return give(value, ~value.integer);
}
bool negate(Args, Context&, Value& value, const ConverterRow&) {
  return give(value, subtract(0, value.integer));
}
bool truth(Args, Context&, Value& value, const ConverterRow&) {
  return give_bool(value, value.integer != 0);
}
bool opposite(Args, Context&, Value& value, const ConverterRow&) {
  return give_bool(value, value.integer == 0);
}
bool odd(Args, Context&, Value& value, const ConverterRow&) {
  return give_bool(value, (value.integer & 1) != 0);
}
bool even(Args, Context&, Value& value, const ConverterRow&) {
  return give_bool(value, (value.integer & 1) == 0);
}

bool iif(Args args, Context&, Value& value, const ConverterRow&) {
  return give_text(value, args[value.boolean ? 0 : 1].text());
}

bool network_order(Args, Context& context, Value& value, const ConverterRow&) {
  std::uint32_t big = htonl(static_cast<std::uint32_t>(value.integer));
  return give_binary(value, context.arena.copy({reinterpret_cast<const char*>(&big), 4}));
}

constexpr ConverterRow kRows[] = {
    {{"add", "a", "Adds a number or variable."},
     Type::integer,
     Type::integer,
     binary<add>,
     check_number},
    {{"and", "a", "Bitwise and with a number or variable."},
     Type::integer,
     Type::integer,
     binary<both>,
     check_number},
    {{"bool", "", "True unless the number is zero."}, Type::integer, Type::boolean, truth},
    {{"cpl", "", "Flips all bits."}, Type::integer, Type::integer, complement},
    {{"div", "a", "Divides by a number or variable."},
     Type::integer,
     Type::integer,
     binary<divide>,
     check_number},
    {{"even", "", "True when the number is even."}, Type::integer, Type::boolean, even},
    {{"htonl", "", "The low 32 bits as four bytes in network order."},
     Type::integer,
     Type::binary,
     network_order},
    {{"iif", "ss", "The first text when true, else the second."}, Type::boolean, Type::string, iif},
    {{"mod", "a", "The remainder of a division by a number or variable."},
     Type::integer,
     Type::integer,
     binary<modulo>,
     check_number},
    {{"mul", "a", "Multiplies by a number or variable."},
     Type::integer,
     Type::integer,
     binary<multiply>,
     check_number},
    {{"neg", "", "Changes the sign."}, Type::integer, Type::integer, negate},
    {{"not", "", "True when the number is zero."}, Type::integer, Type::boolean, opposite},
    {{"odd", "", "True when the number is odd."}, Type::integer, Type::boolean, odd},
    {{"or", "a", "Bitwise or with a number or variable."},
     Type::integer,
     Type::integer,
     binary<either>,
     check_number},
    {{"sub", "a", "Subtracts a number or variable."},
     Type::integer,
     Type::integer,
     binary<subtract>,
     check_number},
    {{"xor", "a", "Bitwise exclusive or with a number or variable."},
     Type::integer,
     Type::integer,
     binary<differ>,
     check_number},
};

}  // namespace

std::span<const ConverterRow> number_converters() { return kRows; }

}  // namespace expr::converter
