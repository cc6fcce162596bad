// What an expression may look at while it is evaluated. Cheap to make; made anew for each
// evaluation or kept by the exchange. Evaluation happens in the exchange's fiber and may wait
// (Lua).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "state/registry.h"
#include "txn/exchange.h"

namespace expr {

// ACLs try every occurrence of a header, cookie or parameter. A fetch that can have several gives
// the one at `next`/`offset`, moves them on, and sets `more` when another may follow.
struct Occurrences {
  std::uint32_t next = 0;
  std::uint32_t offset = 0;
  bool more = false;
};

struct Context {
  state::Registry& registry;
  base::Arena& arena;                 // results live here
  txn::Session* session = nullptr;    // null in tasks and checks without a client
  txn::Exchange* exchange = nullptr;  // null before there is one (connection and session rules)
  txn::SessionEngine* session_engine = nullptr;  // in connection and session rules
  state::Proxy* proxy = nullptr;                 // whose rule this is: frontend or backend
  state::Server* server = nullptr;               // in checks: the checked one
  state::Variables* check_variables = nullptr;
  txn::Direction direction = txn::Direction::request;
  // False while more bytes may come and the caller can wait for them (inspect-delay): a fetch that
  // lacks bytes then sets `incomplete` and fails.
  bool final = true;
  bool incomplete = false;
  // Null: one sample, as the fetch defines it (usually the last occurrence).
  Occurrences* occurrences = nullptr;
  std::string_view log_origin = "unspec";  // what %OG prints
};

}  // namespace expr
