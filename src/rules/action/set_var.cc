// set-var, set-var-fmt, unset-var (manual sections 2.8 and 4.4).
#include <fmt/format.h>

#include "expr/variables.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

// Conditions behind the name: all must hold for the variable to be set.
enum Only : std::uint16_t {
  kIfExists = 1,
  kIfNotExists = 2,
  kIfEmpty = 4,
  kIfNotEmpty = 8,
  kIfSet = 16,
  kIfNotSet = 32,
  kIfGreater = 64,
  kIfLess = 128,
};
std::uint16_t condition_bit(std::string_view word) {
  static constexpr std::pair<std::string_view, std::uint16_t> kWords[] = {
      {"ifexists", kIfExists}, {"ifnotexists", kIfNotExists},
      {"ifempty", kIfEmpty},   {"ifnotempty", kIfNotEmpty},
      {"ifset", kIfSet},       {"ifnotset", kIfNotSet},
      {"ifgt", kIfGreater},    {"iflt", kIfLess}};
  for (auto [name, bit] : kWords)
    if (word == name) return bit;
  return 0;
}

bool is_empty(const expr::Value& value) {
  return (value.type == expr::Type::string || value.type == expr::Type::binary) &&
         value.text.empty();
}

class SetVar : public Action {
 public:
  SetVar(state::VariableName name, std::uint16_t only) : name_(name), only_(only) {}
  std::unique_ptr<expr::Expression> expression;
  std::unique_ptr<expr::LogFormat> format;

  Verdict run(expr::Context& context) override {
    expr::Value value;
    if (format != nullptr)
      value = expr::Value::str(format->text(context));
    else if (!expression->evaluate(context, value))
      return Verdict::next;
    if (only_ == 0 || allowed(context, value)) expr::set_variable(context, name_, value);
    return Verdict::next;
  }

 private:
  // As the converter of the name (manual section 7.3.1, "set-var"). Process variables always exist.
  bool allowed(expr::Context& context, const expr::Value& value) const {
    expr::Value old;
    bool set = expr::get_variable(context, name_, old);
    bool exists = set || name_.scope == state::Scope::process;
    if ((only_ & kIfExists) && !exists) return false;
    if ((only_ & kIfNotExists) && exists) return false;
    if ((only_ & kIfSet) && !set) return false;
    if ((only_ & kIfNotSet) && set) return false;
    if ((only_ & kIfEmpty) && !is_empty(value)) return false;
    if ((only_ & kIfNotEmpty) && is_empty(value)) return false;
    if (!set || old.type != expr::Type::integer || value.type != expr::Type::integer) return true;
    if ((only_ & kIfGreater) && old.integer <= value.integer) return false;
    return !((only_ & kIfLess) && old.integer >= value.integer);
  }

  state::VariableName name_;
  std::uint16_t only_;
};

class UnsetVar : public Action {
 public:
  explicit UnsetVar(state::VariableName name) : name_(name) {}
  Verdict run(expr::Context& context) override {
    expr::unset_variable(context, name_);
    return Verdict::next;
  }

 private:
  state::VariableName name_;
};

bool scope_exists(Place place, state::Scope scope) {
  if (place & (kTcpConnection | kTcpSession))
    return scope == state::Scope::process || scope == state::Scope::session;
  return scope != state::Scope::check;
}

// The name at the front of "name,cond,…", which is left with the conditions.
std::optional<state::VariableName> parse_name(Reader& in, std::string_view& inside) {
  auto text = in.inside();
  if (!text) return std::nullopt;
  inside = *text;
  std::size_t comma = std::min(inside.find(','), inside.size());
  std::string_view written = inside.substr(0, comma);
  inside.remove_prefix(std::min(comma + 1, inside.size()));
  auto name = state::parse_variable(written);
  if (!name) {
    in.fail_at_previous(fmt::format(
        "invalid variable name '{}'. A variable name must start with its scope. The scope can be "
        "'proc', 'sess', 'txn', 'req', 'res' or 'check'",
        written));
    return std::nullopt;
  }
  if (!scope_exists(in.context().place, name->scope)) {
    in.fail_at_previous(fmt::format("variable '{}' cannot be had here", written),
                        "only the scopes 'proc' and 'sess' can");
    return std::nullopt;
  }
  return name;
}

Made parse_set(config::Arguments& args, ParseContext& context, std::string_view word,
               const ActionRow& row) {
  Reader in(args, context, word);
  std::string_view conditions;
  auto name = parse_name(in, conditions);
  if (!name) return nullptr;
  std::uint16_t only = 0;
  while (!conditions.empty()) {
    std::size_t comma = std::min(conditions.find(','), conditions.size());
    std::string_view one = base::trim(conditions.substr(0, comma));
    conditions.remove_prefix(std::min(comma + 1, conditions.size()));
    std::uint16_t bit = condition_bit(one);
    if (bit == 0)
      return in.fail_at_previous(
          fmt::format("unknown condition \"{}\"", one),
          "known ones are ifexists, ifnotexists, ifempty, ifnotempty, ifset, "
          "ifnotset, ifgt and iflt");
    only |= bit;
  }
  auto made = std::make_unique<SetVar>(*name, only);
  if (row.name == "set-var-fmt") {
    made->format = in.format("expects a format", expr::FormatUse::raw);
    if (made->format == nullptr) return nullptr;
  } else {
    made->expression = in.expression();
    if (made->expression == nullptr) return nullptr;
  }
  return made;
}

Made parse_unset(config::Arguments& args, ParseContext& context, std::string_view word,
                 const ActionRow&) {
  Reader in(args, context, word);
  std::string_view rest;
  auto name = parse_name(in, rest);
  if (!name) return nullptr;
  return std::make_unique<UnsetVar>(*name);
}

constexpr std::uint16_t kAll = kTcpConnection | kTcpSession | kTcpRequestContent |
                               kTcpResponseContent | kHttpRequest | kHttpResponse |
                               kHttpAfterResponse;
// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-var", "(<var-name>[,<cond>...]) <expr>", "Sets a variable to a sample."},
     kAll, parse_set, true},
    {{"set-var-fmt", "(<var-name>[,<cond>...]) <fmt>", "Sets a variable to a formatted text."},
     kAll, parse_set, true},
    {{"unset-var", "(<var-name>)", "Forgets a variable."}, kAll, parse_unset, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_var_rows() { return kRows; }

}  // namespace rules::action
