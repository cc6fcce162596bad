// Samples about frontends and backends (manual sections 7.3.2 and 7.3.4).
#include <mutex>
#include <shared_mutex>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

// The proxy named by the first argument, else the one whose rule this is, else the exchange's.
state::Proxy* backend(Args args, Context& context) {
  if (has(args, 0) && args[0].proxy() != nullptr) return args[0].proxy();
  if (context.proxy != nullptr && (context.proxy->capabilities & state::kBackend))
    return context.proxy;
  return context.exchange != nullptr ? context.exchange->backend : nullptr;
}
state::Proxy* frontend(Args args, Context& context) {
  if (has(args, 0) && args[0].proxy() != nullptr) return args[0].proxy();
  if (context.proxy != nullptr && (context.proxy->capabilities & state::kFrontend))
    return context.proxy;
  return context.session != nullptr ? context.session->frontend : nullptr;
}
state::Proxy* chosen_backend(Context& context) {
  if (context.exchange != nullptr && context.exchange->backend != nullptr)
    return context.exchange->backend;
  if (context.exchange == nullptr && context.proxy != nullptr) return context.proxy;  // checks
  return context.exchange != nullptr ? context.exchange->frontend : nullptr;
}
state::Proxy* session_frontend(Context& context) {
  return context.session != nullptr ? context.session->frontend : nullptr;
}

std::int64_t in_queue(Context& context, const state::Proxy& proxy) {
  std::shared_lock lock(context.registry.servers_mutex());
  std::int64_t total = proxy.queued.load(std::memory_order_relaxed);
  for (const auto& server : proxy.servers) total += server->queued.load(std::memory_order_relaxed);
  return total;
}

// Adds up over the servers that would take traffic: backups only when no other does.
template <class F>
std::int64_t over_usable(Context& context, const state::Proxy& proxy, F slots) {
  std::shared_lock lock(context.registry.servers_mutex());
  bool active = false;
  for (const auto& server : proxy.servers) active |= !server->backup && server->usable();
  std::int64_t total = 0;
  for (const auto& server : proxy.servers) {
    if (!server->usable() || (active && server->backup)) continue;
    std::int64_t free = slots(*server);
    if (free < 0) return -1;
    total += free;
  }
  return total;
}
std::int64_t free_connections(const state::Server& server) {
  std::int64_t maximum = server.maximum.load(std::memory_order_relaxed);
  if (maximum == 0) return -1;
  return std::max<std::int64_t>(0, maximum - server.sessions.load(std::memory_order_relaxed));
}
std::int64_t free_slots(const state::Server& server) {
  std::int64_t connections = free_connections(server);
  if (connections < 0 || server.queue_limit == 0) return -1;
  std::int64_t waiting = server.queued.load(std::memory_order_relaxed);
  return connections + std::max<std::int64_t>(0, server.queue_limit - waiting);
}

bool avg_queue(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  if (proxy == nullptr) return false;
  std::int64_t waiting = in_queue(context, *proxy);
  std::int64_t servers = proxy->usable_servers.load(std::memory_order_relaxed);
  return give(out, servers == 0 ? waiting * 2 : (waiting + servers - 1) / servers);
}
bool queue(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  return proxy != nullptr && give(out, in_queue(context, *proxy));
}
bool be_conn(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  return proxy != nullptr && give(out, proxy->backend_sessions.load(std::memory_order_relaxed));
}
bool be_conn_free(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  return proxy != nullptr && give(out, over_usable(context, *proxy, free_connections));
}
bool connslots(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  return proxy != nullptr && give(out, over_usable(context, *proxy, free_slots));
}
bool nbsrv(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  return proxy != nullptr && give(out, proxy->usable_servers.load(std::memory_order_relaxed));
}

template <class Slots>
std::int64_t rate(const Slots& slots, obs::Rate state::ProxyCounters::*member) {
  std::uint64_t now_ms = obs::rate_clock_ms(), total = 0;
  slots.each(
      [&](const state::ProxyCounters& block) { total += (block.*member).per_second(now_ms); });
  return static_cast<std::int64_t>(total);
}
bool be_sess_rate(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = backend(args, context);
  return proxy != nullptr && give(out, rate(proxy->backend, &state::ProxyCounters::session_rate));
}
bool fe_sess_rate(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = frontend(args, context);
  return proxy != nullptr && give(out, rate(proxy->frontend, &state::ProxyCounters::session_rate));
}
bool fe_req_rate(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = frontend(args, context);
  return proxy != nullptr && give(out, rate(proxy->frontend, &state::ProxyCounters::request_rate));
}
bool fe_conn(Args args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = frontend(args, context);
  return proxy != nullptr && give(out, proxy->frontend_sessions.load(std::memory_order_relaxed));
}

bool fe_id(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = session_frontend(context);
  return proxy != nullptr && give(out, proxy->id);
}
bool fe_name(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = session_frontend(context);
  return proxy != nullptr && give_text(out, proxy->name);
}
bool fe_defbe(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = session_frontend(context);
  if (proxy == nullptr || proxy->settings.default_backend.empty()) return false;
  return give_text(out, proxy->settings.default_backend);
}
bool be_id(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = chosen_backend(context);
  return proxy != nullptr && give(out, proxy->id);
}
bool be_name(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = chosen_backend(context);
  return proxy != nullptr && give_text(out, proxy->name);
}

bool so_id(Args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr || context.session->listener == nullptr) return false;
  return give(out, context.session->listener->id);
}
bool so_name(Args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr || context.session->listener == nullptr) return false;
  const state::ListenerState& listener = *context.session->listener;
  // What statistics call one that has no name.
  constexpr std::string_view kUnnamed = "sock-";
  const std::string_view name = listener.name;
  if (name.starts_with(kUnnamed) &&
      base::parse_int<unsigned>(name.substr(kUnnamed.size())) == listener.id)
    return false;
  return give_text(out, name);
}
bool dst_conn(Args, Context& context, Value& out, const FetchRow&) {
  if (context.session == nullptr || context.session->listener == nullptr) return false;
  return give(out, context.session->listener->current.load(std::memory_order_relaxed));
}

template <std::int64_t state::ProxySettings::*Member>
bool frontend_setting(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = session_frontend(context);
  return proxy != nullptr && give(out, proxy->settings.*Member);
}
template <std::int64_t state::ProxySettings::*Member>
bool backend_setting(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = chosen_backend(context);
  return proxy != nullptr && give(out, proxy->settings.*Member);
}
// The time to connect stands in for it in backends.
bool be_tarpit(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = chosen_backend(context);
  if (proxy == nullptr) return false;
  const state::ProxySettings& settings = proxy->settings;
  const bool stands_in =
      settings.tarpit_timeout_ms <= 0 && (proxy->capabilities & state::kBackend) != 0;
  return give(out, stands_in ? settings.connect_timeout_ms : settings.tarpit_timeout_ms);
}
// As a rule has set it for this exchange, else as configured.
template <std::int64_t txn::Exchange::*Changed, FetchFunction Configured>
bool current(Args args, Context& context, Value& out, const FetchRow& row) {
  if (context.exchange != nullptr && context.exchange->*Changed >= 0)
    return give(out, context.exchange->*Changed);
  return Configured(args, context, out, row);
}
bool be_max_retries(Args, Context& context, Value& out, const FetchRow&) {
  state::Proxy* proxy = chosen_backend(context);
  return proxy != nullptr && give(out, proxy->settings.retries);
}
bool cur_max_retries(Args args, Context& context, Value& out, const FetchRow& row) {
  if (context.exchange != nullptr && context.exchange->max_retries >= 0)
    return give(out, context.exchange->max_retries);
  return be_max_retries(args, context, out, row);
}

using S = state::ProxySettings;
using X = txn::Exchange;
constexpr FetchFunction kClient = frontend_setting<&S::client_timeout_ms>;
constexpr FetchFunction kConnect = backend_setting<&S::connect_timeout_ms>;
constexpr FetchFunction kQueue = backend_setting<&S::queue_timeout_ms>;
constexpr FetchFunction kServer = backend_setting<&S::server_timeout_ms>;
constexpr FetchFunction kTunnel = backend_setting<&S::tunnel_timeout_ms>;
constexpr FetchFunction kTarpit = be_tarpit;

// clang-format off
constexpr FetchRow kRows[] = {
    {{"avg_queue", "b", "Waiting connections of a backend for each usable server."},
     Type::integer, kInternal, avg_queue},
    {{"be_conn", "b", "Connections of a backend."}, Type::integer, kInternal, be_conn},
    {{"be_conn_free", "b", "Connections a backend's servers could still take, -1 without limit."},
     Type::integer, kInternal, be_conn_free},
    {{"be_sess_rate", "b", "New sessions a second of a backend."},
     Type::integer, kInternal, be_sess_rate},
    {{"connslots", "b", "Connection and queue slots a backend has left, -1 without limit."},
     Type::integer, kInternal, connslots},
    {{"fe_conn", "f", "Connections of a frontend."}, Type::integer, kInternal, fe_conn},
    {{"fe_req_rate", "f", "Requests a second of a frontend."},
     Type::integer, kInternal, fe_req_rate},
    {{"fe_sess_rate", "f", "New sessions a second of a frontend."},
     Type::integer, kInternal, fe_sess_rate},
    {{"nbsrv", "b", "Usable servers of a backend."}, Type::integer, kInternal, nbsrv},
    {{"queue", "b", "Waiting connections of a backend and its servers."},
     Type::integer, kInternal, queue},
    {{"be_id", "", "The backend's number."}, Type::integer, kBackendSide, be_id},
    {{"be_name", "", "The backend's name."}, Type::string, kBackendSide, be_name},
    {{"fe_id", "", "The frontend's number."}, Type::integer, kFrontendSide, fe_id},
    {{"fe_name", "", "The frontend's name."}, Type::string, kFrontendSide, fe_name},
    {{"fe_defbe", "", "The name of the frontend's default backend."},
     Type::string, kFrontendSide, fe_defbe},
    {{"so_id", "", "The number of the listening socket."}, Type::integer, kFrontendSide, so_id},
    {{"so_name", "", "The name of the listening socket."}, Type::string, kFrontendSide, so_name},
    {{"dst_conn", "", "Connections of the listening socket."},
     Type::integer, kFrontendSide, dst_conn},
    {{"be_connect_timeout", "", "The backend's connect timeout in milliseconds."},
     Type::integer, kBackendSide, kConnect},
    {{"be_queue_timeout", "", "The backend's queue timeout in milliseconds."},
     Type::integer, kBackendSide, kQueue},
    {{"be_server_timeout", "", "The backend's server timeout in milliseconds."},
     Type::integer, kBackendSide, kServer},
    {{"be_tarpit_timeout", "", "The backend's tarpit timeout in milliseconds."},
     Type::integer, kBackendSide, kTarpit},
    {{"be_tunnel_timeout", "", "The backend's tunnel timeout in milliseconds."},
     Type::integer, kBackendSide, kTunnel},
    {{"be_max_retries", "", "The backend's number of retries."},
     Type::integer, kBackendSide, be_max_retries},
    {{"fe_client_timeout", "", "The frontend's client timeout in milliseconds."},
     Type::integer, kFrontendSide, kClient},
    {{"fe_tarpit_timeout", "", "The frontend's tarpit timeout in milliseconds."},
     Type::integer, kFrontendSide, frontend_setting<&S::tarpit_timeout_ms>},
    {{"cur_client_timeout", "", "The client timeout now in force, in milliseconds."},
     Type::integer, kFrontendSide, current<&X::client_timeout_ms, kClient>},
    {{"cur_connect_timeout", "", "The connect timeout now in force, in milliseconds."},
     Type::integer, kBackendSide, current<&X::connect_timeout_ms, kConnect>},
    {{"cur_queue_timeout", "", "The queue timeout now in force, in milliseconds."},
     Type::integer, kBackendSide, current<&X::queue_timeout_ms, kQueue>},
    {{"cur_server_timeout", "", "The server timeout now in force, in milliseconds."},
     Type::integer, kBackendSide, current<&X::server_timeout_ms, kServer>},
    {{"cur_tunnel_timeout", "", "The tunnel timeout now in force, in milliseconds."},
     Type::integer, kBackendSide, current<&X::tunnel_timeout_ms, kTunnel>},
    {{"cur_tarpit_timeout", "", "The tarpit timeout now in force, in milliseconds."},
     Type::integer, kClientL4, current<&X::tarpit_timeout_ms, kTarpit>},
    {{"cur_max_retries", "", "The number of retries now in force."},
     Type::integer, kBackendSide, cur_max_retries},
};
// clang-format on

}  // namespace

std::span<const FetchRow> proxy_fetches() { return kRows; }

}  // namespace expr::fetch
