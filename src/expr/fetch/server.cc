// Samples about servers (manual sections 7.3.2 and 7.3.3).
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

state::Server& named(Args args) { return *std::get<state::Server*>(args[0].value); }
const state::Server* chosen(Context& context) {
  return context.exchange != nullptr ? context.exchange->server : context.server;
}

bool srv_conn(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, named(args).sessions.load(std::memory_order_relaxed));
}
bool srv_conn_free(Args args, Context&, Value& out, const FetchRow&) {
  state::Server& server = named(args);
  std::int64_t maximum = server.maximum.load(std::memory_order_relaxed);
  if (maximum == 0) return give(out, -1);
  std::int64_t used = server.sessions.load(std::memory_order_relaxed);
  return give(out, std::max<std::int64_t>(0, maximum - used));
}
bool srv_is_up(Args args, Context&, Value& out, const FetchRow&) {
  state::Server& server = named(args);
  return give_bool(out, !server.in_maintenance() && server.oper.load(std::memory_order_relaxed) !=
                                                        state::OperState::stopped);
}
bool srv_queue(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, named(args).queued.load(std::memory_order_relaxed));
}
bool srv_sess_rate(Args args, Context&, Value& out, const FetchRow&) {
  std::uint64_t now_ms = obs::rate_clock_ms(), total = 0;
  named(args).counters.each(
      [&](const state::ServerCounters& block) { total += block.session_rate.per_second(now_ms); });
  return give(out, static_cast<std::int64_t>(total));
}
bool srv_iweight(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, named(args).initial_weight.load(std::memory_order_relaxed));
}
bool srv_uweight(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, named(args).user_weight.load(std::memory_order_relaxed));
}
bool srv_weight(Args args, Context&, Value& out, const FetchRow&) {
  return give(out, named(args).effective_weight.load(std::memory_order_relaxed));
}
bool srv_id(Args, Context& context, Value& out, const FetchRow&) {
  const state::Server* server = chosen(context);
  return server != nullptr && give(out, server->id);
}
bool srv_name(Args, Context& context, Value& out, const FetchRow&) {
  const state::Server* server = chosen(context);
  return server != nullptr && give_text(out, server->name);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"srv_conn", "v", "Connections of a server."}, Type::integer, kInternal, srv_conn},
    {{"srv_conn_free", "v", "Connections a server could still take, -1 without limit."},
     Type::integer, kInternal, srv_conn_free},
    {{"srv_is_up", "v", "Whether a server is up and not in maintenance."},
     Type::boolean, kInternal, srv_is_up},
    {{"srv_iweight", "v", "The configured weight of a server."},
     Type::integer, kInternal, srv_iweight},
    {{"srv_queue", "v", "Connections waiting for a server."}, Type::integer, kInternal, srv_queue},
    {{"srv_sess_rate", "v", "New sessions a second of a server."},
     Type::integer, kInternal, srv_sess_rate},
    {{"srv_uweight", "v", "The weight of a server as users see and set it."},
     Type::integer, kInternal, srv_uweight},
    {{"srv_weight", "v", "The weight of a server now in force."},
     Type::integer, kInternal, srv_weight},
    {{"srv_id", "", "The number of the chosen server."}, Type::integer, kBackendServer, srv_id},
    {{"srv_name", "", "The name of the chosen server."}, Type::string, kBackendServer, srv_name},
};
// clang-format on

}  // namespace

std::span<const FetchRow> server_fetches() { return kRows; }

}  // namespace expr::fetch
