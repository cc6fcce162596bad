// "bind" lines and their options (the manual's section 5.1), which "stats socket" shares.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "base/text.h"
#include "net/network_namespace.h"
#include "net/resolver.h"

namespace app {

struct BindKeyword;

struct BindContext {
  config::Arguments& args;
  proxy::Bind& bind;
  const BindKeyword& row;
};

struct BindKeyword : config::Keyword {
  bool (*parse)(BindContext&);
  std::string_view note = {};  // why it has no effect, or why it is refused
};

namespace {

constexpr std::string_view kNoTls = "TLS is not available yet";
constexpr std::string_view kSharedSocket = "one socket is shared by all workers";

bool refuse(BindContext& c) {
  return c.args.error_at_previous(fmt::format("'{}' : {}.", c.row.name, c.row.note));
}

std::optional<std::string> value(BindContext& c) {
  auto word = c.args.text(c.row.name);
  if (!word) return std::nullopt;
  return std::string(*word);
}

void no_effect(BindContext& c) {
  if (!c.row.note.empty())
    c.args.diagnostics().diagnostic(c.args.previous(),
                                    fmt::format("'{}' has no effect: {}.", c.row.name, c.row.note));
}

bool take_nothing(BindContext& c) {
  no_effect(c);
  return true;
}
bool take_word(BindContext& c) {
  if (!value(c)) return false;
  no_effect(c);
  return true;
}

template <auto field>
bool flag(BindContext& c) {
  c.bind.listen.*field = true;
  return true;
}

bool accept_proxy(BindContext& c) {
  c.bind.accept_proxy = true;
  return true;
}

bool accept_netscaler(BindContext& c) {
  auto magic = c.args.number("accept-netscaler-cip", 1, UINT32_MAX);
  if (!magic) return false;
  c.bind.accept_netscaler = true;
  c.bind.netscaler_magic = static_cast<std::uint32_t>(*magic);
  return true;
}

bool backlog(BindContext& c) {
  auto n = c.args.number("backlog", 0, INT32_MAX);
  if (n) c.bind.listen.backlog = static_cast<int>(*n);
  return n.has_value();
}

bool user(BindContext& c) {
  auto name = value(c);
  if (!name) return false;
  const passwd* entry = ::getpwnam(name->c_str());
  if (entry == nullptr)
    return c.args.error_at_previous(fmt::format("'user' : '{}' unknown user name.", *name));
  c.bind.listen.unix_uid = static_cast<int>(entry->pw_uid);
  return true;
}

bool group(BindContext& c) {
  auto name = value(c);
  if (!name) return false;
  const ::group* entry = ::getgrnam(name->c_str());
  if (entry == nullptr)
    return c.args.error_at_previous(fmt::format("'group' : '{}' unknown group name.", *name));
  c.bind.listen.unix_gid = static_cast<int>(entry->gr_gid);
  return true;
}

bool uid(BindContext& c) {
  auto n = c.args.number("uid", 0, INT32_MAX);
  if (n) c.bind.listen.unix_uid = static_cast<int>(*n);
  return n.has_value();
}

bool gid(BindContext& c) {
  auto n = c.args.number("gid", 0, INT32_MAX);
  if (n) c.bind.listen.unix_gid = static_cast<int>(*n);
  return n.has_value();
}

bool mode(BindContext& c) {
  auto octal = base::parse_int<int>(c.args.peek(), 8);
  if (!octal || *octal < 0 || *octal > 07777)
    return c.args.error(fmt::format(
        "'mode' : missing or invalid mode '{}' (octal integer expected)", c.args.peek()));
  c.args.next();
  c.bind.listen.unix_mode = *octal;
  return true;
}

bool id(BindContext& c) {
  auto n = base::parse_int<unsigned>(c.args.peek());
  if (!n || *n == 0)
    return c.args.error(
        fmt::format("'id' : expects an integer argument, found '{}'", c.args.peek()));
  c.bind.id = c.args.next();
  return true;
}

bool guid_prefix(BindContext& c) {
  auto text = c.args.text("guid-prefix");
  if (text) c.bind.guid_prefix = *text;
  return text.has_value();
}
bool interface(BindContext& c) {
  auto name = value(c);
  if (!name) return false;
  c.bind.listen.interface = *name;
  return true;
}

bool network(BindContext& c) {
  if (c.args.peek().empty()) return c.args.error("'namespace' : missing namespace id");
  const std::string_view name = c.args.next();
  if (!net::open_namespace(name))
    return c.args.error_at_previous(fmt::format("Cannot open namespace '{}'.", name));
  c.bind.listen.network = name;
  return true;
}

bool level(BindContext& c) {
  static constexpr std::string_view kLevels[] = {"user", "operator", "admin"};
  const auto* at = std::find(std::begin(kLevels), std::end(kLevels), c.args.peek());
  if (at == std::end(kLevels))
    return c.args.error(fmt::format(
        "'level' only supports 'user', 'operator', and 'admin' (got '{}')", c.args.peek()));
  c.args.next();
  c.bind.level.assign(1, static_cast<std::uint8_t>(at - kLevels));
  return true;
}

// Of the lines of statistics sockets; others ignore it (the manual's section 5.1).
bool severity(BindContext& c) {
  const std::string_view word = c.args.peek();
  if (word != "none" && word != "number" && word != "string")
    return c.args.error("'severity-output' only supports 'none', 'number', and 'string'.");
  c.args.next();
  return true;
}

bool expose(BindContext& c) {
  if (!c.args.accept("listeners")) return c.args.error("'expose-fd' expects 'listeners'.");
  no_effect(c);
  return true;
}

bool maximum(BindContext& c) {
  auto n = c.args.number("maxconn", 0, INT32_MAX);
  if (n) c.bind.maximum = static_cast<std::uint32_t>(*n);
  return n.has_value();
}

bool mss(BindContext& c) {
  auto n = c.args.number("mss", -65535, 65535);
  if (n) c.bind.listen.mss = static_cast<unsigned>(*n < 0 ? -*n : *n);
  return n.has_value();
}

bool name(BindContext& c) {
  auto text = value(c);
  if (text) c.bind.name = *text;
  return text.has_value();
}

bool nice(BindContext& c) {
  if (!c.args.number("nice", -1024, 1024)) return false;
  no_effect(c);
  return true;
}

bool process(BindContext& c) {
  return c.args.error_at_previous(
      fmt::format("'process {}' on 'bind' lines is not supported anymore, please use 'thread' "
                  "instead.",
                  c.args.peek()));
}

bool proto(BindContext& c) {
  auto word = value(c);
  if (!word) return false;
  if (*word == "h1" || *word == "none") return true;
  if (*word == "h2") return c.args.error_at_previous("'proto' : HTTP/2 is not available yet.");
  return c.args.error_at_previous(fmt::format("'proto' : unknown MUX protocol '{}'", *word));
}

// "3", "1-4", "1-", "-4", "all", "odd", "even"; reports what is none of these.
bool thread_range(BindContext& c, std::string_view range, unsigned most) {
  if (range == "all" || range == "odd" || range == "even") return true;
  const std::size_t dash = range.find('-');
  const auto check = [&](std::string_view end, std::string_view which) {
    if (end.empty() && dash != range.npos) return true;
    if (end.find('-') != end.npos)
      return c.args.error_at_previous(
          fmt::format("invalid character '-' after thread set specification: '{}'.", end));
    const auto number = base::parse_int<unsigned>(end);
    if (number && *number >= 1 && *number <= most) return true;
    return c.args.error_at_previous(
        fmt::format("invalid {} thread number '{}', permitted range is 1..{}, or 'all', 'odd', "
                    "'even'.",
                    which, end, most));
  };
  if (!check(range.substr(0, dash), "first")) return false;
  return dash == range.npos || check(range.substr(dash + 1), "last");
}

bool thread(BindContext& c) {
  constexpr unsigned kMostThreads = 1024, kMostOfGroup = 64, kMostGroups = 32;
  auto word = value(c);
  if (!word) return false;
  const bool of_groups = word->substr(0, word->find(',')).find('/') != std::string::npos;
  std::string_view rest = *word;
  do {
    std::string_view range = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), range.size() + 1));
    const std::size_t slash = range.find('/');
    if ((slash != range.npos) != of_groups)
      return c.args.error_at_previous(
          fmt::format("{} thread specification '{}' is not permitted after {} thread range.",
                      of_groups ? "absolute" : "group-relative", range,
                      of_groups ? "a group-relative" : "an absolute"));
    if (of_groups) {
      const auto group = base::parse_int<unsigned>(range.substr(0, slash));
      if (!group || *group < 1 || *group > kMostGroups)
        return c.args.error_at_previous(
            fmt::format("invalid thread group number '{}', permitted range is 1..{} in '{}'.",
                        range.substr(0, slash), kMostGroups, range));
      range.remove_prefix(slash + 1);
    }
    if (!thread_range(c, range, of_groups ? kMostOfGroup : kMostThreads)) return false;
  } while (!rest.empty());
  c.bind.thread_set = *word;
  return true;
}

bool time_only(BindContext& c) {
  if (!c.args.time_ms(c.row.name)) return false;
  no_effect(c);
  return true;
}

bool user_timeout(BindContext& c) {
  auto ms = c.args.time_ms("tcp-ut");
  if (ms) c.bind.listen.tcp_user_timeout_ms = static_cast<unsigned>(*ms);
  return ms.has_value();
}

bool md5(BindContext& c) {
  auto secret = value(c);
  if (secret) c.bind.listen.md5_secret = *secret;
  return secret.has_value();
}

bool congestion_control(BindContext& c) {
  auto algorithm = value(c);
  if (algorithm) c.bind.listen.congestion_control = *algorithm;
  return algorithm.has_value();
}

using net::ListenOptions;

constexpr BindKeyword kTable[] = {
    {{"accept-netscaler-cip", "<magic number>", "Expects the NetScaler client IP header first."},
     accept_netscaler},
    {{"accept-proxy", "", "Expects the PROXY protocol on connections."}, accept_proxy},
    {{"backlog", "<backlog>", "How many connections may wait to be accepted."}, backlog},
    {{"cc", "<algo>", "The TCP congestion control."}, congestion_control},
    {{"defer-accept", "", "Accepts connections once they sent something."},
     flag<&ListenOptions::defer_accept>},
    {{"expose-fd", "listeners", "Hands listening sockets to a newer process."},
     expose,
     "a reload happens inside the process"},
    {{"gid", "<gid>", "The group of a unix socket, as a number."}, gid},
    {{"group", "<group>", "The group of a unix socket."}, group},
    {{"guid-prefix", "<string>", "The prefix of the names of this line's listeners."}, guid_prefix},
    {{"id", "<id>", "The listener's number."}, id},
    {{"idle-ping", "<delay>", "Pings idle HTTP/2 connections."},
     time_only,
     "HTTP/2 is not available yet"},
    {{"interface", "<interface>", "Accepts from this network interface only."}, interface},
    {{"label", "<label>", "A label of the listener; nothing shows it."}, take_word},
    {{"level", "user|operator|admin", "What commands a statistics socket allows."}, level},
    {{"maxconn", "<maxconn>", "The most connections of this line at once."}, maximum},
    {{"mode", "<mode>", "The access mode of a unix socket, in octal."}, mode},
    {{"mss", "<maxseg>", "The TCP maximum segment size."}, mss},
    {{"name", "<name>", "Names the listener on the statistics page."}, name},
    {{"namespace", "<name>", "Listens in this network namespace (Linux, ip-netns)."}, network},
    {{"nbconn", "<nbconn>", "Reverse connections to keep."},
     refuse,
     "reverse HTTP is not supported yet"},
    {{"nice", "<nice>", "The priority of connections."},
     nice,
     "exchanges are served in turn, and long scripts give way by themselves"},
    {{"process", "<process-set>", "Removed: use 'thread'."}, process},
    {{"proto", "<name>", "Forces the protocol of connections."}, proto},
    {{"severity-output", "none|number|string",
      "How commands of a statistics socket show severities."},
     severity},
    {{"shards", "<number>|by-thread|by-group", "Sockets for this line."}, take_word, kSharedSocket},
    {{"tcp-md5sig", "<password>", "Signs segments (RFC 2385)."}, md5},
    {{"tcp-ss", "<mode>", "Keeps the SYN packet."}, take_word, "nothing reads it yet"},
    {{"tcp-ut", "<delay>", "The TCP user timeout."}, user_timeout},
    {{"tfo", "", "TCP Fast Open."}, flag<&ListenOptions::fast_open>},
    {{"thread", "[<group>/]<thread-set>", "The workers that serve this line."}, thread},
    {{"transparent", "", "Listens on addresses that are not local."},
     flag<&ListenOptions::transparent>},
    {{"uid", "<uid>", "The user of a unix socket, as a number."}, uid},
    {{"user", "<user>", "The user of a unix socket."}, user},
    {{"v4v6", "", "Accepts IPv4 and IPv6."}, flag<&ListenOptions::v4v6>},
    {{"v6only", "", "Accepts IPv6 only."}, flag<&ListenOptions::v6only>},
    // The TLS ones: those that mean nothing without "ssl" are harmless, "ssl" itself is not.
    {{"ssl", "", "Speaks TLS."}, refuse, kNoTls},
    {{"allow-0rtt", "", "Accepts early data."}, take_nothing, kNoTls},
    {{"alpn", "<protocols>", "The protocols offered."}, take_word, kNoTls},
    {{"ca-file", "<cafile>", "Authorities of client certificates."}, take_word, kNoTls},
    {{"ca-ignore-err", "<list>", "Errors to ignore."}, take_word, kNoTls},
    {{"ca-sign-file", "<cafile>", "Signs generated certificates."}, take_word, kNoTls},
    {{"ca-sign-pass", "<passphrase>", "Its pass phrase."}, take_word, kNoTls},
    {{"ca-verify-file", "<cafile>", "Authorities that are not announced."}, take_word, kNoTls},
    {{"ciphers", "<ciphers>", "Ciphers of TLS 1.2."}, take_word, kNoTls},
    {{"ciphersuites", "<ciphersuites>", "Ciphers of TLS 1.3."}, take_word, kNoTls},
    {{"client-sigalgs", "<sigalgs>", "Client signature algorithms."}, take_word, kNoTls},
    {{"crl-file", "<crlfile>", "Revoked certificates."}, take_word, kNoTls},
    {{"crt", "<cert>", "Certificates."}, refuse, kNoTls},
    {{"crt-ignore-err", "<list>", "Errors to ignore."}, take_word, kNoTls},
    {{"crt-list", "<file>", "A list of certificates."}, refuse, kNoTls},
    {{"curves", "<curves>", "Curves."}, take_word, kNoTls},
    {{"default-crt", "<cert>", "The certificate for unknown names."}, refuse, kNoTls},
    {{"ecdhe", "<named curve>", "The curve of TLS 1.2."}, take_word, kNoTls},
    {{"force-sslv3", "", "SSL 3 only."}, take_nothing, kNoTls},
    {{"force-tlsv10", "", "TLS 1.0 only."}, take_nothing, kNoTls},
    {{"force-tlsv11", "", "TLS 1.1 only."}, take_nothing, kNoTls},
    {{"force-tlsv12", "", "TLS 1.2 only."}, take_nothing, kNoTls},
    {{"force-tlsv13", "", "TLS 1.3 only."}, take_nothing, kNoTls},
    {{"generate-certificates", "", "Makes certificates on demand."}, refuse, kNoTls},
    {{"ktls", "on|off", "TLS in the kernel."}, take_word, kNoTls},
    {{"no-alpn", "", "Offers no protocols."}, take_nothing, kNoTls},
    {{"no-ca-names", "", "Does not name authorities."}, take_nothing, kNoTls},
    {{"no-sslv3", "", "Not SSL 3."}, take_nothing, kNoTls},
    {{"no-strict-sni", "", "Accepts unknown names."}, take_nothing, kNoTls},
    {{"no-tls-tickets", "", "No session tickets."}, take_nothing, kNoTls},
    {{"no-tlsv10", "", "Not TLS 1.0."}, take_nothing, kNoTls},
    {{"no-tlsv11", "", "Not TLS 1.1."}, take_nothing, kNoTls},
    {{"no-tlsv12", "", "Not TLS 1.2."}, take_nothing, kNoTls},
    {{"no-tlsv13", "", "Not TLS 1.3."}, take_nothing, kNoTls},
    {{"npn", "<protocols>", "The protocols offered, an old way."}, take_word, kNoTls},
    {{"prefer-client-ciphers", "", "The client's order of ciphers."}, take_nothing, kNoTls},
    {{"sigalgs", "<sigalgs>", "Signature algorithms."}, take_word, kNoTls},
    {{"ssl-max-ver", "<version>", "The newest version."}, take_word, kNoTls},
    {{"ssl-min-ver", "<version>", "The oldest version."}, take_word, kNoTls},
    {{"strict-sni", "", "Refuses unknown names."}, take_nothing, kNoTls},
    {{"tls-ticket-keys", "<keyfile>", "Keys of session tickets."}, take_word, kNoTls},
    {{"tls-tickets", "", "Session tickets."}, take_nothing, kNoTls},
    {{"verify", "none|optional|required", "Whether clients need certificates."}, take_word, kNoTls},
};

std::vector<net::Ip> any_address(const net::AddressSpec& spec, bool both) {
  const bool v6 = spec.family == AF_INET6 || both;
  return {v6 ? net::Ip::from(in6addr_any) : net::Ip::from(in_addr{INADDR_ANY})};
}

bool add_address(config::Arguments& args, const GlobalSettings& settings, std::string_view text,
                 proxy::Bind& bind, bool datagrams) {
  auto refuse_it = [&](std::string why) {
    return args.error_at_previous(fmt::format("'bind' : {}", why));
  };
  auto spec = net::parse_address(text);
  if (!spec) return refuse_it(spec.error());
  if (datagrams ? spec->is_stream || spec->family == AF_UNIX : spec->is_datagram)
    return refuse_it(fmt::format("{}-type address not acceptable in '{}'",
                                 datagrams ? "stream" : "dgram", text));
  using Kind = net::Address::Kind;
  if (spec->kind == Kind::inherited_fd) {
    bind.addresses.push_back(
        net::Address::inherited(base::parse_int<int>(spec->host).value_or(-1)));
    return true;
  }
  if (spec->kind >= Kind::unix_path && spec->kind <= Kind::abstract_z) {
    std::string path = spec->host;
    if (spec->kind == Kind::unix_path) path = settings.unix_bind.prefix + path;
    bind.addresses.push_back(net::Address::unix_socket(spec->kind, path));
    return true;
  }
  if (!spec->has_port) return refuse_it(fmt::format("missing port specification in '{}'", text));
  if (spec->has_offset)
    return refuse_it(fmt::format("port offset not permitted here in '{}'", text));
  if (spec->port_low == 0) return refuse_it("invalid port '0'");
  bind.listen.multipath |= spec->is_multipath;
  std::vector<net::Ip> ips;
  if (spec->any) {
    ips = any_address(*spec, false);
  } else if (net::Ip ip = net::Ip::parse(spec->host); ip.family != 0) {
    ips = {ip};
  } else {
    auto found =
        net::resolve(spec->host, spec->family, rt::precise_now() + std::chrono::seconds(10));
    if (!found || found->empty())
      return refuse_it(fmt::format("invalid address: '{}' in '{}'", spec->host, text));
    ips = {found->front()};
  }
  const unsigned last = std::max(spec->port_low, spec->port_high);
  for (const net::Ip& ip : ips)
    for (unsigned port = spec->port_low; port <= last; ++port)
      bind.addresses.push_back(net::Address::of(ip, static_cast<std::uint16_t>(port)));
  return true;
}

bool add_addresses(config::Arguments& args, const GlobalSettings& settings, proxy::Bind& bind,
                   bool datagrams) {
  std::string_view rest = args.next();
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (!add_address(args, settings, rest.substr(0, comma), bind, datagrams)) return false;
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
  }
  return true;
}

std::vector<std::string_view> option_names() {
  std::vector<std::string_view> names;
  for (const BindKeyword& row : kTable) names.push_back(row.name);
  return names;
}

bool parse_options(config::Arguments& args, proxy::Bind& bind) {
  bool good = true;
  while (!args.done()) {
    const std::string_view word = args.next();
    const BindKeyword* row = config::find(std::span<const BindKeyword>(kTable), word);
    if (row == nullptr)
      return args.error_at_previous(fmt::format("'bind' : unknown keyword '{}'", word),
                                    did_you_mean(word, option_names()));
    BindContext context{args, bind, *row};
    const std::size_t before = args.index();
    if (!row->parse(context)) {
      good = false;
      if (row->parse != refuse) return false;
      // Go on behind it, so that all of a line is reported.
      if (!row->arguments.empty() && args.index() == before && !args.done()) args.next();
    }
  }
  return good;
}

std::unique_ptr<proxy::Bind> parse_bind(config::Arguments& args, const GlobalSettings& settings,
                                        bool datagrams) {
  auto bind = std::make_unique<proxy::Bind>();
  bind->at = args.line().at();
  bind->listen.unix_mode = settings.unix_bind.mode;
  bind->listen.unix_uid = settings.unix_bind.uid;
  bind->listen.unix_gid = settings.unix_bind.gid;
  bool good = add_addresses(args, settings, *bind, datagrams);
  good = parse_options(args, *bind) && good;
  if (!good) return nullptr;
  if (bind->listen.v4v6)
    for (net::Address& address : bind->addresses)
      if (address.kind() == net::Address::Kind::ipv4 && address.ip().v4.s_addr == INADDR_ANY)
        address = net::Address::of(net::Ip::from(in6addr_any), address.port());
  return bind;
}

bool bind(ProxyContext& context) {
  if (context.args.done())
    return context.args.error(
        "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments.");
  auto bind = parse_bind(context.args, context.assembly.settings(), false);
  if (!bind) return false;
  context.proxy().binds.push_back(std::move(bind));
  return true;
}

constexpr ProxyKeyword kBind[] = {
    {{"bind", "[<address>]:<port_range> [, ...] [param*] | /<path> [, ...] [param*]",
      "Addresses to listen on."},
     kInFrontend,
     bind},
};

}  // namespace

std::vector<const config::Keyword*> bind_options(bool tls) {
  std::vector<const config::Keyword*> rows;
  for (const BindKeyword& row : kTable)
    if (tls == (row.note == kNoTls && row.name != "ssl")) rows.push_back(&row);
  return rows;
}

std::string_view why_bind_option_has_no_effect(std::string_view name) {
  const BindKeyword* row = config::find(std::span<const BindKeyword>(kTable), name);
  return row == nullptr || row->parse == &refuse ? std::string_view() : row->note;
}

std::unique_ptr<proxy::Bind> parse_datagram_bind(config::Arguments& args,
                                                 const GlobalSettings& settings) {
  return parse_bind(args, settings, true);
}

std::span<const ProxyKeyword> bind_keywords() { return kBind; }

}  // namespace app
