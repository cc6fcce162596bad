// The variables of a session and its exchange, for limits that span scopes.
#pragma once

#include "state/variable_limits.h"
#include "txn/exchange.h"
#include "txn/session.h"

namespace txn {

inline state::VariableHolders variable_holders(const Session* session, const Exchange* exchange) {
  state::VariableHolders holders;
  if (session != nullptr && session->extras != nullptr)
    holders.session = &session->extras->variables;
  if (exchange != nullptr) {
    holders.transaction = &exchange->txn_variables;
    holders.request = &exchange->request_variables;
    holders.response = &exchange->response_variables;
  }
  return holders;
}

}  // namespace txn
