// How much memory variables may take (tune.vars.*-max-size). Each limit includes the finer scopes:
// all, process, session, transaction, request or response. Without limits nothing is counted.
#pragma once

#include <cstddef>

#include "state/variables.h"

namespace state {

struct VariableLimits {  // bytes; 0: any number
  std::size_t all = 0, process = 0, session = 0, transaction = 0, message = 0, check = 0;
};
void limit_variables(const VariableLimits& limits);  // before the first one is set

// The holders that are at hand where one is set, as far as they exist.
struct VariableHolders {
  const Variables* session = nullptr;
  const Variables* transaction = nullptr;
  const Variables* request = nullptr;
  const Variables* response = nullptr;
};
// Sets it in `target`, which holds its scope; false, and nothing changed, beyond a limit.
bool set_within_limits(VariableName name, const Value& value, Variables& target,
                       const VariableHolders& holders);
bool unset_counted(std::uint32_t id, Variables& target);
// The holder ends, or is emptied.
void release_counted(const Variables& holder);

}  // namespace state
