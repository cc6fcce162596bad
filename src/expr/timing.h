// Durations of an exchange as logs and samples give them (manual section 8.4): milliseconds, -1
// where the event did not come to pass.
#pragma once

#include <cstdint>

#include "txn/exchange.h"

namespace expr::timing {

std::int64_t handshake(const txn::Exchange& exchange);      // %Th
std::int64_t idle(const txn::Exchange& exchange);           // %Ti
std::int64_t request(const txn::Exchange& exchange);        // %TR
std::int64_t total_request(const txn::Exchange& exchange);  // %Tq
std::int64_t queue(const txn::Exchange& exchange);          // %Tw
std::int64_t connect(const txn::Exchange& exchange);        // %Tc
std::int64_t response(const txn::Exchange& exchange);       // %Tr
std::int64_t data(const txn::Exchange& exchange);           // %Td
std::int64_t active(const txn::Exchange& exchange);         // %Ta
std::int64_t total(const txn::Exchange& exchange);          // %Tt
std::int64_t user(const txn::Exchange& exchange);           // %Tu

}  // namespace expr::timing
