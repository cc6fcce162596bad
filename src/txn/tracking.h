// Which entries of stick tables a session and its exchange track ("track-sc0" and on). What a
// session tracks lasts as long as the connection, what an exchange tracks ends with it; a number
// that the session uses is not free for its exchanges.
#pragma once

#include <memory>
#include <span>

#include "state/stick_table.h"

namespace txn {

struct Session;
struct Exchange;

// The entry behind a number; null when nothing is tracked under it.
const state::StickRef* tracked(const Session* session, const Exchange* exchange, unsigned number);

// Begins to track unless the number is in use; counts the connection. The exchange's number where
// there is an exchange. Returns the new one, null when there is none.
state::StickRef* track(Session& session, Exchange* exchange, unsigned number, unsigned numbers,
                       state::StickRef entry);

// Counts an event in all that is tracked.
void count_tracked(const Session& session, const Exchange* exchange, state::StickEvent event,
                   std::uint64_t n = 1);

}  // namespace txn
