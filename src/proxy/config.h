// The settings of one frontend, backend or listen section, frozen once all sections were read, and
// the whole generation of them. Built by app/, read by the engine on all workers.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expr/log_profile.h"
#include "net/listener.h"
#include "obs/log.h"
#include "proxy/header_case.h"
#include "rules/ruleset.h"
#include "state/registry.h"
#include "upstream/backend.h"

namespace rules {
class ReplyTemplate;
}

namespace proxy {

struct Timeouts {  // kForever: none
  rt::Duration client = rt::kForever, server = rt::kForever, connect = rt::kForever,
               queue = rt::kForever, http_request = rt::kForever, http_keep_alive = rt::kForever,
               tunnel = rt::kForever, client_fin = rt::kForever, server_fin = rt::kForever,
               tarpit = rt::kForever, check = rt::kForever, client_hs = rt::kForever;
};

// "option …" flags as a bit each; names in app/'s option table.
enum class Option : std::uint8_t {
  dontlognull,
  dontlog_normal,
  log_separate_errors,
  logasap,
  tcpka,
  clitcpka,
  srvtcpka,
  nolinger,
  httpclose,
  http_server_close,
  http_keep_alive_off,
  prefer_last_server,
  http_buffer_request,
  http_no_delay,
  http_ignore_probes,
  http_use_proxy_header,
  http_pretend_keepalive,
  abortonclose,
  accept_unsafe_request,
  accept_unsafe_response,
  independent_streams,
  socket_stats,
  contstats,
  splice_auto,
  splice_request,
  splice_response,
  forwardfor,
  originalto,
  forwarded,
  checkcache,
  transparent,
  persist_off,
  allbackups,
  log_health_checks,
  h1_case_adjust_bogus_client,
  h1_case_adjust_bogus_server,
  http_drop_request_trailers,
  http_drop_response_trailers,
  tcp_smart_accept,
  tcp_smart_connect,
  idle_close_on_response,
  use_small_buffers,
  disable_h2_upgrade,
  http_restrict_reject,
  http_restrict_delete,
  abortonclose_off,
  count_
};
class Options {
 public:
  bool has(Option o) const { return bits_ >> static_cast<unsigned>(o) & 1; }
  void set(Option o, bool on) {
    std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned>(o);
    bits_ = on ? bits_ | bit : bits_ & ~bit;
  }

 private:
  std::uint64_t bits_ = 0;
};

// One "bind" line: possibly several addresses and ports, all with the same options.
struct Bind {
  config::Position at;
  std::vector<net::Address> addresses;
  net::ListenOptions listen;
  std::string name;
  bool accept_proxy = false;
  bool accept_netscaler = false;
  std::uint32_t netscaler_magic = 0;  // of "accept-netscaler-cip", for expect-netscaler-cip too
  std::uint32_t maximum = 0;
  std::vector<state::ListenerState*> states;  // one an address
  std::vector<std::uint8_t> level;            // stats socket level, CLI binds only
  std::string thread_set;
  std::string guid_prefix;
  std::string id;
};

struct ForwardFor {
  bool enabled = false, if_none = false;
  std::string header = "x-forwarded-for";
  std::vector<std::pair<net::Ip, unsigned>> except;  // network, prefix length
};

// "option forwarded": which parts of the Forwarded header (RFC 7239) are written, from the
// connection or from an expression.
struct Forwarded {
  struct Part {
    bool given = false;
    std::shared_ptr<expr::Expression> expression;  // null: from the connection
  };
  bool enabled = false, proto = false;
  Part host, by, by_port, from, from_port;
};

struct StatsSettings {  // "stats …" of a proxy
  bool enabled = false;
  std::string uri = "/haproxy?stats", realm = "HAProxy Statistics", description, node;
  std::int64_t refresh_s = 0;
  bool show_legends = false, show_modules = false, hide_version = false, show_node = false;
  std::vector<std::pair<std::string, std::string>> users;  // "stats auth user:password"
  std::vector<std::string> scopes;
  rules::Ruleset rules;                                                  // "stats http-request"
  std::vector<std::pair<bool, std::unique_ptr<expr::Condition>>> admin;  // "stats admin if …"
};

// Error bodies by status: errorfile, errorloc, http-error, http-errors sections.
struct ErrorReplies {
  std::map<std::uint16_t, std::shared_ptr<const txn::Reply>> by_status;
  // "http-error" lines with log formats; they come before by_status.
  std::map<std::uint16_t, std::shared_ptr<const rules::ReplyTemplate>> made;
};

struct UseBackend {
  std::unique_ptr<expr::Condition> condition;  // null: always
  state::Proxy* fixed = nullptr;
  std::shared_ptr<expr::LogFormat> dynamic;  // "%[…]"
  config::Position at;
};

// A "stick" rule: its key, and what is done with the entry.
struct StickRule {
  std::unique_ptr<expr::Expression> key;
  std::unique_ptr<expr::Condition> condition;
  state::StickTable* table = nullptr;
  bool match = false, store_request = false, store_response = false;
};

struct UseServer {
  std::unique_ptr<expr::Condition> condition;
  state::Server* fixed = nullptr;
  std::shared_ptr<expr::LogFormat> dynamic;
  config::Position at;
};

// "filter" lines, and the order in which each direction passes them ("filter-sequence").
struct FilterLines {
  std::vector<std::shared_ptr<rules::Filter>> all;
  std::vector<rules::Filter*> request, response;
  bool empty() const { return all.empty(); }
};

struct Capture {
  bool is_cookie = false;
  std::string name;
  std::uint32_t length = 0;
};

// When a frontend logs of its own accord.
struct LogPlan {
  std::uint32_t steps = 0;  // a bit for each txn::LogOrigin
  bool once = true;         // at the first of them only
  bool announces = false;   // there is no format: "Connect from ..."
  bool has(txn::LogOrigin origin) const { return steps >> static_cast<unsigned>(origin) & 1; }
  void add(txn::LogOrigin origin) { steps |= 1u << static_cast<unsigned>(origin); }
};

struct Proxy {
  std::string name;
  config::Position at;
  state::Proxy* state = nullptr;
  state::Mode mode = state::Mode::tcp;
  bool disabled = false;
  Timeouts timeouts;
  Options options;
  std::string log_tag;  // empty: the process's

  // frontend side
  std::vector<std::unique_ptr<Bind>> binds;
  net::SocketTuning client_tuning;
  std::uint32_t maximum = 0, backlog = 0;
  std::uint32_t rate_limit_sessions = 0;
  std::int64_t session_servers = 5;  // max-session-srv-conns
  rules::Ruleset tcp_connection, tcp_session, tcp_request;
  rt::Duration inspect_delay = rt::Duration::zero();
  std::vector<UseBackend> use_backend;
  std::vector<std::unique_ptr<expr::Condition>> force_switch;
  state::Proxy* default_backend = nullptr;
  std::string monitor_uri;
  std::vector<std::unique_ptr<expr::Condition>> monitor_fail;
  Capture cookie_capture;
  std::shared_ptr<expr::LogFormat> log_format, error_log_format, log_format_sd, unique_id_format;
  std::string unique_id_header;
  std::vector<std::shared_ptr<obs::LogTarget>> log_targets;  // with those of "log global"
  // One for each target, null where it has none; empty when no target has one.
  std::vector<std::shared_ptr<const expr::LogProfile>> log_profiles;
  LogPlan log_plan;
  bool log_may_wait = false;  // a line about traffic calls a script

  // both
  rules::Ruleset http_request, http_response, http_after_response, tcp_response;
  rt::Duration response_inspect_delay = rt::Duration::zero();
  FilterLines filters;
  ErrorReplies errors;
  ForwardFor forward_for;
  ForwardFor original_to;
  Forwarded forwarded;
  StatsSettings stats;
  std::map<std::string, std::shared_ptr<expr::Acl>, std::less<>> acls;

  // backend side
  std::unique_ptr<upstream::Backend> backend;
  std::vector<UseServer> use_server;
  std::vector<UseServer> force_persist, ignore_persist;
  std::vector<std::shared_ptr<const StickRule>> stick_rules;

  bool is_frontend() const { return state->capabilities & state::kFrontend; }
  bool is_backend() const { return state->capabilities & state::kBackend; }
};

// A "log-forward" section: lines that come in and where they go (manual section 12.6).
struct LogForward {
  enum class Host : std::uint8_t { replace, fill, keep, append };
  std::string name;
  std::vector<std::unique_ptr<Bind>> binds, datagram_binds;
  std::vector<std::shared_ptr<obs::LogTarget>> log_targets;
  std::uint32_t maximum = 10;  // connections at once
  std::uint32_t backlog = 0;
  rt::Duration client_timeout = rt::kForever;
  bool parse = true;        // option dont-parse-log
  bool lines_only = false;  // option assume-rfc6587-ntf
  Host host = Host::fill;
};

// After how many wrong messages a connection ends (tune.h1.fe/be.glitches-threshold; 0: never), and
// how busy, in percent, a worker must be to end that of a client at once
// (tune.glitches.kill.cpu-usage).
struct GlitchLimits {
  std::uint32_t client = 0, server = 0, load = 0;
};

// Everything the engine runs on.
struct Config {
  state::Registry* registry = nullptr;
  std::vector<std::unique_ptr<Proxy>> proxies;
  std::vector<std::shared_ptr<obs::LogTarget>> log_targets;  // global "log"
  std::vector<std::unique_ptr<LogForward>> log_forwards;
  expr::LogProfiles log_profiles;
  std::string log_tag = "haproxy";
  std::string log_send_hostname;
  std::size_t buffer_size = 16384;     // tune.bufsize
  bool accept_any_payload = false;     // h1-accept-payload-with-any-method
  std::size_t rewrite_reserve = 1024;  // tune.maxrewrite
  std::size_t max_headers = 101;
  HeaderCases header_cases;                // h1-case-adjust
  bool reject_privileged_ports = false;    // harden.reject-privileged-ports.tcp
  bool keep_insecure_connections = false;  // h1-do-not-close-on-insecure-transfer-encoding
  std::size_t cookie_length = 64;          // tune.http.cookielen
  std::int64_t close_spread_ms = 0;        // close-spread-time; -1: "infinite"
  GlitchLimits glitches;
  // Null unless the option is set.
  const HeaderCases* cases_for(const Proxy& of, Option option) const {
    return of.options.has(option) ? &header_cases : nullptr;
  }
  std::uint32_t maximum_connections = 0;
  bool retry_bodies = true;
  std::bitset<1000> error_statuses, failure_statuses;  // http-err-codes, http-fail-codes
  ErrorReplies errors;

  Proxy* of(const state::Proxy* st) const;  // O(1); null for null
  std::vector<Proxy*> by_index;
  void freeze();  // once all sections were read: makes of() work
};

// The running configuration.
const Config& running();

}  // namespace proxy
