// Samples at layer 4: addresses and ports of both sides (manual section 7.3.3).
#include "net/connection.h"

#include <ifaddrs.h>

#include <vector>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

// The connection's own address, before PROXY headers and set-src.
net::Address own_source(const txn::Session& session) {
  if (session.extras != nullptr &&
      session.extras->original_source.kind() != net::Address::Kind::none)
    return session.extras->original_source;
  return session.source;
}
net::Address own_destination(const txn::Session& session) {
  if (session.extras != nullptr &&
      session.extras->original_destination.kind() != net::Address::Kind::none)
    return session.extras->original_destination;
  return session.destination;
}

// Whether the host has the address on one of its interfaces. Asked rarely: read each time.
bool is_local(const net::Ip& ip) {
  ifaddrs* list = nullptr;
  if (ip.family == 0 || getifaddrs(&list) != 0) return false;
  bool found = false;
  for (ifaddrs* i = list; i != nullptr && !found; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != ip.family) continue;
    net::Ip own = ip.family == AF_INET
                      ? net::Ip::from(reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr)
                      : net::Ip::from(reinterpret_cast<sockaddr_in6*>(i->ifa_addr)->sin6_addr);
    found = own == ip;
  }
  freeifaddrs(list);
  return found;
}
bool give_local(Value& out, const net::Ip& ip) {
  return ip.family != 0 && give_bool(out, is_local(ip));
}
bool give_port(Value& out, const net::Address& address) {
  return address.is_ip() && give(out, address.port());
}

bool src(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_ip(out, context.session->source.ip());
}
bool src_port(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_port(out, context.session->source);
}
bool src_is_local(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_local(out, context.session->source.ip());
}
bool dst(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_ip(out, context.session->destination.ip());
}
bool dst_port(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_port(out, context.session->destination);
}
bool dst_is_local(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_local(out, context.session->destination.ip());
}
bool fc_src(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_ip(out, own_source(*context.session).ip());
}
bool fc_src_port(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_port(out, own_source(*context.session));
}
bool fc_src_is_local(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_local(out, own_source(*context.session).ip());
}
bool fc_dst(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_ip(out, own_destination(*context.session).ip());
}
bool fc_dst_port(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_port(out, own_destination(*context.session));
}
bool fc_dst_is_local(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_local(out, own_destination(*context.session).ip());
}

net::Connection* server_side(Context& context) {
  return context.exchange != nullptr ? context.exchange->server_connection : nullptr;
}
bool bc_src(Args, Context& context, Value& out, const FetchRow&) {
  net::Connection* connection = server_side(context);
  return connection != nullptr && give_ip(out, connection->local().ip());
}
bool bc_src_port(Args, Context& context, Value& out, const FetchRow&) {
  net::Connection* connection = server_side(context);
  return connection != nullptr && give_port(out, connection->local());
}
bool bc_dst(Args, Context& context, Value& out, const FetchRow&) {
  net::Connection* connection = server_side(context);
  return connection != nullptr && give_ip(out, connection->peer().ip());
}
bool bc_dst_port(Args, Context& context, Value& out, const FetchRow&) {
  net::Connection* connection = server_side(context);
  return connection != nullptr && give_port(out, connection->peer());
}

// PROXY protocol (doc/proxy-protocol.txt): what the accepted header told.
const txn::SessionExtras* proxied(Context& context) {
  if (context.session == nullptr || context.session->extras == nullptr) return nullptr;
  return context.session->extras.get();
}
bool fc_rcvd_proxy(Args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr) return false;
  const txn::SessionExtras* extras = proxied(context);
  return give_bool(out, extras != nullptr && extras->proxy_header);
}
bool give_tlv(Value& out, Context& context, std::int64_t type) {
  const txn::SessionExtras* extras = proxied(context);
  if (extras == nullptr) return false;
  Occurrences* some = context.occurrences;
  for (std::size_t i = some != nullptr ? some->next : 0; i < extras->tlvs.size(); ++i) {
    if (extras->tlvs[i].type != type) continue;
    if (some != nullptr) {
      some->next = static_cast<std::uint32_t>(i + 1);
      some->more = true;
    }
    return give_text(out, extras->tlvs[i].value);
  }
  return false;
}
bool fc_pp_authority(Args, Context& context, Value& out, const FetchRow&) {
  return give_tlv(out, context, 0x02);
}
bool fc_pp_unique_id(Args, Context& context, Value& out, const FetchRow&) {
  return give_tlv(out, context, 0x05);
}
bool fc_pp_tlv(Args args, Context& context, Value& out, const FetchRow&) {
  return give_tlv(out, context, args[0].integer());
}
bool check_tlv(std::vector<Argument>& args, std::string& error) {
  static constexpr struct {
    std::string_view name;
    std::int64_t type;
  } kNames[] = {{"ALPN", 0x01},      {"AUTHORITY", 0x02}, {"CRC32C", 0x03},
                {"UNIQUE_ID", 0x05}, {"SSL", 0x20},       {"NETNS", 0x30}};
  if (args.empty() || !args[0].present()) return true;
  const std::string text = args[0].text();
  for (const auto& known : kNames)
    if (base::iequals(known.name, text)) {
      args[0].value = known.type;
      return true;
    }
  auto number = text.starts_with("0x") || text.starts_with("0X")
                    ? base::parse_int<std::int64_t>(std::string_view(text).substr(2), 16)
                    : base::parse_int<std::int64_t>(text);
  if (!number || *number < 0 || *number > 255) {
    error = "'" + text + "' is neither a known TLV name nor a number between 0 and 255";
    return false;
  }
  args[0].value = *number;
  return true;
}

bool http_major(Args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr) return false;
  const bool http = context.exchange != nullptr
                        ? context.exchange->is_http
                        : context.session->frontend != nullptr &&
                              context.session->frontend->mode == state::Mode::http;
  return give(out, http ? 1 : 0);
}
bool server_http_major(Args, Context& context, Value& out, const FetchRow&) {
  if (server_side(context) == nullptr) return false;
  return give(out, context.exchange->is_http ? 1 : 0);
}
bool zero_for_server(Args, Context& context, Value& out, const FetchRow&) {
  return server_side(context) != nullptr && give(out, 0);
}
bool client_glitches(Args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr) return false;
  const net::Connection* connection = context.session->connection;
  return give(out, connection != nullptr ? connection->glitches : 0);
}
bool server_glitches(Args, Context& context, Value& out, const FetchRow&) {
  const net::Connection* connection = server_side(context);
  return connection != nullptr && give(out, connection->glitches);
}
bool one_for_client(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give(out, 1);
}
bool one_for_server(Args, Context& context, Value& out, const FetchRow&) {
  return server_side(context) != nullptr && give(out, 1);
}
// Only while such an error is logged there is an engine that knows of one.
txn::ClientError client_error(Context& context) {
  return context.session_engine != nullptr ? context.session_engine->client_error()
                                           : txn::ClientError::none;
}
bool fc_err(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give(out, static_cast<int>(client_error(context)));
}
bool fc_err_str(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_text(out, text_of(client_error(context)));
}
bool fc_err_name(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_text(out, name_of(client_error(context)));
}
bool no_error(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_text(out, "Success");
}
bool no_error_name(Args, Context& context, Value& out, const FetchRow&) {
  return context.session != nullptr && give_text(out, "");
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"src", "", "The client's address, as PROXY headers and set-src leave it."},
     Type::address, kClientL4, src},
    {{"src_port", "", "The client's port."}, Type::integer, kClientL4, src_port},
    {{"src_is_local", "", "Whether the client's address is one of this host."},
     Type::boolean, kClientL4, src_is_local},
    {{"dst", "", "The address the client connected to."}, Type::address, kClientL4, dst},
    {{"dst_port", "", "The port the client connected to."}, Type::integer, kClientL4, dst_port},
    {{"dst_is_local", "", "Whether the address connected to is one of this host."},
     Type::boolean, kClientL4, dst_is_local},
    {{"fc_src", "", "The source address of the client connection itself."},
     Type::address, kClientL4, fc_src},
    {{"fc_src_port", "", "The source port of the client connection itself."},
     Type::integer, kClientL4, fc_src_port},
    {{"fc_src_is_local", "", "Whether fc_src is an address of this host."},
     Type::boolean, kClientL4, fc_src_is_local},
    {{"fc_dst", "", "The destination address of the client connection itself."},
     Type::address, kClientL4, fc_dst},
    {{"fc_dst_port", "", "The destination port of the client connection itself."},
     Type::integer, kClientL4, fc_dst_port},
    {{"fc_dst_is_local", "", "Whether fc_dst is an address of this host."},
     Type::boolean, kClientL4, fc_dst_is_local},
    {{"bc_src", "", "The address this side uses towards the server."},
     Type::address, kServerL4, bc_src},
    {{"bc_src_port", "", "The port this side uses towards the server."},
     Type::integer, kServerL4, bc_src_port},
    {{"bc_dst", "", "The server's address, as connected to."}, Type::address, kServerL4, bc_dst},
    {{"bc_dst_port", "", "The server's port, as connected to."},
     Type::integer, kServerL4, bc_dst_port},
    {{"fc_rcvd_proxy", "", "Whether the client sent a PROXY header."},
     Type::boolean, kClientL4, fc_rcvd_proxy},
    {{"fc_pp_authority", "", "The authority TLV of the PROXY header."},
     Type::string, kClientL4, fc_pp_authority},
    {{"fc_pp_unique_id", "", "The unique-id TLV of the PROXY header."},
     Type::string, kClientL4, fc_pp_unique_id},
    {{"fc_pp_tlv", "s", "The TLV of the PROXY header with that number or name."},
     Type::string, kClientL5, fc_pp_tlv, check_tlv},
    {{"fc_http_major", "", "The client's major HTTP version, 0 when it speaks none."},
     Type::integer, kClientL4, http_major},
    {{"bc_http_major", "", "The server's major HTTP version, 0 when it speaks none."},
     Type::integer, kServerL4, server_http_major},
    {{"fc_glitches", "", "Protocol oddities counted on the client connection."},
     Type::integer, kClientL4, client_glitches},
    {{"bc_glitches", "", "Protocol oddities counted on the server connection."},
     Type::integer, kServerL4, server_glitches},
    {{"fc_nb_streams", "", "Streams open on the client connection."},
     Type::integer, kClientL4, one_for_client},
    {{"bc_nb_streams", "", "Streams open on the server connection."},
     Type::integer, kServerL4, one_for_server},
    {{"fc_settings_streams_limit", "", "Streams the client connection may have open."},
     Type::integer, kClientL5, one_for_client},
    {{"bc_settings_streams_limit", "", "Streams the server connection may have open."},
     Type::integer, kServerL5, one_for_server},
    {{"fc_err", "", "The number of the client connection's error, 0 for none."},
     Type::integer, kClientL4, fc_err},
    {{"fc_err_str", "", "The error of the client connection in words."},
     Type::string, kClientL4, fc_err_str},
    {{"fc_err_name", "", "The name of the client connection's error."},
     Type::string, kClientL4, fc_err_name},
    {{"bc_err", "", "The number of the server connection's error, 0 for none."},
     Type::integer, kServerL4, zero_for_server},
    {{"bc_err_str", "", "The error of the server connection in words."},
     Type::string, kServerL4, no_error},
    {{"bc_err_name", "", "The name of the server connection's error."},
     Type::string, kServerL4, no_error_name},
};
// clang-format on

}  // namespace

std::span<const FetchRow> connection_fetches() { return kRows; }

}  // namespace expr::fetch
