// Durations (manual section 8.4) as samples.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "expr/timing.h"

namespace expr::fetch {
namespace {

template <std::int64_t (*Duration)(const txn::Exchange&)>
bool timer(Args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && give(out, Duration(*context.exchange));
}
bool handshake(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange != nullptr) return give(out, timing::handshake(*context.exchange));
  return context.session != nullptr && give(out, 0);
}
bool total(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange != nullptr) return give(out, timing::total(*context.exchange));
  if (context.session == nullptr) return false;
  rt::Duration since = rt::now() - context.session->accepted;
  return give(out, std::chrono::duration_cast<rt::milliseconds>(since).count());
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"bc.timer.connect", "", "Time to connect to the server, as %Tc."},
     Type::integer, kServerL4, timer<timing::connect>},
    {{"fc.timer.handshake", "", "Time of the handshakes of the client connection, as %Th."},
     Type::integer, kClientL4, handshake},
    {{"fc.timer.total", "", "Time since the connection was accepted, as %Tt."},
     Type::integer, kFrontendSide | kSessionEnd, total},
    {{"req.timer.hdr", "", "Time to receive the request's head, as %TR."},
     Type::integer, kRequestHttpV, timer<timing::request>},
    {{"req.timer.idle", "", "Time before the request's first byte, as %Ti."},
     Type::integer, kRequestHttpV, timer<timing::idle>},
    {{"req.timer.queue", "", "Time in queues, as %Tw."},
     Type::integer, kServerL4, timer<timing::queue>},
    {{"req.timer.tq", "", "Time until the request's head was complete, as %Tq."},
     Type::integer, kRequestHttpV, timer<timing::total_request>},
    {{"res.timer.data", "", "Time of the transfer of the response, as %Td."},
     Type::integer, kResponseEnd, timer<timing::data>},
    {{"res.timer.hdr", "", "Time until the response's head was complete, as %Tr."},
     Type::integer, kResponseHttpV, timer<timing::response>},
    {{"txn.timer.total", "", "Time since the request's first byte, as %Ta."},
     Type::integer, kExchangeEnd, timer<timing::active>},
    {{"txn.timer.user", "", "Time as the client sees it, without idle time, as %Tu."},
     Type::integer, kExchangeEnd, timer<timing::user>},
};
// clang-format on

}  // namespace

std::span<const FetchRow> timer_fetches() { return kRows; }

}  // namespace expr::fetch
