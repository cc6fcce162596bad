// Fields of a distcc stream (manual section 7.3.5): tokens of four letters and eight hexadecimal
// digits, some followed by that many bytes.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

constexpr std::size_t kToken = 12;

bool has_body(std::string_view name) {
  return name == "ARGV" || name == "DOTI" || name == "DOTO" || name == "SERR" || name == "SOUT";
}

bool find(Args args, Context& context, std::int64_t& number, std::string_view& body, bool whole) {
  txn::Channel* bytes = channel(context, context.direction);
  if (bytes == nullptr || context.exchange->is_http) return false;
  std::string_view data = bytes->data();
  std::int64_t occurrence = integer_or(args, 1, 0);
  for (;;) {
    if (data.size() < kToken) break;
    auto parsed = base::parse_int<std::uint32_t>(data.substr(4, 8), 16);
    if (!parsed) return false;
    std::string_view name = data.substr(0, 4);
    std::size_t size = has_body(name) ? *parsed : 0;
    data.remove_prefix(kToken);
    if (name == args[0].text() && --occurrence <= 0) {
      number = *parsed;
      if (whole && data.size() < size) break;
      body = data.substr(0, size);
      return true;
    }
    if (data.size() < size) break;
    data.remove_prefix(size);
  }
  may_grow(context, *bytes);
  return false;
}

bool parameter(Args args, Context& context, Value& out, const FetchRow&) {
  std::int64_t number = 0;
  std::string_view body;
  return find(args, context, number, body, false) && give(out, number);
}
bool body_of(Args args, Context& context, Value& out, const FetchRow&) {
  std::int64_t number = 0;
  std::string_view body;
  return find(args, context, number, body, true) && give_binary(out, body);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"distcc_body", "s[i", "The bytes behind a token of a distcc stream."},
     Type::binary, kRequestL6 | kResponseL6, body_of},
    {{"distcc_param", "s[i", "The number in a token of a distcc stream."},
     Type::integer, kRequestL6 | kResponseL6, parameter},
};
// clang-format on

}  // namespace

std::span<const FetchRow> distcc_fetches() { return kRows; }

}  // namespace expr::fetch
