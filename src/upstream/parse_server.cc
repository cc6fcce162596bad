// "server", "server-template" and "default-server" lines.
#include <fmt/format.h>

#include "base/text.h"
#include "config/diagnostics.h"
#include "upstream/parse.h"

namespace upstream {

namespace {

const ServerRow* find_row(std::string_view word) {
  if (word.starts_with("set-proxy-v2-tlv-fmt(")) word = "set-proxy-v2-tlv-fmt(";
  return config::find(server_keywords(), word);
}

bool parse_settings(ServerParse& parse) {
  bool good = true;
  while (!parse.args.done()) {
    const std::string_view word = parse.args.next();
    const ServerRow* row = find_row(word);
    if (row == nullptr) {
      const std::string_view near = config::nearest(server_keywords(), word);
      parse.args.error_at_previous(
          fmt::format("'{}' is not a setting of a {}", word,
                      parse.is_default ? "default-server" : "server"),
          near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
      return false;
    }
    // After an error the words of its value are unknown territory, except where it took none.
    if (!row->parse(parse)) return false;
  }
  return good;
}

std::shared_ptr<ServerSettings> lookup_origin(config::Arguments& args, expr::ParseContext& context,
                                              std::string_view origin, const BackendSettings& own) {
  const auto found = [](const std::shared_ptr<ServerSettings>& from) {
    return from ? std::make_shared<ServerSettings>(*from) : std::make_shared<ServerSettings>();
  };
  if (origin == "none") return std::make_shared<ServerSettings>();
  if (origin == "be:") return found(own.default_server);
  if (origin.starts_with("srv:")) {
    std::string_view name = origin.substr(4);
    const auto named = own.named_default_servers.find(name);
    if (named != own.named_default_servers.end()) return found(named->second);
    const state::Server* server = context.registry.find_server(name, context.proxy);
    if (server != nullptr && server->behaviour != nullptr)
      return std::make_shared<ServerSettings>(server->behaviour->settings());
    args.error_at_previous(
        fmt::format("'from' finds no server or named default-server '{}'", name));
    return nullptr;
  }
  args.error_at_previous(fmt::format("'from' does not know '{}'", origin),
                         "expected none, be: or srv:<server>");
  return nullptr;
}

// The settings to begin with: those of "from", else the backend's default-server.
std::shared_ptr<ServerSettings> starting_settings(config::Arguments& args,
                                                  expr::ParseContext& context,
                                                  const BackendSettings& own,
                                                  const std::shared_ptr<ServerSettings>& usual) {
  if (args.accept("from")) {
    const auto origin = args.text("from");
    return origin ? lookup_origin(args, context, *origin, own) : nullptr;
  }
  return usual ? std::make_shared<ServerSettings>(*usual) : std::make_shared<ServerSettings>();
}

bool good_name(config::Arguments& args, std::string_view name) {
  for (const char c : name)
    if (!base::is_digit(c) && !base::is_alpha(c) &&
        std::string_view("_-.:").find(c) == std::string_view::npos)
      return args.error_at_previous(
          fmt::format("the server name '{}' holds the character '{}'", name, c),
          "letters, digits, '-', '_', '.' and ':' are allowed");
  return true;
}

bool parse_address_word(config::Arguments& args, state::Mode mode, ServerSettings& settings) {
  const auto text = args.text("server");
  if (!text) return false;
  auto spec = net::parse_address(*text);
  if (!spec)
    return args.error_at_previous(fmt::format("server '{}': {}", settings.name, spec.error()));
  if (spec->port_high > spec->port_low)
    return args.error_at_previous(
        fmt::format("server '{}': a port range has no meaning here", settings.name));
  if (mode == state::Mode::log) {
    if (spec->family == AF_UNIX)
      return args.error_at_previous(
          fmt::format("server '{}': log servers have IP addresses", settings.name));
    if (!spec->is_stream) spec->is_datagram = true;
  } else if (spec->is_datagram) {
    return args.error_at_previous(
        fmt::format("server '{}': datagrams go to servers of 'mode log' only", settings.name));
  }
  if (spec->kind == net::Address::Kind::inherited_fd)
    return args.error_at_previous(
        fmt::format("server '{}': an inherited descriptor cannot be connected to", settings.name));
  settings.address_text = std::string(*text);
  settings.spec = std::move(*spec);
  return true;
}

// What the settings of one server say together.
bool consistent(config::Arguments& args, ServerSettings& settings) {
  if (settings.minimum > settings.maximum && settings.maximum != 0)
    settings.minimum = settings.maximum;
  if (settings.minimum != 0 && settings.maximum == 0) settings.maximum = settings.minimum;
  if (settings.agent.enabled && settings.agent.port == 0)
    return args.error(
        fmt::format("server '{}' has 'agent-check' without 'agent-port'", settings.name));
  const bool no_port = settings.spec.kind != net::Address::Kind::unix_path &&
                       settings.spec.kind != net::Address::Kind::abstract &&
                       settings.spec.kind != net::Address::Kind::abstract_z &&
                       (settings.spec.port_low == 0 || settings.spec.has_offset);
  // "*" and "host:" say that a port will be known later.
  const bool later = settings.spec.any || settings.address_text.ends_with(':');
  if (settings.check.enabled && no_port && !later && settings.check.port == 0)
    settings.check_needs_port = true;
  return true;
}

}  // namespace

namespace {

// The words after "server", beginning with what `usual` says. Null with a report.
std::shared_ptr<ServerSettings> parse_line(config::Arguments& args, expr::ParseContext& context,
                                           Backend& backend,
                                           const std::shared_ptr<ServerSettings>& usual) {
  const config::Position at = args.here();
  const auto name = args.text("server");
  if (!name || !good_name(args, *name)) return nullptr;
  ServerSettings head;
  head.name = std::string(*name);
  if (!parse_address_word(args, backend.state().mode, head)) return nullptr;
  auto settings = starting_settings(args, context, backend.settings, usual);
  if (settings == nullptr) return nullptr;
  settings->name = std::move(head.name);
  settings->address_text = std::move(head.address_text);
  settings->spec = std::move(head.spec);
  settings->connect.multipath = settings->spec.is_multipath;
  settings->at = at;
  settings->id = 0;
  ServerParse parse{args, context, backend.settings, *settings, backend.state().mode, false};
  if (!parse_settings(parse) || !consistent(args, *settings)) return nullptr;
  return settings;
}

}  // namespace

bool parse_server(config::Arguments& args, expr::ParseContext& context, Backend& backend) {
  auto settings = parse_line(args, context, backend, backend.settings.default_server);
  if (settings == nullptr) return false;
  backend.add_server(std::move(settings), args.diagnostics());
  return true;
}

std::shared_ptr<ServerSettings> parse_runtime_server(config::Arguments& args,
                                                     expr::ParseContext& context,
                                                     Backend& backend) {
  return parse_line(args, context, backend, nullptr);
}

bool parse_server_template(config::Arguments& args, expr::ParseContext& context, Backend& backend) {
  const config::Position at = args.here();
  const auto prefix = args.text("server-template");
  if (!prefix || !good_name(args, *prefix)) return false;
  const auto range = args.text("server-template");
  if (!range) return false;
  const std::size_t dash = range->find('-');
  const auto first = dash == std::string_view::npos
                         ? std::optional<unsigned>(1)
                         : base::parse_int<unsigned>(range->substr(0, dash));
  const auto last =
      base::parse_int<unsigned>(dash == std::string_view::npos ? *range : range->substr(dash + 1));
  if (!first || !last || *first > *last || *first == 0 || *last - *first > 65535)
    return args.error_at_previous(
        fmt::format("'server-template' expects a number or a range, not '{}'", *range));
  ServerSettings head;
  head.name = std::string(*prefix);
  if (!parse_address_word(args, backend.state().mode, head)) return false;
  auto settings =
      starting_settings(args, context, backend.settings, backend.settings.default_server);
  if (settings == nullptr) return false;
  settings->address_text = std::move(head.address_text);
  settings->spec = std::move(head.spec);
  settings->at = at;
  settings->id = 0;
  ServerParse parse{args, context, backend.settings, *settings, backend.state().mode, false};
  if (!parse_settings(parse) || !consistent(args, *settings)) return false;
  for (unsigned number = *first; number <= *last; ++number) {
    auto one = std::make_shared<ServerSettings>(*settings);
    one->name = fmt::format("{}{}", *prefix, number);
    if (settings->id != 0) one->id = settings->id + (number - *first);
    backend.add_server(std::move(one), args.diagnostics());
  }
  return true;
}

bool parse_default_server(config::Arguments& args, expr::ParseContext& context,
                          BackendSettings& settings, state::Mode mode) {
  std::shared_ptr<ServerSettings>* into = &settings.default_server;
  if (args.accept("name")) {
    const auto name = args.text("name");
    if (!name || !good_name(args, *name)) return false;
    into = &settings.named_default_servers[std::string(*name)];
  }
  const bool resets = into == &settings.default_server && args.peek() == "from" &&
                      args.peek(1) == "none" && args.line().size() == args.index() + 2;
  auto changed = starting_settings(args, context, settings, *into);
  if (changed == nullptr) return false;
  if (resets) {
    into->reset();
    return true;
  }
  ServerParse parse{args, context, settings, *changed, mode, true};
  if (!parse_settings(parse)) return false;
  *into = std::move(changed);
  return true;
}

}  // namespace upstream
