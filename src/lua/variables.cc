#include "lua/variables.h"

#include <mutex>

#include "lua/engine.h"
#include "lua/stack.h"
#include "lua/value.h"
#include "txn/variable_holders.h"

namespace lua {

namespace {

// The variables of a scope of this call; null when it has none. `lock` is taken for shared ones.
state::Variables* scope_of(Call& call, state::Scope scope,
                           std::unique_lock<std::shared_mutex>& lock) {
  state::Registry& registry = call.state().engine().environment().registry;
  txn::Exchange* exchange = call.exchange();
  switch (scope) {
    case state::Scope::process:
      lock = std::unique_lock(registry.variables_mutex());
      return &registry.variables();
    case state::Scope::session:
      if (call.context() == nullptr || call.context()->session == nullptr) return nullptr;
      return &call.context()->session->more().variables;
    case state::Scope::transaction:
      return exchange == nullptr ? nullptr : &exchange->txn_variables;
    case state::Scope::request:
      return exchange == nullptr ? nullptr : &exchange->request_variables;
    case state::Scope::response:
      return exchange == nullptr ? nullptr : &exchange->response_variables;
    case state::Scope::check:
      return call.context() == nullptr ? nullptr : call.context()->check_variables;
    default:
      return nullptr;
  }
}

}  // namespace

void push_variable(lua_State* L, Call& call, std::string_view name) {
  const auto variable = state::parse_variable(name);
  if (!variable) return lua_pushnil(L);
  state::OwnedValue copy;
  {
    std::unique_lock<std::shared_mutex> lock;
    const state::Variables* variables = scope_of(call, variable->scope, lock);
    const state::OwnedValue* value = variables == nullptr ? nullptr : variables->get(variable->id);
    if (value == nullptr) return lua_pushnil(L);
    if (!lock.owns_lock()) return push_value(L, value->view());
    copy = *value;
  }
  push_value(L, copy.view());
}

bool set_variable(Call& call, std::string_view name, const state::Value& value,
                  bool only_if_known) {
  if (only_if_known && name.substr(0, 5) == "proc." && !state::is_known_variable(name.substr(5)))
    return false;
  const auto variable = state::parse_variable(name);
  if (!variable) return false;
  std::unique_lock<std::shared_mutex> lock;
  state::Variables* variables = scope_of(call, variable->scope, lock);
  const txn::Session* session = call.context() != nullptr ? call.context()->session : nullptr;
  return variables != nullptr &&
         state::set_within_limits(*variable, value, *variables,
                                  txn::variable_holders(session, call.exchange()));
}

bool unset_variable(Call& call, std::string_view name) {
  const auto variable = state::parse_variable(name);
  if (!variable) return false;
  std::unique_lock<std::shared_mutex> lock;
  state::Variables* variables = scope_of(call, variable->scope, lock);
  return variables != nullptr && state::unset_counted(variable->id, *variables);
}

int get_var(lua_State* L, Call& call) {
  check_count(L, 2, "get_var");
  push_variable(L, call, check_text(L, 2));
  return 1;
}

int set_var(lua_State* L, Call& call) {
  check_count(L, 3, 4, "set_var");
  lua_pushboolean(L,
                  set_variable(call, check_text(L, 2), to_value(L, 3), lua_toboolean(L, 4) != 0));
  return 1;
}

int unset_var(lua_State* L, Call& call) {
  check_count(L, 2, 3, "unset_var");
  lua_pushboolean(L, unset_variable(call, check_text(L, 2)));
  return 1;
}

}  // namespace lua
