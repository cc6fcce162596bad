#include "expr/variables.h"

#include <mutex>
#include <shared_mutex>

#include "txn/variable_holders.h"

namespace expr {

state::Variables* variables_of(Context& context, state::Scope scope, bool create) {
  txn::Exchange* exchange = context.exchange;
  switch (scope) {
    case state::Scope::process:
      return nullptr;
    case state::Scope::session:
      if (context.session == nullptr) return nullptr;
      if (context.session->extras == nullptr && !create) return nullptr;
      return &context.session->more().variables;
    case state::Scope::transaction:
      return exchange != nullptr ? &exchange->txn_variables : nullptr;
    case state::Scope::request:
      return exchange != nullptr ? &exchange->request_variables : nullptr;
    case state::Scope::response:
      return exchange != nullptr ? &exchange->response_variables : nullptr;
    case state::Scope::check:
      return context.check_variables;
  }
  return nullptr;
}

bool get_variable(Context& context, state::VariableName name, state::Value& out) {
  if (name.scope == state::Scope::process) {
    std::shared_lock lock(context.registry.variables_mutex());
    const state::OwnedValue* found = context.registry.variables().get(name.id);
    if (found == nullptr) return false;
    out = found->view();
    out.text = context.arena.copy(out.text);
    return true;
  }
  state::Variables* scope = variables_of(context, name.scope);
  const state::OwnedValue* found = scope != nullptr ? scope->get(name.id) : nullptr;
  if (found == nullptr) return false;
  out = found->view();
  return true;
}

bool set_variable(Context& context, state::VariableName name, const state::Value& value) {
  if (name.scope == state::Scope::process) {
    std::unique_lock lock(context.registry.variables_mutex());
    return state::set_within_limits(name, value, context.registry.variables(), {});
  }
  state::Variables* scope = variables_of(context, name.scope, true);
  return scope != nullptr &&
         state::set_within_limits(name, value, *scope,
                                  txn::variable_holders(context.session, context.exchange));
}

bool unset_variable(Context& context, state::VariableName name) {
  if (name.scope == state::Scope::process) {
    std::unique_lock lock(context.registry.variables_mutex());
    return state::unset_counted(name.id, context.registry.variables());
  }
  state::Variables* scope = variables_of(context, name.scope);
  return scope != nullptr && state::unset_counted(name.id, *scope);
}

}  // namespace expr
