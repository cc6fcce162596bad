// Variables as samples (manual sections 2.8 and 7.3.2).
#include <mutex>
#include <shared_mutex>

#include "expr/expression.h"
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "expr/variables.h"

namespace expr::fetch {
namespace {

// The text of a get_variable() result must not dangle when the variable is set again while it is in
// use ("set-var(txn.a) var(txn.a),concat(x)"), so it moves to the arena.
bool var(Args args, Context& context, Value& out, const FetchRow&) {
  if (get_variable(context, std::get<state::VariableName>(args[0].value), out)) {
    out.text = context.arena.copy(out.text);
    return true;
  }
  return has(args, 1) && give_text(out, args[1].text());
}

void append_quoted(std::string& line, std::string_view text) {
  line += '"';
  for (char c : text) {
    switch (c) {
      case '"':
        line += "\\\"";
        break;
      case '\\':
        line += "\\\\";
        break;
      case '\r':
        line += "\\r";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\b':
        line += "\\b";
        break;
      case '\0':
        line += "\\0";
        break;
      default:
        line += c;
    }
  }
  line += '"';
}
void append_value(std::string& line, Value value, base::Arena& arena) {
  static constexpr char kDigits[] = "0123456789abcdef";
  switch (value.type) {
    case Type::string:
      return append_quoted(line, value.text);
    case Type::binary:
      line += 'x';
      for (char c : value.text) {
        line += kDigits[static_cast<unsigned char>(c) >> 4];
        line += kDigits[c & 15];
      }
      return;
    case Type::boolean:
      line += value.boolean ? "true" : "false";
      return;
    case Type::integer:
      line += std::to_string(value.integer);
      return;
    default: {
      bool quoted = value.type == Type::method;
      if (!cast(value, Type::string, arena)) return;
      if (quoted) return append_quoted(line, value.text);
      line += value.text;
    }
  }
}

struct Dump {
  std::string line;
  std::string_view prefix, delimiter;
  base::Arena& arena;

  void add(std::string_view scope, const state::Variables& variables) {
    for (const auto& entry : variables.entries()) {
      std::string_view name = state::variable_text(entry.id);
      if (!name.starts_with(prefix)) continue;
      if (!line.empty()) line += delimiter;
      line.append(scope).append(".").append(name).append("=");
      append_value(line, entry.value.view(), arena);
    }
  }
};

struct ScopeName {
  std::string_view name;
  state::Scope scope;
};
constexpr ScopeName kScopes[] = {{"sess", state::Scope::session},
                                 {"txn", state::Scope::transaction},
                                 {"req", state::Scope::request},
                                 {"res", state::Scope::response},
                                 {"proc", state::Scope::process}};

bool dump_all_vars(Args args, Context& context, Value& out, const FetchRow&) {
  Dump dump{{}, text_or(args, 1), text_or(args, 2, ", "), context.arena};
  std::string_view wanted = text_or(args, 0);
  for (const ScopeName& scope : kScopes) {
    if (!wanted.empty() && wanted != scope.name) continue;
    if (scope.scope == state::Scope::process) {
      std::shared_lock lock(context.registry.variables_mutex());
      dump.add(scope.name, context.registry.variables());
    } else if (state::Variables* variables = variables_of(context, scope.scope)) {
      dump.add(scope.name, *variables);
    }
  }
  return give_text(out, context.arena.copy(dump.line));
}
bool check_scope(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present() || args[0].text().empty()) return true;
  for (const ScopeName& scope : kScopes)
    if (args[0].text() == scope.name) return true;
  error = "unknown scope '" + args[0].text() + "', expected sess, txn, req, res or proc";
  return false;
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"var", "V[s", "The value of a variable, or the given default when it is not set."},
     Type::any, kAnywhere, var},
    {{"dump_all_vars", "[sss", "All variables of a scope, with an optional prefix and delimiter."},
     Type::string, kAnywhere, dump_all_vars, check_scope},
};
// clang-format on

}  // namespace

std::span<const FetchRow> variable_fetches() { return kRows; }

}  // namespace expr::fetch
