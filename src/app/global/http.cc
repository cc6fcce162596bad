// HTTP: header case, status classes, and the client that scripts use (the manual's section 3.4).
#include <fmt/format.h>

#include <fstream>
#include <string>

#include "app/global/keyword.h"
#include "base/text.h"

namespace app {

namespace {

bool add_case(GlobalContext& context, std::string_view from, std::string_view to) {
  if (!base::iequals(from, to))
    return context.args.error_at_previous("<from> and <to> must not differ except the case");
  for (const CaseAdjustment& row : context.settings.case_adjustments)
    if (row.from == from)
      return context.args.error_at_previous(fmt::format("duplicate header name '{}'", from));
  context.settings.case_adjustments.push_back({base::to_lower(from), std::string(to)});
  return true;
}

bool case_adjust(GlobalContext& context) {
  if (context.args.line().size() < 3)
    return context.args.error("'h1-case-adjust' expects <from> and <to> as argument.");
  const std::string_view from = context.args.next();
  return add_case(context, from, context.args.next());
}

bool case_adjust_file(GlobalContext& context) {
  auto path = context.args.text("h1-case-adjust-file");
  if (!path) return false;
  std::ifstream file{std::string(*path)};
  if (!file) return context.args.error_at_previous(fmt::format("cannot open file '{}'", *path));
  std::string from, to;
  while (file >> from) {
    if (from.starts_with('#')) {
      std::getline(file, to);
    } else if (!(file >> to) || !add_case(context, from, to)) {
      return context.args.error_at_previous(fmt::format("'{}' : bad line in '{}'", from, *path));
    }
  }
  return true;
}

// <low>[-<high>] over statuses 100 to 599; what has no sign replaces the default.
bool apply_range(std::vector<bool>& set, char sign, std::string_view range, bool& replaced) {
  const std::size_t dash = range.find('-');
  auto low = base::parse_int<int>(range.substr(0, dash));
  auto high = dash == range.npos ? low : base::parse_int<int>(range.substr(dash + 1));
  if (!low || !high || *low < 100 || *high > 599 || *low > *high) return false;
  if (sign == 0 && !replaced) {
    set.assign(600, false);
    replaced = true;
  }
  for (int status = *low; status <= *high; ++status)
    set[static_cast<std::size_t>(status)] = sign != '-';
  return true;
}

// A sign in front of a word holds for all of its ranges.
bool status_ranges(GlobalContext& context, std::vector<bool>& set, int default_low,
                   int default_high, std::initializer_list<int> not_default = {}) {
  if (context.args.done())
    return context.args.error(fmt::format("'{}' expects status code ranges.", context.row.name));
  if (set.empty()) {
    set.assign(600, false);
    for (int status = default_low; status <= default_high; ++status)
      set[static_cast<std::size_t>(status)] = true;
    for (int status : not_default) set[static_cast<std::size_t>(status)] = false;
  }
  bool replaced = false;
  while (!context.args.done()) {
    std::string_view rest = context.args.next();
    const char sign = rest.starts_with('+') || rest.starts_with('-') ? rest[0] : 0;
    if (sign != 0) rest.remove_prefix(1);
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view range = rest.substr(0, comma);
      if (!apply_range(set, sign, range, replaced))
        return context.args.error_at_previous(fmt::format(
            "Invalid status codes range '{}' in '{}'. Ranges must be in the form "
            "[+-]{{low[-{{high}}]}}[,...] with codes between 100 and 599 in ascending order.",
            range, context.row.name));
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
  }
  return true;
}

bool error_codes(GlobalContext& context) {
  return status_ranges(context, context.settings.error_statuses, 400, 499);
}
bool failure_codes(GlobalContext& context) {
  return status_ranges(context, context.settings.failure_statuses, 500, 599, {501, 505});
}

bool accept_family(GlobalContext& context) {
  auto word = context.args.text("dns-accept-family");
  if (!word) return false;
  if (*word != "auto" && *word != "ipv4" && *word != "ipv6" && *word != "ipv4,ipv6" &&
      *word != "ipv6,ipv4")
    return context.args.error_at_previous(fmt::format(
        "'dns-accept-family' expects a comma-delimited list of 'ipv4' and 'ipv6' but got '{}'.",
        *word));
  context.settings.texts["dns-accept-family"] = *word;
  return true;
}

bool prefer(GlobalContext& context) {
  const std::string_view word = context.args.peek();
  if (word != "ipv4" && word != "ipv6")
    return context.args.error("'httpclient.resolvers.prefer' expects 'ipv4' or 'ipv6'.");
  return take_text(context);
}

bool verify(GlobalContext& context) {
  const std::string_view word = context.args.peek();
  if (word != "none" && word != "required")
    return context.args.error(
        fmt::format("'{}' expects 'none' or 'required' as argument.", context.row.name));
  return take_text(context);
}

constexpr std::string_view kNoTls = "TLS is not available yet";
constexpr std::string_view kNoResolvers =
    "there are no resolvers sections yet; the system resolves names";

constexpr GlobalKeyword kTable[] = {
    {{"dns-accept-family", "<family>[,...]", "The address families resolvers ask for."},
     accept_family,
     nullptr,
     0,
     0,
     kNoResolvers},
    {{"h1-accept-payload-with-any-method", "",
      "Accepts bodies with methods that give them no meaning."},
     take_flag},
    {{"h1-case-adjust", "<from> <to>", "Writes this header name with other case."}, case_adjust},
    {{"h1-case-adjust-file", "<hdrs-file>", "Reads such names from a file."}, case_adjust_file},
    {{"h1-do-not-close-on-insecure-transfer-encoding", "",
      "Keeps the connection after a length beside chunked encoding."},
     take_flag},
    {{"h2-workaround-bogus-websocket-clients", "", "Does not announce extended CONNECT."},
     take_flag,
     nullptr,
     0,
     0,
     "HTTP/2 is not available yet"},
    {{"harden.reject-privileged-ports.quic", "on|off", "Refuses QUIC from ports below 1024."},
     take_on_off,
     nullptr,
     0,
     0,
     "QUIC is not available"},
    {{"harden.reject-privileged-ports.tcp", "on|off", "Refuses connections from ports below 1024."},
     take_on_off},
    {{"http-err-codes", "[+-]<range>[,...] [...]", "The statuses counted as client errors."},
     error_codes},
    {{"http-fail-codes", "[+-]<range>[,...] [...]", "The statuses counted as server failures."},
     failure_codes},
    {{"httpclient.resolvers.disabled", "on|off", "Leaves names to the system, without resolvers."},
     take_on_off,
     nullptr,
     0,
     0,
     kNoResolvers},
    {{"httpclient.resolvers.id", "<resolvers id>", "The resolvers of the HTTP client."},
     take_text,
     nullptr,
     0,
     0,
     kNoResolvers},
    {{"httpclient.resolvers.prefer", "ipv4|ipv6",
      "The addresses of a name that the HTTP client tries first."},
     prefer},
    {{"httpclient.retries", "<number>",
      "How often scripts' HTTP client tries again without a connection or response."},
     take_number},
    {{"httpclient.ssl.ca-file", "<cafile>", "Authorities the HTTP client trusts."},
     take_text,
     nullptr,
     0,
     0,
     kNoTls},
    {{"httpclient.ssl.verify", "[none|required]", "Whether the HTTP client checks certificates."},
     verify,
     nullptr,
     0,
     0,
     kNoTls},
    {{"httpclient.timeout.connect", "<timeout>",
      "How long scripts' HTTP client waits for a connection."},
     take_time},
    {{"limited-quic", "", "QUIC with a TLS library that lacks parts of it."},
     take_flag,
     nullptr,
     0,
     0,
     "QUIC is not available"},
    {{"pp2-never-send-local", "", "Sends the client's address with health checks as well."},
     take_flag},
};

}  // namespace

std::span<const GlobalKeyword> http_keywords() { return kTable; }

}  // namespace app
