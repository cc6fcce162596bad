// What the configuration says about a backend and its servers, as parsed. Backend and server rows
// fill these; a "defaults" section keeps one and its backends begin with a copy. Immutable once the
// backend has started.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/source.h"
#include "net/address.h"
#include "net/connection.h"

namespace expr {
class Expression;
class LogFormat;
}  // namespace expr
namespace obs {
struct LogTarget;
}

namespace upstream {

class Mailer;

struct CheckDraft;
using HealthChecks = std::map<std::string, std::shared_ptr<CheckDraft>, std::less<>>;

enum class PoolPolicy : std::uint8_t { never, safe, aggressive, always };  // http-reuse

// "source": where new connections come from, beyond what ConnectOptions fixes.
struct SourceSettings {
  enum class From : std::uint8_t { unset, address, client, client_ip, header } use = From::unset;
  net::Address transparent;  // usesrc <addr>
  std::string header;        // usesrc hdr_ip(<header>,<occurrence>)
  int occurrence = -1;
};

// TLVs that "proxy-v2-options" asks for.
enum ProxyV2Option : std::uint32_t {
  kProxyV2Ssl = 1,
  kProxyV2CertCn = 2,
  kProxyV2SslCipher = 4,
  kProxyV2CertSig = 8,
  kProxyV2CertKey = 16,
  kProxyV2Authority = 32,
  kProxyV2Crc32c = 64,
  kProxyV2UniqueId = 128,
};

enum class Observe : std::uint8_t { none, layer4, layer7 };
enum class OnError : std::uint8_t { fast_inter, fail_check, sudden_death, mark_down };
enum class InitState : std::uint8_t { none, fully_up, up, down, fully_down };
enum class HashKey : std::uint8_t { id, id32, guid, addr, addr_port };

// How often and where a server is checked.
struct ProbeSettings {
  bool enabled = false;                                                // "check", "agent-check"
  std::int64_t inter_ms = 2000, fast_inter_ms = 0, down_inter_ms = 0;  // 0: inter
  net::AddressSpec address;  // "addr", kind none and no host: the server's
  bool has_address = false;
  std::uint16_t port = 0;    // "port", 0: the server's
  std::string health_check;  // "healthcheck": a section's name, else as the backend says
  bool send_proxy = false;   // check-send-proxy
  std::string agent_send;
};

// One "server" line, merged with its default-server.
struct ServerSettings {
  std::string name;
  std::string address_text;  // as written
  net::AddressSpec spec;     // what it means
  config::Position at;
  unsigned id = 0;  // 0: counted up
  net::ConnectOptions connect;
  SourceSettings source;
  bool has_source = false;  // else the backend's
  std::string cookie, guid, track;
  std::string redirect_prefix;  // redir; empty: requests go to the server
  bool backup = false, disabled = false, non_stick = false;
  bool strict_maximum = false;  // strict-maxconn
  std::uint32_t weight = 1, maximum = 0, minimum = 0, queue_limit = 0;
  std::int64_t slow_start_ms = 0;
  int send_proxy = 0;                  // 0, 1, 2
  std::uint32_t proxy_v2_options = 0;  // ProxyV2Option bits
  std::vector<std::pair<std::uint8_t, std::shared_ptr<expr::LogFormat>>> proxy_v2_tlvs;
  std::int64_t pool_purge_delay_ms = 5000;
  std::int64_t pool_max = -1;  // pool-max-conn, -1 unlimited
  std::uint64_t pool_low = 0;
  std::uint64_t max_reuse = UINT64_MAX;
  std::shared_ptr<expr::Expression> pool_name;  // pool-conn-name
  std::vector<std::string> init_addr;           // in order; empty: last,libc
  std::uint32_t error_limit = 10;
  Observe observe = Observe::none;
  OnError on_error = OnError::fail_check;
  bool shutdown_on_down = false;       // on-marked-down shutdown-sessions
  bool shutdown_backup_on_up = false;  // on-marked-up shutdown-backup-sessions
  InitState init_state = InitState::none;
  HashKey hash_key = HashKey::id;
  int rise = 2, fall = 3;
  bool check_via_socks4 = false;
  bool check_reuse_pool = false;
  std::string check_pool_name;          // check-pool-conn-name
  std::uint64_t log_ring_size = 65536;  // log-bufsize
  bool log_octet_count = false;         // log-proto
  bool check_needs_port = false;        // checked, but nothing on the line says on which port
  ProbeSettings check, agent;
};

enum class HashFunction : std::uint8_t { sdbm, djb2, wt6, crc32, none };
enum class Affinity : std::uint8_t { always, maxconn, maxqueue };  // hash-preserve-affinity

// Bits of retry-on (manual). all-retryable-errors sets several.
enum RetryOn : std::uint32_t {
  kRetryConnFailure = 1,
  kRetryEmptyResponse = 2,
  kRetryJunkResponse = 4,
  kRetryResponseTimeout = 8,
  kRetry0rttRejected = 16,
  kRetryStatus = 32,
};

// Bits of the "cookie" line.
enum CookieFlag : std::uint32_t {
  kCookieRewrite = 1,
  kCookieInsert = 2,
  kCookiePrefix = 4,
  kCookieIndirect = 8,
  kCookieNoCache = 16,
  kCookiePostOnly = 32,
  kCookiePreserve = 64,
  kCookieHttpOnly = 128,
  kCookieSecure = 256,
  kCookieDynamic = 512,
};

struct BackendSettings {
  std::string balance = "random";  // what holds when nothing is said; see "balance"
  bool balance_given = false;
  // Arguments of the algorithm, as far as it takes any.
  std::string balance_name;  // header, parameter, RDP cookie
  std::uint32_t balance_length = 0, balance_depth = 0;
  bool balance_whole = false, balance_path_only = false;  // uri
  bool balance_domain_only = false;                       // hdr
  bool balance_check_post = false;                        // url_param
  std::uint32_t balance_draws = 2;                        // random
  std::shared_ptr<expr::Expression> hash_expression;      // hash
  bool hash_consistent = false;                           // hash-type
  HashFunction hash_function = HashFunction::sdbm;
  bool hash_avalanche = false;
  std::uint32_t hash_balance_factor = 0;
  Affinity hash_affinity = Affinity::always;

  std::uint32_t retries = 3;
  std::uint32_t retry_on = kRetryConnFailure;  // RetryOn bits
  std::vector<std::uint16_t> retry_statuses;
  int redispatch_interval = 0;  // option redispatch: 0 off, -1 last retry only, n every n
  PoolPolicy reuse = PoolPolicy::safe;
  bool persist = false, abort_on_close = false;  // option persist
  bool all_backups = false;                      // option allbackups
  bool transparent = false;
  bool log_health_checks = false;
  bool prefer_last_server = false;
  std::int64_t keep_alive_queue = -1;  // max-keep-alive-queue; -1: no limit
  std::string rdp_cookie;              // persist rdp-cookie; empty: off
  net::ConnectOptions connect;         // "source"
  SourceSettings source;
  std::string name_header;  // http-send-name-header, lower case; empty: none
  // In milliseconds, 0: none. app/ fills these from "timeout …".
  std::int64_t connect_timeout_ms = 0, server_timeout_ms = 0, queue_timeout_ms = 0,
               check_timeout_ms = 0;
  std::uint32_t full_connections = 0;  // fullconn; 0: a tenth of the frontends' maxconn, by app/

  // Cookie persistence.
  std::string cookie_name;
  std::uint32_t cookie_flags = 0;  // CookieFlag bits
  std::vector<std::string> cookie_domains, cookie_attributes;
  std::string dynamic_cookie_key;
  std::int64_t cookie_max_idle_s = 0, cookie_max_life_s = 0;

  // Checks, default-server lines (unnamed and named), state files.
  std::shared_ptr<CheckDraft> check;
  std::shared_ptr<ServerSettings> default_server;
  std::map<std::string, std::shared_ptr<ServerSettings>, std::less<>> named_default_servers;
  enum class StateFrom : std::uint8_t { none, global, local } state_from = StateFrom::none;
  std::string state_file_name;  // server-state-file-name; empty: the backend's name
  std::string state_file;       // path that app/ made of these two; empty: none

  // Filled by app/: where messages about servers go, and facts of the global section.
  std::vector<std::shared_ptr<obs::LogTarget>> log_targets;
  std::string log_tag = "haproxy", log_hostname;
  std::shared_ptr<Mailer> mailer;   // null: no mails
  std::uint32_t spread_checks = 0;  // percent
  std::shared_ptr<const HealthChecks> health_checks;
  std::shared_ptr<expr::LogFormat> unique_id_format;  // for checks
  bool external_checks = false;                       // "external-check"
  bool external_preserve_env = false;
  bool never_local = false;     // pp2-never-send-local
  bool external_forks = false;  // "insecure-fork-wanted"
  std::string external_command, external_path;
};

}  // namespace upstream
