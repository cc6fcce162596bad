#include "txn/tracking.h"

#include "txn/exchange.h"

namespace txn {

const state::StickRef* tracked(const Session* session, const Exchange* exchange, unsigned number) {
  if (exchange != nullptr && number < exchange->tracked.size() && exchange->tracked[number])
    return &exchange->tracked[number];
  if (session == nullptr || number >= session->tracked_numbers || !session->tracked[number])
    return nullptr;
  return &session->tracked[number];
}

state::StickRef* track(Session& session, Exchange* exchange, unsigned number, unsigned numbers,
                       state::StickRef entry) {
  if (number >= numbers || !entry || tracked(&session, exchange, number) != nullptr) return nullptr;
  state::StickRef* place;
  if (exchange != nullptr) {
    if (exchange->tracked.empty()) {
      void* room = exchange->arena.allocate(numbers * sizeof(state::StickRef));
      auto* first = static_cast<state::StickRef*>(room);
      std::uninitialized_default_construct_n(first, numbers);
      exchange->tracked = {first, numbers};
    }
    place = &exchange->tracked[number];
  } else {
    if (session.tracked == nullptr) {
      session.tracked = std::make_unique<state::StickRef[]>(numbers);
      session.tracked_numbers = numbers;
    }
    place = &session.tracked[number];
  }
  *place = std::move(entry);
  place->begin_tracking(state::stick_clock_ms());
  return place;
}

void count_tracked(const Session& session, const Exchange* exchange, state::StickEvent event,
                   std::uint64_t n) {
  const bool any =
      session.tracked_numbers != 0 || (exchange != nullptr && !exchange->tracked.empty());
  if (!any) return;
  const std::int64_t now = state::stick_clock_ms();
  for (unsigned i = 0; i < session.tracked_numbers; ++i)
    if (session.tracked[i]) session.tracked[i].count(event, n, now);
  if (exchange == nullptr) return;
  for (const state::StickRef& entry : exchange->tracked)
    if (entry) entry.count(event, n, now);
}

}  // namespace txn
