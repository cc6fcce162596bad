// Variables of every scope by name, wherever they live: session, transaction, request, response,
// check, or the whole process. Values of the process scope are copied into the arena, because other
// workers change them.
#pragma once

#include "expr/context.h"
#include "state/variables.h"

namespace expr {

// False when the variable is not set or its scope does not exist here.
bool get_variable(Context& context, state::VariableName name, state::Value& out);
bool set_variable(Context& context, state::VariableName name, const state::Value& value);
bool unset_variable(Context& context, state::VariableName name);
// The holder of a scope; null for the process scope (locked, see Registry) and where there is none.
state::Variables* variables_of(Context& context, state::Scope scope, bool create = false);

}  // namespace expr
