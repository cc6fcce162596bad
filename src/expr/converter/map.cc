// Look-ups in maps: map, map_<match>, map_<match>_<output> (manual section 7.3.1).
#include <fmt/format.h>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"
#include "expr/match.h"
#include "expr/regex.h"

namespace expr::converter {
namespace {

enum class Output : std::uint8_t { text, integer, address, key };

struct Map {
  std::shared_ptr<PatternIndex> index;
};

// Back references of map_regm, "\1", replaced by what the groups matched.
std::string_view with_groups(const MatchResult& found, base::Arena& arena) {
  GrowingText out(arena);
  std::string_view text = found.value;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool reference = text[i] == '\\' && i + 1 < text.size() && base::is_digit(text[i + 1]);
    if (!reference) {
      out.add(text[i]);
      continue;
    }
    auto n = static_cast<std::size_t>(text[++i] - '0');
    out.add(found.groups[n]);
  }
  return out.view();
}

bool give_as(Output output, std::string_view text, Value& value) {
  switch (output) {
    case Output::text:
    case Output::key:
      return give_text(value, text);
    case Output::integer: {
      auto n = base::parse_int<std::int64_t>(text);
      return n && give(value, *n);
    }
    case Output::address:
      value = Value::of(net::Ip::parse(text));
      return static_cast<bool>(value);
  }
  return false;
}

template <MatchMethod kMethod, Output kOutput>
bool look_up(Args args, Context& context, Value& value, const ConverterRow&) {
  MatchResult found;
  if (args[0].object<Map>()->index->match(value, context.arena, &found)) {
    if constexpr (kMethod == MatchMethod::regex_multi)
      return give_text(value, with_groups(found, context.arena));
    return give_as(kOutput, kOutput == Output::key ? found.key : found.value, value);
  }
  if (!has(args, 1)) return false;
  if constexpr (kOutput == Output::integer) return give(value, args[1].integer());
  if constexpr (kOutput == Output::address) return value = Value::of(args[1].ip()), true;
  return give_text(value, args[1].text());
}

template <MatchMethod kMethod, Output kOutput>
bool check_map(std::vector<Argument>& args, ParseContext& context, const config::Keyword&,
               std::string& error) {
  auto set = context.patterns.open(args[0].text(), true);
  if (!set) {
    error = set.error();
    return false;
  }
  IndexOptions options;
  options.method = kMethod;
  options.value = kOutput == Output::integer   ? Type::integer
                  : kOutput == Output::address ? Type::address
                                               : Type::string;
  auto index = PatternIndex::build(**set, options);
  if (!index) {
    error = index.error();
    return false;
  }
  args[0].value = std::static_pointer_cast<void>(std::make_shared<Map>(Map{*index}));
  if (kOutput == Output::address && args.size() > 1) {
    net::Ip ip = net::Ip::parse(args[1].text());
    if (ip.family == 0) {
      error = fmt::format("map: cannot parse default ip <{}>.", args[1].text());
      return false;
    }
    args[1].value = ip;
  }
  return true;
}

template <MatchMethod kMethod, Output kOutput>
constexpr ConverterRow row(std::string_view name) {
  Type in = kMethod == MatchMethod::integer ? Type::integer
            : kMethod == MatchMethod::ip    ? Type::address
                                            : Type::string;
  Type out = kOutput == Output::integer   ? Type::integer
             : kOutput == Output::address ? Type::address
                                          : Type::string;
  std::string_view arguments = kOutput == Output::key       ? "s"
                               : kOutput == Output::integer ? "s[i"
                                                            : "s[s";
  return {{name, arguments, "Looks the sample up in a map."},
          in,
          out,
          look_up<kMethod, kOutput>,
          check_map<kMethod, kOutput>};
}

using M = MatchMethod;
using O = Output;
constexpr ConverterRow kRows[] = {
    row<M::string, O::text>("map"),
    row<M::prefix, O::text>("map_beg"),
    row<M::prefix, O::integer>("map_beg_int"),
    row<M::prefix, O::address>("map_beg_ip"),
    row<M::prefix, O::key>("map_beg_key"),
    row<M::directory, O::text>("map_dir"),
    row<M::directory, O::integer>("map_dir_int"),
    row<M::directory, O::address>("map_dir_ip"),
    row<M::directory, O::key>("map_dir_key"),
    row<M::domain, O::text>("map_dom"),
    row<M::domain, O::integer>("map_dom_int"),
    row<M::domain, O::address>("map_dom_ip"),
    row<M::domain, O::key>("map_dom_key"),
    row<M::suffix, O::text>("map_end"),
    row<M::suffix, O::integer>("map_end_int"),
    row<M::suffix, O::address>("map_end_ip"),
    row<M::suffix, O::key>("map_end_key"),
    row<M::integer, O::text>("map_int"),
    row<M::integer, O::integer>("map_int_int"),
    row<M::integer, O::address>("map_int_ip"),
    row<M::integer, O::key>("map_int_key"),
    row<M::ip, O::text>("map_ip"),
    row<M::ip, O::integer>("map_ip_int"),
    row<M::ip, O::address>("map_ip_ip"),
    row<M::ip, O::key>("map_ip_key"),
    row<M::regex, O::text>("map_reg"),
    row<M::regex, O::integer>("map_reg_int"),
    row<M::regex, O::address>("map_reg_ip"),
    row<M::regex, O::key>("map_reg_key"),
    row<M::regex_multi, O::text>("map_regm"),
    row<M::string, O::text>("map_str"),
    row<M::string, O::integer>("map_str_int"),
    row<M::string, O::address>("map_str_ip"),
    row<M::string, O::key>("map_str_key"),
    row<M::substring, O::text>("map_sub"),
    row<M::substring, O::integer>("map_sub_int"),
    row<M::substring, O::address>("map_sub_ip"),
    row<M::substring, O::key>("map_sub_key"),
};

}  // namespace

std::span<const ConverterRow> map_converters() { return kRows; }

}  // namespace expr::converter
