// What may follow the address of a server (manual, section 5.2).
#include <fmt/format.h>

#include <array>

#include "expr/expression.h"
#include "expr/log_format.h"
#include "net/network_namespace.h"
#include "upstream/parse.h"
#include "upstream/parse_source.h"

namespace upstream {

namespace {

using Parse = ServerParse;

// Rows that store one value.
template <auto Member>
bool set_true(Parse& p) {
  p.settings.*Member = true;
  return true;
}
template <auto Member>
bool set_false(Parse& p) {
  p.settings.*Member = false;
  return true;
}
template <auto Member>
bool set_text(Parse& p) {
  const auto text = p.args.text(p.args.line()[p.args.index() - 1]);
  if (text) p.settings.*Member = std::string(*text);
  return text.has_value();
}
std::string_view word_before(Parse& p) { return p.args.line()[p.args.index() - 1]; }

template <auto Member, std::int64_t Low, std::int64_t High>
bool set_number(Parse& p) {
  const auto number = p.args.number(word_before(p), Low, High);
  if (!number) return false;
  using Target = std::remove_reference_t<decltype(p.settings.*Member)>;
  p.settings.*Member = static_cast<Target>(*number);
  return true;
}
template <auto Member>
bool set_time(Parse& p) {
  const auto ms = p.args.time_ms(word_before(p));
  if (ms) p.settings.*Member = *ms;
  return ms.has_value();
}
template <auto Probe, auto Member>
bool set_probe_time(Parse& p) {
  const std::string_view word = word_before(p);
  const auto ms = p.args.time_ms(word);
  if (!ms) return false;
  if (*ms <= 0)
    return p.args.error_at_previous(fmt::format("'{}' expects a time above zero", word));
  (p.settings.*Probe).*Member = *ms;
  return true;
}
template <auto Probe>
bool set_probe_port(Parse& p) {
  const auto port = p.args.number(word_before(p), 1, 65535);
  if (port) (p.settings.*Probe).port = static_cast<std::uint16_t>(*port);
  return port.has_value();
}
template <auto Probe>
bool set_probe_address(Parse& p) {
  const std::string_view word = word_before(p);
  const auto text = p.args.text(word);
  if (!text) return false;
  auto spec = net::parse_address(*text);
  if (!spec) return p.args.error_at_previous(fmt::format("'{}': {}", word, spec.error()));
  ProbeSettings& probe = p.settings.*Probe;
  if (spec->has_port && spec->port_low != 0) probe.port = spec->port_low;
  probe.address = std::move(*spec);
  probe.has_address = true;
  return true;
}
template <auto Probe, bool On>
bool enable_probe(Parse& p) {
  (p.settings.*Probe).enabled = On;
  return true;
}

bool set_socks4(Parse& p) {
  const auto text = p.args.text("socks4");
  if (!text) return false;
  auto spec = net::parse_address(*text);
  if (!spec) return p.args.error_at_previous(fmt::format("'socks4': {}", spec.error()));
  if (!spec->has_port || spec->port_low == 0)
    return p.args.error_at_previous("'socks4' expects <addr>:<port>");
  p.settings.connect.socks4 = net::literal_address(*spec, spec->port_low);
  return p.settings.connect.socks4.is_ip() ||
         p.args.error_at_previous("'socks4' expects a numeric address");
}

bool in_log_mode(Parse& p, std::string_view word) {
  if (p.mode == state::Mode::log) return true;
  return p.args.error_at_previous(fmt::format("'{}' belongs to backends with 'mode log'", word));
}
bool set_log_buffer(Parse& p) {
  if (!in_log_mode(p, "log-bufsize")) return false;
  const auto size = p.args.size("log-bufsize");
  if (size && *size < 64) return p.args.error_at_previous("'log-bufsize' expects at least 64");
  if (size) p.settings.log_ring_size = *size;
  return size.has_value();
}
bool set_log_proto(Parse& p) {
  if (!in_log_mode(p, "log-proto")) return false;
  const std::string_view proto = p.args.next();
  if (proto != "legacy" && proto != "octet-count")
    return p.args.error_at_previous("'log-proto' expects 'legacy' or 'octet-count'");
  p.settings.log_octet_count = proto == "octet-count";
  return true;
}

// A word out of a list.
template <class Value, std::size_t N>
std::optional<Value> choice(Parse& p,
                            const std::array<std::pair<std::string_view, Value>, N>& among) {
  const std::string_view word = word_before(p);
  const auto text = p.args.text(word);
  if (!text) return std::nullopt;
  std::string expected;
  for (const auto& [name, value] : among) {
    if (name == *text) return value;
    expected += fmt::format("{}'{}'", expected.empty() ? "" : ", ", name);
  }
  p.args.error_at_previous(fmt::format("'{}' does not know '{}'", word, *text),
                           "expected " + expected);
  return std::nullopt;
}

bool parse_observe(Parse& p) {
  static constexpr std::array<std::pair<std::string_view, Observe>, 3> kModes{
      {{"none", Observe::none}, {"layer4", Observe::layer4}, {"layer7", Observe::layer7}}};
  const auto mode = choice(p, kModes);
  if (!mode) return false;
  if (*mode == Observe::layer7 && p.mode != state::Mode::http && !p.is_default)
    return p.args.error_at_previous("'observe layer7' needs 'mode http'");
  p.settings.observe = *mode;
  return true;
}

bool parse_on_error(Parse& p) {
  static constexpr std::array<std::pair<std::string_view, OnError>, 4> kModes{
      {{"fastinter", OnError::fast_inter},
       {"fail-check", OnError::fail_check},
       {"sudden-death", OnError::sudden_death},
       {"mark-down", OnError::mark_down}}};
  const auto mode = choice(p, kModes);
  if (mode) p.settings.on_error = *mode;
  return mode.has_value();
}

bool parse_on_marked_down(Parse& p) {
  static constexpr std::array<std::pair<std::string_view, bool>, 1> kActions{
      {{"shutdown-sessions", true}}};
  const auto action = choice(p, kActions);
  if (action) p.settings.shutdown_on_down = *action;
  return action.has_value();
}

bool parse_on_marked_up(Parse& p) {
  static constexpr std::array<std::pair<std::string_view, bool>, 1> kActions{
      {{"shutdown-backup-sessions", true}}};
  const auto action = choice(p, kActions);
  if (action) p.settings.shutdown_backup_on_up = *action;
  return action.has_value();
}

bool parse_init_state(Parse& p) {
  static constexpr std::array<std::pair<std::string_view, InitState>, 5> kStates{
      {{"fully-up", InitState::fully_up},
       {"up", InitState::up},
       {"down", InitState::down},
       {"fully-down", InitState::fully_down},
       {"none", InitState::none}}};
  const auto st = choice(p, kStates);
  if (st) p.settings.init_state = *st;
  return st.has_value();
}

bool parse_hash_key(Parse& p) {
  static constexpr std::array<std::pair<std::string_view, HashKey>, 5> kKeys{
      {{"id", HashKey::id},
       {"id32", HashKey::id32},
       {"guid", HashKey::guid},
       {"addr", HashKey::addr},
       {"addr-port", HashKey::addr_port}}};
  const auto key = choice(p, kKeys);
  if (key) p.settings.hash_key = *key;
  return key.has_value();
}

bool parse_id(Parse& p) {
  if (p.is_default) return p.args.error_at_previous("'id' cannot stand on a 'default-server' line");
  return set_number<&ServerSettings::id, 1, INT32_MAX>(p);
}

bool parse_init_addr(Parse& p) {
  const auto text = p.args.text("init-addr");
  if (!text) return false;
  p.settings.init_addr.clear();
  std::string_view rest = *text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view way = rest.substr(0, comma);
    if (way != "last" && way != "libc" && way != "none" && net::Ip::parse(way).family == 0)
      return p.args.error_at_previous(fmt::format("'init-addr' does not know '{}'", way),
                                      "expected 'last', 'libc', 'none' or an IP address");
    p.settings.init_addr.emplace_back(way);
    if (comma == std::string_view::npos) return true;
    rest.remove_prefix(comma + 1);
  }
}

bool parse_max_reuse(Parse& p) {
  const auto number = p.args.number("max-reuse", -1, INT64_MAX);
  if (!number) return false;
  p.settings.max_reuse = *number < 0 ? UINT64_MAX : static_cast<std::uint64_t>(*number);
  return true;
}

template <int Version, std::uint32_t Options>
bool parse_send_proxy(Parse& p) {
  p.settings.send_proxy = Version;
  p.settings.proxy_v2_options |= Options;
  return true;
}
template <std::uint32_t Options>
bool parse_no_send_proxy_v2(Parse& p) {
  p.settings.proxy_v2_options &= ~Options;
  if (Options == 0) p.settings.send_proxy = 0;
  return true;
}

template <bool on>
bool parse_check_send_proxy(Parse& p) {
  p.settings.check.send_proxy = on;
  return true;
}

bool parse_proxy_v2_options(Parse& p) {
  struct Option {
    std::string_view name;
    std::uint32_t bits;
  };
  static constexpr std::array kOptions{Option{"ssl", kProxyV2Ssl},
                                       Option{"cert-cn", kProxyV2Ssl | kProxyV2CertCn},
                                       Option{"ssl-cipher", kProxyV2Ssl | kProxyV2SslCipher},
                                       Option{"cert-sig", kProxyV2Ssl | kProxyV2CertSig},
                                       Option{"cert-key", kProxyV2Ssl | kProxyV2CertKey},
                                       Option{"authority", kProxyV2Authority},
                                       Option{"crc32c", kProxyV2Crc32c},
                                       Option{"unique-id", kProxyV2UniqueId}};
  const auto text = p.args.text("proxy-v2-options");
  if (!text) return false;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    const auto* found = std::find_if(kOptions.begin(), kOptions.end(),
                                     [name](const Option& option) { return option.name == name; });
    if (found == kOptions.end())
      return p.args.error_at_previous(fmt::format("'proxy-v2-options' does not know '{}'", name));
    if (found->bits & kProxyV2Ssl)
      return p.args.error_at_previous(
          fmt::format("'proxy-v2-options {}' needs TLS, which is not there yet", name));
    p.settings.proxy_v2_options |= found->bits;
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
  p.settings.send_proxy = 2;
  return true;
}

// set-proxy-v2-tlv-fmt(<type>) <fmt>; the word itself carries the type.
bool parse_tlv(Parse& p) {
  const std::string_view word = word_before(p);
  const std::size_t open = word.find('('), close = word.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return p.args.error_at_previous("expected 'set-proxy-v2-tlv-fmt(<type>) <fmt>'");
  std::string_view type = word.substr(open + 1, close - open - 1);
  const bool hex = type.starts_with("0x") || type.starts_with("0X");
  if (hex) type.remove_prefix(2);
  const auto number = base::parse_int<unsigned>(type, hex ? 16 : 10);
  if (!number || *number > 255)
    return p.args.error_at_previous(
        fmt::format("TLV type '{}' is not a number from 0 to 255", type));
  // At the end of the line it has no value.
  const config::Position at = p.args.here();
  auto format = expr::LogFormat::parse(p.args.next(), p.context, at, expr::FormatUse::raw);
  if (format == nullptr) return false;
  p.settings.proxy_v2_tlvs.emplace_back(static_cast<std::uint8_t>(*number), std::move(format));
  return true;
}

bool parse_source_of_server(Parse& p) {
  p.settings.has_source = true;
  return parse_source(p.args, p.settings.connect, p.settings.source, true);
}

bool parse_pool_name(Parse& p) {
  const config::Position at = p.args.here();
  const auto text = p.args.text("pool-conn-name");
  if (!text) return false;
  auto expression = expr::Expression::parse(*text, p.context, at);
  if (!expression)
    return p.args.error_at_previous(fmt::format("'pool-conn-name': {}", expression.error()));
  p.settings.pool_name = std::move(*expression);
  return true;
}

bool parse_tcp_ut(Parse& p) {
  const auto ms = p.args.time_ms("tcp-ut");
  if (ms) p.settings.connect.tcp_user_timeout_ms = static_cast<unsigned>(*ms);
  return ms.has_value();
}

bool parse_md5(Parse& p) {
  const auto secret = p.args.text("tcp-md5sig");
  if (secret) p.settings.connect.md5_secret = *secret;
  return secret.has_value();
}

template <bool On>
bool parse_tfo(Parse& p) {
  p.settings.connect.fast_open = On;
  return true;
}

bool parse_weight(Parse& p) { return set_number<&ServerSettings::weight, 0, 256>(p); }

bool parse_health_check(Parse& p) {
  const auto name = p.args.text("healthcheck");
  if (name) p.settings.check.health_check = std::string(*name);
  return name.has_value();
}

bool parse_agent_send(Parse& p) {
  const auto text = p.args.text("agent-send");
  if (text) p.settings.agent.agent_send = std::string(*text);
  return text.has_value();
}

bool parse_proto(Parse& p) {
  const auto text = p.args.text(word_before(p));
  if (!text) return false;
  if (*text == "h1" || *text == "none") return true;
  return p.args.error_at_previous(fmt::format("protocol '{}' to servers is not there yet", *text));
}

bool parse_ws(Parse& p) {
  const auto text = p.args.text("ws");
  if (!text) return false;
  if (*text == "auto" || *text == "h1") return true;
  return p.args.error_at_previous(fmt::format("'ws {}' is not there yet", *text));
}

bool parse_congestion_control(Parse& p) {
  const auto name = p.args.text("cc");
  if (name) p.settings.connect.congestion_control = std::string(*name);
  return name.has_value();
}

// Words whose feature is not built yet are known and refused, so that nothing is silently ignored.
bool needs_tls(Parse& p) {
  return p.args.error_at_previous(
      fmt::format("'{}' needs TLS to servers, which is not there yet", word_before(p)));
}
bool parse_namespace(Parse& p) {
  if (p.args.peek().empty()) return p.args.error("'namespace' : expects <name> as argument.");
  const std::string_view name = p.args.next();
  if (p.mode == state::Mode::log)
    return p.args.error_at_previous("'namespace' is not there yet for servers of 'mode log'");
  if (name != net::kNamespaceOfClient && !net::open_namespace(name))
    return p.args.error_at_previous(fmt::format("Cannot open namespace '{}'.", name));
  p.settings.connect.network = name;
  return true;
}
bool needs_resolvers(Parse& p) {
  return p.args.error_at_previous(
      fmt::format("'{}' needs 'resolvers' sections, which are not there yet", word_before(p)));
}
bool needs_http2(Parse& p) {
  return p.args.error_at_previous(
      fmt::format("'{}' needs HTTP/2, which is not there yet", word_before(p)));
}
bool needs_peers(Parse& p) {
  return p.args.error_at_previous(
      fmt::format("'{}' needs 'peers' sections, which are not there yet", word_before(p)));
}
bool only_after_source(Parse& p) {
  return p.args.error_at_previous("'usesrc' only allowed after a 'source' statement.");
}
// What resets something that is never set.
bool nothing_to_reset(Parse&) { return true; }

using S = ServerSettings;
using P = ProbeSettings;

constexpr ServerRow kRows[] = {
    {{"addr", "<ip>", "Address that health checks connect to instead of the server's."},
     set_probe_address<&S::check>},
    {{"agent-addr", "<addr>", "Address that agent checks connect to."},
     set_probe_address<&S::agent>},
    {{"agent-check", "", "Asks an agent beside the server for weight and state."},
     enable_probe<&S::agent, true>},
    {{"agent-inter", "<delay>", "Interval of agent checks."},
     set_probe_time<&S::agent, &P::inter_ms>},
    {{"agent-port", "<port>", "Port that agent checks connect to."}, set_probe_port<&S::agent>},
    {{"agent-send", "<string>", "Text sent to the agent upon connection."}, parse_agent_send},
    {{"backup", "", "Used only when no other server is."}, set_true<&S::backup>},
    {{"cc", "<algo>", "TCP congestion control of connections to the server."},
     parse_congestion_control},
    {{"check", "", "Enables health checks."}, enable_probe<&S::check, true>},
    {{"check-send-proxy", "", "Sends a PROXY header in health checks."},
     parse_check_send_proxy<true>},
    {{"cookie", "<value>", "Value of the persistence cookie that stands for this server."},
     set_text<&S::cookie>},
    {{"disabled", "", "Starts in maintenance."}, set_true<&S::disabled>},
    {{"downinter", "<delay>", "Interval of checks while the server is down."},
     set_probe_time<&S::check, &P::down_inter_ms>},
    {{"enabled", "", "Takes an inherited \"disabled\" back."}, set_false<&S::disabled>},
    {{"error-limit", "<count>", "Consecutive errors of traffic that trigger on-error."},
     set_number<&S::error_limit, 1, INT32_MAX>},
    {{"fall", "<count>", "Failed checks in a row after which the server is down."},
     set_number<&S::fall, 1, 1000000>},
    {{"fastinter", "<delay>", "Interval of checks while the server changes state."},
     set_probe_time<&S::check, &P::fast_inter_ms>},
    {{"guid", "<string>", "Globally unique name."}, set_text<&S::guid>},
    {{"hash-key", "<key>", "What the server's points on the hash ring derive from."},
     parse_hash_key},
    {{"id", "<value>", "Persistent numeric id."}, parse_id},
    {{"init-addr", "<ways>", "How a name becomes an address at start."}, parse_init_addr},
    {{"init-state", "<state>", "Health before the first check."}, parse_init_state},
    {{"inter", "<delay>", "Interval of health checks."}, set_probe_time<&S::check, &P::inter_ms>},
    {{"max-reuse", "<count>", "How often a connection may be used again."}, parse_max_reuse},
    {{"maxconn", "<maxconn>", "Most concurrent connections or requests."},
     set_number<&S::maximum, 0, UINT32_MAX>},
    {{"maxqueue", "<maxqueue>", "Most requests that wait for this server."},
     set_number<&S::queue_limit, 0, UINT32_MAX>},
    {{"minconn", "<minconn>", "Lower end of a maxconn that follows the backend's load."},
     set_number<&S::minimum, 0, UINT32_MAX>},
    {{"no-agent-check", "", "Takes an inherited \"agent-check\" back."},
     enable_probe<&S::agent, false>},
    {{"no-backup", "", "Takes an inherited \"backup\" back."}, set_false<&S::backup>},
    {{"no-check", "", "Takes an inherited \"check\" back."}, enable_probe<&S::check, false>},
    {{"no-check-send-proxy", "", "Takes an inherited \"check-send-proxy\" back."},
     parse_check_send_proxy<false>},
    {{"no-check-ssl", "", "Takes an inherited \"check-ssl\" back."}, nothing_to_reset},
    {{"no-send-proxy", "", "Takes an inherited \"send-proxy\" back."}, parse_send_proxy<0, 0>},
    {{"no-send-proxy-v2", "", "Takes an inherited \"send-proxy-v2\" back."},
     parse_no_send_proxy_v2<0>},
    {{"no-ssl", "", "Takes an inherited \"ssl\" back."}, nothing_to_reset},
    {{"no-tfo", "", "Takes an inherited \"tfo\" back."}, parse_tfo<false>},
    {{"no-verifyhost", "", "Takes an inherited \"verifyhost\" back."}, nothing_to_reset},
    {{"non-stick", "", "Never entered into stick tables."}, set_true<&S::non_stick>},
    {{"observe", "<mode>", "Lets traffic adjust health."}, parse_observe},
    {{"on-error", "<mode>", "What enough consecutive errors of traffic do."}, parse_on_error},
    {{"on-marked-down", "<action>", "What happens to sessions when the server goes down."},
     parse_on_marked_down},
    {{"on-marked-up", "<action>", "What happens to backup sessions when the server comes up."},
     parse_on_marked_up},
    {{"pool-conn-name", "<expr>", "Keeps idle connections of different names apart."},
     parse_pool_name},
    {{"pool-low-conn", "<max>", "Idle connections below which threads do not share them."},
     set_number<&S::pool_low, 0, INT64_MAX>},
    {{"pool-max-conn", "<max>", "Most idle connections kept."},
     set_number<&S::pool_max, -1, INT32_MAX>},
    {{"pool-purge-delay", "<delay>", "Interval at which half of the idle connections are closed."},
     set_time<&S::pool_purge_delay_ms>},
    {{"port", "<port>", "Port that health checks connect to."}, set_probe_port<&S::check>},
    {{"proto", "<name>", "Protocol spoken to the server."}, parse_proto},
    {{"proxy-v2-options", "<option>[,<option>]*", "Fields added to a version 2 PROXY header."},
     parse_proxy_v2_options},
    {{"redir", "<prefix>", "Redirects GET and HEAD requests to where the prefix leads."},
     set_text<&S::redirect_prefix>},
    {{"rise", "<count>", "Good checks in a row after which the server is up."},
     set_number<&S::rise, 1, 1000000>},
    {{"send-proxy", "", "Sends a version 1 PROXY header."}, parse_send_proxy<1, 0>},
    {{"send-proxy-v2", "", "Sends a version 2 PROXY header."}, parse_send_proxy<2, 0>},
    {{"set-proxy-v2-tlv-fmt(", "<type>) <fmt>", "Adds a field to a version 2 PROXY header."},
     parse_tlv},
    {{"slowstart", "<delay>", "Time over which weight and maxconn grow after the server came up."},
     set_time<&S::slow_start_ms>},
    {{"source", "<addr>[:<port>] …", "Where connections to the server come from."},
     parse_source_of_server},
    {{"stick", "", "Entered into stick tables."}, set_false<&S::non_stick>},
    {{"tcp-ut", "<delay>", "TCP user timeout of connections to the server."}, parse_tcp_ut},
    {{"tfo", "", "TCP fast open towards the server."}, parse_tfo<true>},
    {{"track", "[<backend>/]<server>", "Takes its state from another server's checks."},
     set_text<&S::track>},
    {{"weight", "<weight>", "Share of the load, relative to the other servers."}, parse_weight},
    {{"ws", "{ auto | h1 | h2 }", "Protocol for websockets."}, parse_ws},
    // Not built yet.
    {{"allow-0rtt", "", "Early data towards the server."}, needs_tls},
    {{"alpn", "<protocols>", "Protocols offered in TLS."}, needs_tls},
    {{"ca-file", "<cafile>", "Authorities that verify the server."}, needs_tls},
    {{"check-alpn", "<protocols>", "Protocols offered by checks."}, needs_tls},
    {{"check-pool-conn-name", "<name>", "Name of pooled connections for checks."},
     set_text<&S::check_pool_name>},
    {{"check-proto", "<name>", "Protocol of checks."}, parse_proto},
    {{"check-reuse-pool", "", "Lets HTTP checks go over idle connections."},
     set_true<&S::check_reuse_pool>},
    {{"check-sni", "<sni>", "Server name in checks."}, needs_tls},
    {{"check-sni-auto", "", "Server name in checks from the Host header."}, needs_tls},
    {{"check-ssl", "", "Checks over TLS."}, needs_tls},
    {{"check-via-socks4", "", "Checks through the SOCKS4 server as well."},
     set_true<&ServerSettings::check_via_socks4>},
    {{"ciphers", "<ciphers>", "TLS ciphers."}, needs_tls},
    {{"ciphersuites", "<ciphersuites>", "TLS 1.3 cipher suites."}, needs_tls},
    {{"client-sigalgs", "<sigalgs>", "Signature algorithms of client authentication."}, needs_tls},
    {{"crl-file", "<crlfile>", "Revoked certificates."}, needs_tls},
    {{"crt", "<cert>", "Client certificate."}, needs_tls},
    {{"curves", "<curves>", "TLS curves."}, needs_tls},
    {{"force-sslv3", "", "SSL 3 only."}, needs_tls},
    {{"force-tlsv10", "", "TLS 1.0 only."}, needs_tls},
    {{"force-tlsv11", "", "TLS 1.1 only."}, needs_tls},
    {{"force-tlsv12", "", "TLS 1.2 only."}, needs_tls},
    {{"force-tlsv13", "", "TLS 1.3 only."}, needs_tls},
    {{"healthcheck", "<name>", "Checks as a healthcheck section says."}, parse_health_check},
    {{"idle-ping", "<delay>", "Pings on idle connections."}, needs_http2},
    {{"ktls", "<on|off>", "TLS in the kernel."}, needs_tls},
    {{"log-bufsize", "<bufsize>", "Bytes that wait for a log server on a stream."}, set_log_buffer},
    {{"log-proto", "legacy|octet-count", "How lines are framed for a log server on a stream."},
     set_log_proto},
    {{"namespace", "<name>",
      "Network namespace of connections and checks; * is the one of the client, as the listener or "
      "an accepted PROXY header tells."},
     parse_namespace},
    {{"no-check-reuse-pool", "", "Takes \"check-reuse-pool\" back."},
     set_false<&S::check_reuse_pool>},
    {{"no-check-sni-auto", "", "Takes \"check-sni-auto\" back."}, nothing_to_reset},
    {{"no-renegotiate", "", "No TLS renegotiation."}, needs_tls},
    {{"no-send-proxy-v2-ssl", "", "Takes \"send-proxy-v2-ssl\" back."}, nothing_to_reset},
    {{"no-send-proxy-v2-ssl-cn", "", "Takes \"send-proxy-v2-ssl-cn\" back."}, nothing_to_reset},
    {{"no-sni-auto", "", "Takes \"sni-auto\" back."}, nothing_to_reset},
    {{"no-ssl-reuse", "", "No TLS session reuse."}, needs_tls},
    {{"no-sslv3", "", "No SSL 3."}, needs_tls},
    {{"no-tls-tickets", "", "No TLS tickets."}, needs_tls},
    {{"no-tlsv10", "", "No TLS 1.0."}, needs_tls},
    {{"no-tlsv11", "", "No TLS 1.1."}, needs_tls},
    {{"no-tlsv12", "", "No TLS 1.2."}, needs_tls},
    {{"no-tlsv13", "", "No TLS 1.3."}, needs_tls},
    {{"npn", "<protocols>", "Protocols offered by NPN."}, needs_tls},
    {{"renegotiate", "", "TLS renegotiation."}, needs_tls},
    {{"resolve-net", "<network>", "Preferred networks of resolved addresses."}, needs_resolvers},
    {{"resolve-opts", "<option>", "Options of name resolution at run time."}, needs_resolvers},
    {{"resolve-prefer", "<family>", "Preferred family of resolved addresses."}, needs_resolvers},
    {{"resolvers", "<id>", "Name resolution at run time."}, needs_resolvers},
    {{"send-proxy-v2-ssl", "", "Version 2 PROXY header with TLS facts."}, needs_tls},
    {{"send-proxy-v2-ssl-cn", "", "Version 2 PROXY header with the certificate's name."},
     needs_tls},
    {{"shard", "<shard>", "Shard of a peer."}, needs_peers},
    {{"sigalgs", "<sigalgs>", "Signature algorithms."}, needs_tls},
    {{"sni", "<expression>", "Server name in TLS."}, needs_tls},
    {{"sni-auto", "", "Server name from the Host header."}, needs_tls},
    {{"socks4", "<addr>:<port>", "A SOCKS4 server on the way to the server."}, set_socks4},
    {{"ssl", "", "TLS to the server."}, needs_tls},
    {{"ssl-max-ver", "<version>", "Highest TLS version."}, needs_tls},
    {{"ssl-min-ver", "<version>", "Lowest TLS version."}, needs_tls},
    {{"ssl-reuse", "", "TLS session reuse."}, needs_tls},
    {{"strict-maxconn", "", "Never more connections than maxconn, idle ones counted."},
     set_true<&S::strict_maximum>},
    {{"tcp-md5sig", "<password>", "Signs segments (RFC 2385)."}, parse_md5},
    {{"tls-tickets", "", "TLS tickets."}, needs_tls},
    {{"usesrc", "<address>", "Stands behind \"source\" only."}, only_after_source},
    {{"verify", "<mode>", "Whether the server's certificate is verified."}, needs_tls},
    {{"verifyhost", "<hostname>", "Name that the certificate must carry."}, needs_tls},
};

}  // namespace

std::span<const ServerRow> server_keywords() { return kRows; }

}  // namespace upstream
