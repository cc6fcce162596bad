// TLS settings. They harm nobody without a TLS listener, so they are kept for the day there is one;
// it is the "ssl" of bind and server lines that is refused.
#include <fmt/format.h>

#include <algorithm>

#include "app/global/keyword.h"
#include "base/text.h"
#include "expr/jwe.h"

namespace app {

namespace {

constexpr std::string_view kNoTls = "TLS is not available yet";

bool verify(GlobalContext& context) {
  const std::string_view word = context.args.peek();
  if (word != "none" && word != "required")
    return context.args.error("'ssl-server-verify' expects 'none' or 'required' as argument.");
  return take_text(context);
}

bool scheduler(GlobalContext& context) {
  const std::string_view word = context.args.peek();
  if (word != "auto" && word != "off")
    return context.args.error("'acme.scheduler' expects 'auto' or 'off'.");
  return take_text(context);
}

bool dh_param(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < 1024)
    return context.args.error("'tune.ssl.default-dh-param' expects a value >= 1024.");
  return take_number(context);
}

bool options(GlobalContext& context) {
  static constexpr std::string_view kKnown[] = {
      "force-sslv3",    "force-tlsv10", "force-tlsv11", "force-tlsv12", "force-tlsv13",
      "no-sslv3",       "no-tlsv10",    "no-tlsv11",    "no-tlsv12",    "no-tlsv13",
      "no-tls-tickets", "tls-tickets",  "ssl-min-ver",  "ssl-max-ver",  "prefer-client-ciphers",
      "strict-sni",     "no-strict-sni"};
  auto& args = context.args;
  std::string& text = context.settings.texts[std::string(context.row.name)];
  if (args.done())
    return args.error(
        fmt::format("global statement '{}' expects an option as an argument.", context.row.name));
  while (!args.done()) {
    const std::string_view option = args.peek();
    if (std::find(std::begin(kKnown), std::end(kKnown), option) == std::end(kKnown)) {
      const std::string_view near = base::nearest(option, kKnown, std::size(kKnown));
      return args.error(
          fmt::format("unknown option '{}' on global statement '{}'.", option, context.row.name),
          near.empty() ? "" : fmt::format("did you mean '{}' maybe ?", near));
    }
    args.next();
    if (!text.empty()) text += ' ';
    text += option;
    if (option == "ssl-min-ver" || option == "ssl-max-ver") {
      auto version = args.text(option);
      if (!version) return false;
      text += ' ';
      text += *version;
    }
  }
  return true;
}

// Tokens are decrypted without TLS.
bool take_algorithms(GlobalContext& context,
                     std::string_view (*read)(std::string_view, expr::AlgorithmSet&)) {
  const auto list = context.args.text(context.row.name);
  if (!list) return false;
  expr::AlgorithmSet set = 0;
  const std::string_view unknown = read(*list, set);
  if (!unknown.empty())
    return context.args.error_at_previous(fmt::format("Unknown algorithm/encoding {}", unknown));
  context.settings.numbers[std::string(context.row.name)] = set;
  return true;
}
bool token_algorithms(GlobalContext& context) {
  return take_algorithms(context, expr::read_key_management);
}
bool token_encryptions(GlobalContext& context) {
  return take_algorithms(context, expr::read_content_encryption);
}

constexpr GlobalKeyword kTable[] = {
    {{"acme.scheduler", "auto|off", "Whether certificates are renewed by themselves."},
     scheduler,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ca-base", "<dir>", "Where relative authority files are."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"crt-base", "<dir>", "Where relative certificate files are."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"issuers-chain-path", "<dir>", "Certificates that complete chains."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"jwt.decrypt_alg_list", "<list>", "Key algorithms allowed to decrypt tokens."},
     token_algorithms},
    {{"jwt.decrypt_enc_list", "<list>", "Content encryptions allowed to decrypt tokens."},
     token_encryptions},
    {{"key-base", "<dir>", "Where relative key files are."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"noktls", "", "Leaves TLS records to the library."},
     take_flag,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ocsp-update.disable", "on|off", "Turns OCSP updates off."},
     take_on_off,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ocsp-update.httpproxy", "<address>[:port]", "A proxy for OCSP updates."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ocsp-update.maxdelay", "<number>", "The longest time between OCSP updates."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ocsp-update.mindelay", "<number>", "The shortest time between OCSP updates."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ocsp-update.mode", "on|off", "Whether OCSP responses are updated by default."},
     take_on_off,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-bind-ciphers", "<ciphers>", "Ciphers of TLS 1.2 of bind lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-bind-ciphersuites", "<ciphersuites>", "Ciphers of TLS 1.3 of bind lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-bind-client-sigalgs", "<sigalgs>", "Client signature algorithms of bind lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-bind-curves", "<curves>", "Curves of bind lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-bind-options", "<option>...", "TLS options of bind lines."},
     options,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-bind-sigalgs", "<sigalgs>", "Signature algorithms of bind lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-server-ciphers", "<ciphers>", "Ciphers of TLS 1.2 of server lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-server-ciphersuites", "<ciphersuites>", "Ciphers of TLS 1.3 of server lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-server-client-sigalgs", "<sigalgs>",
      "Client signature algorithms of server lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-server-curves", "<curves>", "Curves of server lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-server-options", "<option>...", "TLS options of server lines."},
     options,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-default-server-sigalgs", "<sigalgs>", "Signature algorithms of server lines."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-dh-param-file", "<file>", "Diffie-Hellman parameters."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-load-extra-del-ext", "", "Removes the extension before others are tried."},
     take_flag,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-load-extra-files", "<none|all|bundle|sctl|ocsp|issuer|key>*",
      "Files loaded beside a certificate."},
     take_words,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-mode-async", "", "Asynchronous TLS engines."}, take_flag, nullptr, 0, INT32_MAX, kNoTls},
    {{"ssl-passphrase-cmd", "<cmd> <args> ...", "A program that tells pass phrases of keys."},
     take_words,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-propquery", "<query>", "The default property query of the TLS library."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-provider", "<name>", "A provider to load into the TLS library."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-provider-path", "<path>", "Where providers are."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-security-level", "<number>", "The security level of the TLS library."},
     take_number,
     nullptr,
     0,
     5,
     kNoTls},
    {{"ssl-server-verify", "none|required", "Whether certificates of servers are checked."},
     verify,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"ssl-skip-self-issued-ca", "", "Leaves self-issued authorities out of chains."},
     take_flag,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.cachesize", "<number>", "The size of the session cache."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.capture-buffer-size", "<number>", "Bytes of a client hello kept."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.capture-cipherlist-size", "<number>",
      "Deprecated name of tune.ssl.capture-buffer-size."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.certificate-compression", "auto|off", "Whether certificates are compressed."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.default-dh-param", "<number>", "The size of Diffie-Hellman parameters."},
     dh_param,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.force-private-cache", "", "A session cache for each process."},
     take_flag,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.hard-maxrecord", "<number>", "The largest TLS record."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.keylog", "on|off", "Keeps the secrets that decode captured traffic."},
     take_on_off,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.keyupdate-rate-limit", "<limit>", "The most key updates of a connection."},
     take_text,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.lifetime", "<timeout>", "How long a session can be resumed."},
     take_seconds,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.maxrecord", "<number>", "The largest TLS record of busy connections."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.ocsp-update.maxdelay", "<number>", "Deprecated name of ocsp-update.maxdelay."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.ocsp-update.mindelay", "<number>", "Deprecated name of ocsp-update.mindelay."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
    {{"tune.ssl.ssl-ctx-cache-size", "<number>", "The number of generated certificates kept."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoTls},
};

}  // namespace

std::span<const GlobalKeyword> tls_keywords() { return kTable; }

}  // namespace app
