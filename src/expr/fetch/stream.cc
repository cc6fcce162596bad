// Both sides of an exchange as streams of their connections (manual section 7.3.4). HTTP/1 and TCP
// know neither resets nor aborts of a single stream.
#include <fmt/format.h>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "net/connection.h"

namespace expr::fetch {
namespace {

bool never(Args, Context&, Value&, const FetchRow&) { return false; }
bool no_abort(Args, Context& context, Value& out, const FetchRow&) {
  return stream_of(context) != nullptr && give_bool(out, false);
}

// The first request of a connection is stream 0.
std::int64_t client_stream(const txn::Exchange& exchange) {
  return exchange.is_http ? std::int64_t{exchange.session.requests} - 1 : 0;
}
std::int64_t server_stream(const txn::Exchange& exchange) {
  return exchange.is_http ? std::int64_t{exchange.server_uses} - 1 : 0;
}
bool client_id(Args, Context& context, Value& out, const FetchRow&) {
  const txn::Exchange* exchange = stream_of(context);
  return exchange != nullptr && give(out, client_stream(*exchange));
}
bool server_id(Args, Context& context, Value& out, const FetchRow&) {
  const txn::Exchange* exchange = stream_of(context);
  if (exchange == nullptr || exchange->server_uses == 0) return false;
  return give(out, server_stream(*exchange));
}

// Bits of the argument.
enum Layer : std::int64_t { kStream = 1, kConnection = 2, kTransport = 4, kLink = 8, kSocket = 16 };
constexpr std::int64_t kAllLayers = 31;

std::string_view progress(const txn::Channel* body, bool head) {
  if (!head) return "none";
  return body == nullptr || body->whole() ? "whole" : "body";
}

void describe_stream(const txn::Exchange& e, std::int64_t id, std::string& out) {
  out += fmt::format(" stream={} method={} request={} response={} status={}", id,
                     e.request.method_text, progress(e.request_channel, e.request_valid),
                     progress(e.response_channel, e.response_valid), e.response.status);
}
void describe_connection(net::Connection* connection, std::int64_t layers, std::string& out) {
  if (connection == nullptr) {
    if ((layers & (kTransport | kLink | kSocket)) != 0) out += " connection=none";
    return;
  }
  const rt::Descriptor& io = connection->io();
  if ((layers & kTransport) != 0)
    out += connection->plain_fd() >= 0 ? " transport=plain" : " transport=tls";
  if ((layers & kLink) != 0)
    out += fmt::format(" hung_up={:d} failed={:d}", io.hung_up(), io.failed());
  if ((layers & kSocket) != 0)
    out += fmt::format(" fd={} readable={:d} writable={:d}", io.fd(), io.readable(), io.writable());
}

bool describe(bool client, Args args, Context& context, Value& out) {
  const txn::Exchange* e = stream_of(context);
  if (e == nullptr || !e->is_http || (!client && e->server_uses == 0)) return false;
  const std::int64_t asked = integer_or(args, 0, 0);
  const std::int64_t layers = asked == 0 ? kAllLayers : asked;
  std::string text;
  if ((layers & kStream) != 0)
    describe_stream(*e, client ? client_stream(*e) : server_stream(*e), text);
  if ((layers & kConnection) != 0)
    text += fmt::format(" requests={}", client ? e->session.requests : e->server_uses);
  describe_connection(client ? e->session.connection : e->server_connection, layers, text);
  return give_text(out, context.arena.copy(text));
}
bool client_state(Args args, Context& context, Value& out, const FetchRow&) {
  return describe(true, args, context, out);
}
bool server_state(Args args, Context& context, Value& out, const FetchRow&) {
  return describe(false, args, context, out);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"bs.aborted", "", "Whether the server ended the stream alone: false in HTTP/1 and TCP."},
     Type::integer, kServerL5, no_abort},
    {{"bs.debug_str", "[i", "What is known of the server side, for those who look for faults."},
     Type::string, kServerL5, server_state},
    {{"bs.id", "", "Requests that the server connection carried before this one."},
     Type::integer, kServerL5, server_id},
    {{"bs.rst_code", "", "Why the server reset the stream: none in HTTP/1 and TCP."},
     Type::integer, kServerL5, never},
    {{"fs.aborted", "", "Whether the client ended the stream alone: false in HTTP/1 and TCP."},
     Type::integer, kClientL5, no_abort},
    {{"fs.debug_str", "[i", "What is known of the client side, for those who look for faults."},
     Type::string, kClientL5, client_state},
    {{"fs.id", "", "Requests that came on the client connection before this one."},
     Type::string, kClientL5, client_id},
    {{"fs.rst_code", "", "Why the client reset the stream: none in HTTP/1 and TCP."},
     Type::integer, kClientL5, never},
};
// clang-format on

}  // namespace

std::span<const FetchRow> stream_fetches() { return kRows; }

}  // namespace expr::fetch
