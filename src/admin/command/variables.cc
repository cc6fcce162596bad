// get var, set var: process-wide variables.
#include <fmt/format.h>

#include <mutex>

#include "admin/command/families.h"
#include "expr/expression.h"
#include "expr/log_format.h"
#include "state/registry.h"
#include "state/variable_limits.h"

namespace admin {
namespace {

void get_var(Call& call) {
  if (call.args.empty()) return call.error("Missing process-wide variable identifier.");
  auto name = state::parse_variable(call.arg(0));
  if (!name || name->scope != state::Scope::process) return call.error("Variable not found.");
  base::Arena arena;
  state::Value value;
  {
    std::shared_lock lock(call.env.registry.variables_mutex());
    const state::OwnedValue* found = call.env.registry.variables().get(name->id);
    if (found == nullptr) return call.error("Variable not found.");
    value = found->view();
    value.text = arena.copy(value.text);
  }
  std::string_view type = state::name_of(value.type);
  state::Value text = value;
  if (!expr::cast(text, state::Type::string, arena)) text = state::Value::str("");
  call.print(fmt::format("{}: type={} value=<{}>\n", call.arg(0), type, text.text));
}

void store(Call& call, const state::VariableName& name, const state::Value& value) {
  std::unique_lock lock(call.env.registry.variables_mutex());
  if (!state::set_within_limits(name, value, call.env.registry.variables(), {}))
    call.error("The variables would take more than tune.vars.*-max-size allows.");
}

// set var <name> <expression>, … expr <expression>, … fmt <format>
void set_var(Call& call) {
  if (call.args.empty()) return call.error("Missing process-wide variable identifier.");
  auto name = state::parse_variable(call.arg(0));
  if (!name || name->scope != state::Scope::process)
    return call.error(fmt::format(
        "'set var': cannot set variable '{}', only scope 'proc' is permitted here.", call.arg(0)));
  bool format = call.arg(1) == "fmt";
  std::size_t at = format || call.arg(1) == "expr" ? 2 : 1;
  if (call.args.size() <= at) return call.error("Missing expression.");
  config::Diagnostics diagnostics;
  std::vector<std::function<void()>> deferred;
  expr::ParseContext parse{call.env.expressions, call.env.registry, call.env.patterns, diagnostics,
                           deferred};
  parse.available = expr::kInternal | expr::kCli;
  parse.place = "command line";
  base::Arena arena;
  expr::Context context{call.env.registry, arena};
  if (format) {
    auto compiled = expr::LogFormat::parse(call.arg(at), parse, {});
    if (!compiled)
      return call.error(diagnostics.messages().empty() ? "invalid format"
                                                       : diagnostics.messages()[0].text);
    for (const auto& resolve : deferred) resolve();
    if (!diagnostics.messages().empty()) return call.error(diagnostics.messages()[0].text);
    return store(call, *name, state::Value::str(compiled->text(context)));
  }
  auto compiled = expr::Expression::parse(call.arg(at), parse, {});
  if (!compiled) return call.error(compiled.error());
  for (const auto& resolve : deferred) resolve();
  if (!diagnostics.messages().empty()) return call.error(diagnostics.messages()[0].text);
  state::Value value;
  if (!(*compiled)->evaluate(context, value))
    return call.error("Expression could not be evaluated.");
  store(call, *name, value);
}

constexpr Command kCommands[] = {
    {{"get var", "<name>", "print a process-wide variable"}, Access::user, get_var},
    {{"set var", "<name> [fmt|expr] {<format>|<expr>}", "set a process-wide variable"},
     Access::user,
     set_var,
     kExperimental},
};

}  // namespace

std::span<const Command> variable_commands() { return kCommands; }

}  // namespace admin
