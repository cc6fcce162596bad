// The state of the exchange under way (manual sections 7.3.2 to 7.3.4).
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

template <std::uint64_t txn::Exchange::*Member>
bool bytes(Args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr &&
         give(out, static_cast<std::int64_t>(context.exchange->*Member));
}
template <std::int32_t txn::Exchange::*Member>
bool number(Args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && give(out, context.exchange->*Member);
}
template <std::uint32_t txn::Exchange::*Member>
bool count(Args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && give(out, context.exchange->*Member);
}

bool last_rule_file(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr || context.exchange->last_rule_file == nullptr) return false;
  return give_text(out, context.exchange->last_rule_file);
}
bool last_rule_line(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr || context.exchange->last_rule_file == nullptr) return false;
  return give(out, context.exchange->last_rule_line);
}
bool last_entity(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr || context.exchange->last_entity.empty()) return false;
  return give_text(out, context.exchange->last_entity);
}
bool waiting_entity(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr || context.exchange->waiting_entity.empty()) return false;
  return give_text(out, context.exchange->waiting_entity);
}

bool redispatched(Args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && give_bool(out, context.exchange->redispatched);
}
bool reused(Args, Context& context, Value& out, const FetchRow&) {
  return context.exchange != nullptr && give_bool(out, context.exchange->server_uses > 1);
}
bool termination(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr) return false;
  Text text(context.arena, 2);
  text.add(static_cast<char>(context.exchange->end.cause));
  text.add(static_cast<char>(context.exchange->end.phase));
  return give_text(out, text.view());
}
bool status(Args, Context& context, Value& out, const FetchRow&) {
  if (context.exchange == nullptr) return false;
  if (context.exchange->response_valid) return give(out, context.exchange->response.status);
  return context.exchange->reply != nullptr && give(out, context.exchange->reply->status);
}
bool unique_id(Args, Context& context, Value& out, const FetchRow&) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr) return false;
  if (exchange->unique_id.empty() && exchange->engine != nullptr)
    exchange->unique_id = exchange->engine->make_unique_id();
  return !exchange->unique_id.empty() && give_text(out, exchange->unique_id);
}
// True once nothing more is waited for: the inspection delay is over (manual 7.3.2).
bool wait_end(Args, Context& context, Value& out, const FetchRow&) {
  if (context.final) return give_bool(out, true);
  context.incomplete = true;
  return false;
}
bool no(Args, Context&, Value& out, const FetchRow&) { return give_bool(out, false); }
bool dash(Args, Context&, Value& out, const FetchRow&) { return give_text(out, "-"); }
bool nothing(Args, Context&, Value&, const FetchRow&) { return false; }

using X = txn::Exchange;
// clang-format off
constexpr FetchRow kRows[] = {
    {{"bytes_in", "", "As req.bytes_in."}, Type::integer, kExchangeEnd, bytes<&X::bytes_in>},
    {{"bytes_out", "", "As res.bytes_in."}, Type::integer, kResponseEnd, bytes<&X::bytes_out>},
    {{"req.bytes_in", "", "Bytes received from the client, as %U."},
     Type::integer, kExchangeEnd, bytes<&X::bytes_in>},
    {{"req.bytes_out", "", "Bytes of the request sent on to the server."},
     Type::integer, kExchangeEnd, bytes<&X::bytes_in>},
    {{"res.bytes_in", "", "Bytes received from the server, as %B."},
     Type::integer, kResponseEnd, bytes<&X::bytes_out>},
    {{"res.bytes_out", "", "Bytes of the response sent on to the client."},
     Type::integer, kResponseEnd, bytes<&X::bytes_out>},
    {{"bc_be_queue", "", "The place in the backend's queue when it was entered, as %bq."},
     Type::integer, kServerL4, count<&X::backend_queue_position>},
    {{"bc_srv_queue", "", "The place in the server's queue when it was entered, as %sq."},
     Type::integer, kServerL4, count<&X::server_queue_position>},
    {{"bc_reused", "", "Whether the server connection had served before."},
     Type::boolean, kServerL4, reused},
    {{"last_entity", "", "The last rule or filter that ran, for logs after errors."},
     Type::string, kInternal, last_entity},
    {{"last_rule_file", "", "The file of the rule that ended the last evaluation of rules."},
     Type::string, kInternal, last_rule_file},
    {{"last_rule_line", "", "The line of the rule that ended the last evaluation of rules."},
     Type::integer, kInternal, last_rule_line},
    {{"waiting_entity", "", "The rule or filter that was waiting when an error came."},
     Type::string, kInternal, waiting_entity},
    {{"prio_class", "", "The priority class in queues, as set by rules."},
     Type::integer, kInternal, number<&X::priority_class>},
    {{"prio_offset", "", "The priority offset in queues, as set by rules."},
     Type::integer, kInternal, number<&X::priority_offset>},
    {{"res.cache_hit", "", "Whether the response came from a cache."},
     Type::boolean, kBackendServer, no},
    {{"res.cache_name", "", "The cache that the response came from."},
     Type::string, kBackendServer, nothing},
    {{"res.comp", "", "Whether the response was compressed here."},
     Type::boolean, kResponseHttpP, no},
    {{"res.comp_algo", "", "The algorithm that compressed the response."},
     Type::string, kResponseHttpP, nothing},
    {{"term_events", "", "Events at the end of the exchange; a dash, as none are recorded."},
     Type::string, kInternal, dash},
    {{"txn.conn_retries", "", "How often connecting was tried again, as %rc."},
     Type::integer, kServerL4, count<&X::retries>},
    {{"txn.id32", "", "A number of this exchange, as %rt."},
     Type::integer, kInternal, count<&X::id>},
    {{"txn.redispatched", "", "Whether a retry went to another server."},
     Type::boolean, kServerL4, redispatched},
    {{"txn.sess_term_state", "", "How the exchange ended, in two letters, as %ts."},
     Type::string, kInternal, termination},
    {{"txn.status", "", "The status given to the client, as %ST."},
     Type::integer, kResponseHttpP, status},
    {{"unique-id", "", "The identifier made by unique-id-format."},
     Type::string, kAnywhere, unique_id},
    {{"wait_end", "", "True once the inspection delay is over; waits for it until then."},
     Type::boolean, kInternal, wait_end},
};
// clang-format on

}  // namespace

std::span<const FetchRow> exchange_fetches() { return kRows; }

}  // namespace expr::fetch
