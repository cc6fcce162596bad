#include "lua/class/stats.h"

#include <time.h>

#include <charconv>
#include <span>
#include <string>

#include "lua/stack.h"
#include "lua/state.h"

namespace lua {

namespace {

using state::ProxyCounters;
using state::ServerCounters;

// Read once for each row.
thread_local std::int64_t row_seconds = 0;
void read_clock() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  row_seconds = now.tv_sec;
}
std::int64_t since(std::int64_t wall_seconds) { return row_seconds - wall_seconds; }

template <class Block>
std::int64_t rate(const obs::PerWorker<Block>& counters, obs::Rate Block::*which) {
  std::uint64_t sum = 0;
  const std::uint64_t now = obs::rate_clock_ms();
  counters.each([&](const Block& block) { sum += (block.*which).per_second(now); });
  return static_cast<std::int64_t>(sum);
}

template <class Block>
std::int64_t responses_of(const obs::PerWorker<Block>& counters, std::size_t which) {
  std::uint64_t sum = 0;
  counters.each([&](const Block& block) { sum += block.responses[which].get(); });
  return static_cast<std::int64_t>(sum);
}

template <class Block>
std::int64_t average(const obs::PerWorker<Block>& counters, obs::Count Block::*total) {
  const std::uint64_t count = counters.sum(&Block::timed);
  return count == 0 ? 0 : static_cast<std::int64_t>(counters.sum(total) / count);
}

// Columns of responses by class, in the order of their counters.
constexpr const char* kResponses[] = {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx",
                                      "hrsp_4xx", "hrsp_5xx", "hrsp_other"};

// A column that is a number of T.
template <class T>
struct Column {
  const char* name;
  std::int64_t (*value)(const T&);
};

template <class T>
using Columns = std::span<const Column<T>>;

// Counters that frontends, backends and listeners have alike.
struct CountColumn {
  const char* name;
  obs::Count ProxyCounters::*member;
};
constexpr CountColumn kTraffic[] = {
    {"stot", &ProxyCounters::sessions},          {"bin", &ProxyCounters::bytes_in},
    {"bout", &ProxyCounters::bytes_out},         {"reqbin", &ProxyCounters::bytes_in},
    {"reqbout", &ProxyCounters::bytes_in},       {"resbin", &ProxyCounters::bytes_out},
    {"resbout", &ProxyCounters::bytes_out},      {"dreq", &ProxyCounters::denied_requests},
    {"dresp", &ProxyCounters::denied_responses}, {"eint", &ProxyCounters::internal_errors},
    {"wrew", &ProxyCounters::rewrites_failed},
};

// What only servers have.
constexpr const char* kServersOnly[] = {
    "agent_code", "agent_duration", "agent_health",   "agent_rise", "agent_status",
    "check_code", "check_desc",     "check_duration", "check_fall", "check_health",
    "check_rise", "check_status",   "last_agt",       "last_chk",   "qlimit",
    "rate_lim",   "sess_other",     "throttle",       "tracked"};

// Fills a table column by column; the names are kept as Lua strings in one array for each kind.
class Row {
 public:
  // `kind`: address of something that only this kind of row has.
  Row(lua_State* L, const void* kind, int size) : L_(L) {
    read_clock();
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, kind) != LUA_TTABLE) {
      lua_pop(L, 1);
      lua_createtable(L, size, 0);
      lua_pushvalue(L, -1);
      lua_rawsetp(L, LUA_REGISTRYINDEX, kind);
      known_ = false;
    }
    names_ = lua_gettop(L);
    lua_createtable(L, 0, size);
    table_ = names_ + 1;
  }
  void integer(const char* name, std::int64_t value) {
    push_name(name);
    lua_pushinteger(L_, value);
    lua_rawset(L_, table_);
  }
  void text(const char* name, std::string_view value) {
    push_name(name);
    push(L_, value);
    lua_rawset(L_, table_);
  }
  template <class T>
  void all(Columns<T> columns, const T& of) {
    for (const Column<T>& column : columns) integer(column.name, column.value(of));
  }
  void counts(std::span<const CountColumn> columns, const obs::PerWorker<ProxyCounters>& of) {
    for (const CountColumn& column : columns)
      integer(column.name, static_cast<std::int64_t>(of.sum(column.member)));
  }
  template <class Block>
  void responses(const obs::PerWorker<Block>& counters) {
    for (std::size_t i = 0; i < std::size(kResponses); ++i)
      integer(kResponses[i], responses_of(counters, i));
  }
  // Columns that do not apply to this kind: the reference has a zero there.
  void zeros(std::span<const char* const> names) {
    for (const char* name : names) integer(name, 0);
  }
  // Columns that only some rows of the kind have.
  void optional(const char* name, std::int64_t value) {
    lua_pushinteger(L_, value);
    lua_setfield(L_, table_, name);
  }
  void optional(const char* name, std::string_view value) {
    push(L_, value);
    lua_setfield(L_, table_, name);
  }
  void done() { lua_remove(L_, names_); }

 private:
  void push_name(const char* name) {
    ++next_;
    if (known_) {
      lua_rawgeti(L_, names_, next_);
    } else {
      lua_pushstring(L_, name);
      lua_pushvalue(L_, -1);
      lua_rawseti(L_, names_, next_);
    }
  }

  lua_State* L_;
  int names_ = 0, table_ = 0, next_ = 0;
  bool known_ = true;
};

#define COUNT(name, side, member)                                           \
  {                                                                         \
    name, [](const state::Proxy& p) {                                       \
      return static_cast<std::int64_t>(p.side.sum(&ProxyCounters::member)); \
    }                                                                       \
  }

// columns: frontend
constexpr Column<state::Proxy> kFrontend[] = {
    {"scur", [](const state::Proxy& p) { return std::int64_t{p.frontend_sessions}; }},
    {"smax", [](const state::Proxy& p) { return std::int64_t{p.frontend_highest}; }},
    {"slim", [](const state::Proxy& p) { return std::int64_t{p.maximum}; }},
    COUNT("ereq", frontend, failed_requests),
    COUNT("dcon", frontend, denied_connections),
    COUNT("dses", frontend, denied_sessions),
    COUNT("conn_tot", frontend, connections),
    COUNT("conn_rate_max", frontend, connection_rate_max),
    COUNT("req_tot", frontend, requests),
    COUNT("req_rate_max", frontend, request_rate_max),
    COUNT("rate_max", frontend, session_rate_max),
    COUNT("intercepted", frontend, intercepted),
    COUNT("h1req", frontend, requests),
    COUNT("h1sess", frontend, sessions),
    {"iid", [](const state::Proxy& p) { return std::int64_t{p.id}; }},
    {"pid", [](const state::Proxy&) { return std::int64_t{1}; }},
    {"type", [](const state::Proxy&) { return std::int64_t{0}; }},
    {"rate", [](const state::Proxy& p) { return rate(p.frontend, &ProxyCounters::session_rate); }},
    {"conn_rate",
     [](const state::Proxy& p) { return rate(p.frontend, &ProxyCounters::connection_rate); }},
    {"req_rate",
     [](const state::Proxy& p) { return rate(p.frontend, &ProxyCounters::request_rate); }},
};
constexpr const char* kFrontendZeros[] = {
    "act",        "addr",          "algo",     "bck",      "cache_hint_hits",
    "cache_hits", "cache_lookups", "comp_byp", "comp_in",  "comp_out",
    "comp_rsp",   "cookie",        "ctime",    "downtime", "h2req",
    "h2sess",     "h3req",         "h3sess",   "qmax",     "qtime",
    "req_other",  "rtime",         "sid",      "ttime",    "weight"};
// end

// columns: backend
constexpr Column<state::Proxy> kBackend[] = {
    {"scur", [](const state::Proxy& p) { return std::int64_t{p.backend_sessions}; }},
    {"smax", [](const state::Proxy& p) { return std::int64_t{p.backend_highest}; }},
    {"slim", [](const state::Proxy& p) { return std::int64_t{p.full_connections}; }},
    {"qcur", [](const state::Proxy& p) { return std::int64_t{p.queued}; }},
    {"qmax", [](const state::Proxy& p) { return std::int64_t{p.queued_highest}; }},
    COUNT("econ", backend, failed_connections),
    COUNT("eresp", backend, failed_responses),
    COUNT("wretr", backend, retries),
    COUNT("wredis", backend, redispatches),
    COUNT("cli_abrt", backend, client_aborts),
    COUNT("srv_abrt", backend, server_aborts),
    COUNT("req_tot", backend, requests),
    COUNT("lbtot", backend, chosen),
    COUNT("rate_max", backend, session_rate_max),
    COUNT("connect", backend, connects),
    COUNT("reuse", backend, reused),
    {"iid", [](const state::Proxy& p) { return std::int64_t{p.id}; }},
    {"pid", [](const state::Proxy&) { return std::int64_t{1}; }},
    {"type", [](const state::Proxy&) { return std::int64_t{1}; }},
    {"weight", [](const state::Proxy& p) { return std::int64_t{p.total_weight}; }},
    {"uweight", [](const state::Proxy& p) { return std::int64_t{p.total_weight}; }},
    {"chkdown", [](const state::Proxy& p) { return std::int64_t{p.went_down}; }},
    {"lastchg", [](const state::Proxy& p) { return since(p.last_change); }},
    {"downtime", [](const state::Proxy& p) { return std::int64_t{p.down_seconds}; }},
    {"lastsess",
     [](const state::Proxy& p) {
       return p.last_session == 0 ? std::int64_t{-1} : since(p.last_session);
     }},
    {"act",
     [](const state::Proxy& p) {
       std::int64_t count = 0;
       for (const auto& server : p.servers) count += server->usable() && !server->backup;
       return count;
     }},
    {"bck",
     [](const state::Proxy& p) {
       std::int64_t count = 0;
       for (const auto& server : p.servers) count += server->usable() && server->backup;
       return count;
     }},
    {"rate", [](const state::Proxy& p) { return rate(p.backend, &ProxyCounters::session_rate); }},
    {"qtime", [](const state::Proxy& p) { return average(p.backend, &ProxyCounters::queue_ms); }},
    {"ctime", [](const state::Proxy& p) { return average(p.backend, &ProxyCounters::connect_ms); }},
    {"rtime",
     [](const state::Proxy& p) { return average(p.backend, &ProxyCounters::response_ms); }},
    {"ttime", [](const state::Proxy& p) { return average(p.backend, &ProxyCounters::total_ms); }},
};
constexpr const char* kBackendZeros[] = {"addr",
                                         "agg_check_status",
                                         "agg_server_check_status",
                                         "agg_server_status",
                                         "cache_hint_hits",
                                         "cache_hits",
                                         "cache_lookups",
                                         "comp_byp",
                                         "comp_in",
                                         "comp_out",
                                         "comp_rsp",
                                         "conn_rate_max",
                                         "ctime_max",
                                         "qtime_max",
                                         "req_rate_max",
                                         "rtime_max",
                                         "sid",
                                         "ttime_max"};
// end
#undef COUNT

#define COUNT(name, member)                                                      \
  {                                                                              \
    name, [](const state::Server& s) {                                           \
      return static_cast<std::int64_t>(s.counters.sum(&ServerCounters::member)); \
    }                                                                            \
  }

// columns: server
constexpr Column<state::Server> kServer[] = {
    {"scur", [](const state::Server& s) { return std::int64_t{s.sessions}; }},
    {"smax", [](const state::Server& s) { return std::int64_t{s.sessions_highest}; }},
    {"qcur", [](const state::Server& s) { return std::int64_t{s.queued}; }},
    {"qmax", [](const state::Server& s) { return std::int64_t{s.queued_highest}; }},
    COUNT("stot", sessions),
    COUNT("bin", bytes_in),
    COUNT("bout", bytes_out),
    COUNT("reqbin", bytes_in),
    COUNT("reqbout", bytes_in),
    COUNT("resbin", bytes_out),
    COUNT("resbout", bytes_out),
    COUNT("dresp", denied_responses),
    COUNT("econ", failed_connections),
    COUNT("eresp", failed_responses),
    COUNT("wretr", retries),
    COUNT("wredis", redispatches),
    COUNT("cli_abrt", client_aborts),
    COUNT("srv_abrt", server_aborts),
    COUNT("req_tot", requests),
    COUNT("lbtot", chosen),
    COUNT("rate_max", session_rate_max),
    COUNT("eint", internal_errors),
    COUNT("connect", connects),
    COUNT("reuse", reused),
    {"iid", [](const state::Server& s) { return std::int64_t{s.proxy->id}; }},
    {"sid", [](const state::Server& s) { return std::int64_t{s.id}; }},
    {"pid", [](const state::Server&) { return std::int64_t{1}; }},
    {"type", [](const state::Server&) { return std::int64_t{2}; }},
    {"weight", [](const state::Server& s) { return std::int64_t{s.effective_weight}; }},
    {"uweight", [](const state::Server& s) { return std::int64_t{s.user_weight}; }},
    {"act", [](const state::Server& s) { return std::int64_t{!s.backup}; }},
    {"bck", [](const state::Server& s) { return std::int64_t{s.backup}; }},
    {"lastchg", [](const state::Server& s) { return since(s.last_change); }},
    {"lastsess",
     [](const state::Server& s) {
       return s.last_session == 0 ? std::int64_t{-1} : since(s.last_session);
     }},
    {"srv_icur", [](const state::Server& s) { return std::int64_t{s.idle}; }},
    {"idle_conn_cur", [](const state::Server& s) { return std::int64_t{s.idle}; }},
    {"safe_conn_cur", [](const state::Server& s) { return std::int64_t{s.idle_safe}; }},
    {"used_conn_cur", [](const state::Server& s) { return std::int64_t{s.used_connections}; }},
    {"need_conn_est", [](const state::Server& s) { return std::int64_t{s.used_highest}; }},
    {"rate",
     [](const state::Server& s) { return rate(s.counters, &ServerCounters::session_rate); }},
    {"qtime",
     [](const state::Server& s) { return average(s.counters, &ServerCounters::queue_ms); }},
    {"ctime",
     [](const state::Server& s) { return average(s.counters, &ServerCounters::connect_ms); }},
    {"rtime",
     [](const state::Server& s) { return average(s.counters, &ServerCounters::response_ms); }},
    {"ttime",
     [](const state::Server& s) { return average(s.counters, &ServerCounters::total_ms); }},
};
constexpr const char* kServerZeros[] = {"agg_check_status",  "agg_server_check_status",
                                        "agg_server_status", "conn_rate_max",
                                        "ctime_max",         "priv_idle_cur",
                                        "qtime_max",         "rate_lim",
                                        "req_rate_max",      "rtime_max",
                                        "sess_other",        "srid",
                                        "ttime_max",         "wrew"};
// end
#undef COUNT

// columns: listener
constexpr Column<state::ListenerState> kListener[] = {
    {"scur", [](const state::ListenerState& l) { return std::int64_t{l.current}; }},
    {"smax", [](const state::ListenerState& l) { return std::int64_t{l.highest}; }},
    {"slim", [](const state::ListenerState& l) { return static_cast<std::int64_t>(l.limit); }},
    {"sid", [](const state::ListenerState& l) { return std::int64_t{l.id}; }},
    {"pid", [](const state::ListenerState&) { return std::int64_t{1}; }},
    {"type", [](const state::ListenerState&) { return std::int64_t{3}; }},
};
constexpr CountColumn kListenerCounts[] = {
    {"ereq", &ProxyCounters::failed_requests},
    {"dcon", &ProxyCounters::denied_connections},
    {"dses", &ProxyCounters::denied_sessions},
    {"conn_tot", &ProxyCounters::connections},
};
constexpr const char* kListenerZeros[] = {"act",
                                          "agg_check_status",
                                          "agg_server_check_status",
                                          "agg_server_status",
                                          "bck",
                                          "conn_rate_max",
                                          "ctime",
                                          "ctime_max",
                                          "qcur",
                                          "qmax",
                                          "qtime",
                                          "qtime_max",
                                          "rate_max",
                                          "req_rate_max",
                                          "rtime",
                                          "rtime_max",
                                          "ttime",
                                          "ttime_max",
                                          "uweight",
                                          "weight"};
// end

std::string_view proxy_status(const state::Proxy& proxy) {
  if (proxy.paused) return "PAUSED";
  return proxy.disabled ? "STOP" : "OPEN";
}

void put_check(Row& row, const state::Server& server) {
  if (!server.check_configured) return;
  state::HealthState check;
  {
    const std::lock_guard lock(server.mutex);
    check = server.check;
  }
  row.optional("check_status", state::name_of(check.status));
  row.optional("check_desc", state::describe(check.status));
  row.optional("last_chk", check.text);
  row.optional("check_code", check.code);
  row.optional("check_duration", check.duration_ms < 0 ? 0 : check.duration_ms);
  row.optional("check_rise", server.rise);
  row.optional("check_fall", server.fall);
  row.optional("check_health", check.health);
  row.optional("chkfail", check.failed_checks);
  row.optional("chkdown", check.went_down);
  row.optional("downtime", server.down_seconds);
}

// "127.0.0.1:80", "[::1]:80" or "unix".
std::string_view write_address(const net::Address& address, std::span<char, 80> out) {
  if (!address.is_ip()) return "unix";
  char* at = out.data();
  const bool six = address.kind() == net::Address::Kind::ipv6;
  if (six) *at++ = '[';
  at += address.ip().write(at);
  if (six) *at++ = ']';
  *at++ = ':';
  at = std::to_chars(at, at + 5, address.port()).ptr;
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

std::string_view protocol_of(const net::Address& address) {
  switch (address.kind()) {
    case net::Address::Kind::ipv6:
      return "tcpv6";
    case net::Address::Kind::ipv4:
      return "tcpv4";
    default:
      return "unix_stream";
  }
}

}  // namespace

void push_frontend_stats(lua_State* L, const state::Proxy& proxy) {
  Row row(L, kFrontend, 96);
  row.all<state::Proxy>(kFrontend, proxy);
  row.counts(kTraffic, proxy.frontend);
  row.responses(proxy.frontend);
  row.zeros(kServersOnly);
  row.zeros(kFrontendZeros);
  row.text("pxname", proxy.name);
  row.text("svname", "FRONTEND");
  row.text("status", proxy_status(proxy));
  row.text("mode", state::name_of(proxy.mode));
  for (const char* name : {"agent_desc", "agent_fall", "qcur"}) row.text(name, "");
  row.done();
}

void push_backend_stats(lua_State* L, const state::Proxy& proxy) {
  Row row(L, kBackend, 100);
  row.all<state::Proxy>(kBackend, proxy);
  row.counts(kTraffic, proxy.backend);
  row.responses(proxy.backend);
  row.zeros(kServersOnly);
  row.zeros(kBackendZeros);
  row.text("pxname", proxy.name);
  row.text("svname", "BACKEND");
  row.text("status", proxy.usable_servers != 0 || proxy.servers.empty() ? "UP" : "DOWN");
  row.text("mode", state::name_of(proxy.mode));
  row.text("algo", proxy.balance_name);
  for (const char* name : {"agent_desc", "agent_fall"}) row.text(name, "");
  row.done();
}

void push_server_stats(lua_State* L, const state::Server& server) {
  Row row(L, kServer, 96);
  net::Address address;
  {
    const std::lock_guard lock(server.mutex);
    address = server.address;
  }
  row.all<state::Server>(kServer, server);
  row.responses(server.counters);
  row.zeros(kServerZeros);
  row.text("pxname", server.proxy->name);
  row.text("svname", server.name);
  row.text("status", server.status_text(server.rise, server.fall));
  row.text("mode", state::name_of(server.proxy->mode));
  row.text("algo", server.proxy->balance_name);
  row.text("proto", protocol_of(address));
  char text[80];
  row.text("addr", write_address(address, text));
  if (!server.cookie.empty()) row.optional("cookie", server.cookie);
  put_check(row, server);
  row.done();
}

void push_listener_stats(lua_State* L, const state::Proxy& proxy,
                         const state::ListenerState& listener) {
  Row row(L, kListener, 80);
  row.all<state::ListenerState>(kListener, listener);
  row.counts(kTraffic, listener.counters);
  row.counts(kListenerCounts, listener.counters);
  row.zeros(kServersOnly);
  row.zeros(kListenerZeros);
  row.integer("iid", proxy.id);
  row.text("pxname", proxy.name);
  row.text("svname", listener.name);
  row.text("status", "OPEN");
  row.text("mode", state::name_of(proxy.mode));
  row.text("addr", listener.address);
  row.text("proto", listener.address.find('/') != std::string::npos   ? "unix_stream"
                    : listener.address.find('[') != std::string::npos ? "tcpv6"
                                                                      : "tcpv4");
  for (const char* name : {"agent_desc", "agent_fall", "algo"}) row.text(name, "");
  row.done();
}

}  // namespace lua
