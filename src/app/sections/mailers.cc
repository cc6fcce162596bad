// "mailers" sections (manual section 12.3).
#include <fmt/format.h>

#include "app/sections/other.h"
#include "base/text.h"
#include "config/arguments.h"
#include "net/resolver.h"

namespace app {

namespace {

// Names are looked up while the configuration is read.
base::Result<net::Address> address_of(const std::string& text) {
  auto spec = net::parse_address(text);
  if (!spec) return base::fail(fmt::format("{} in '{}'", spec.error(), text));
  if (spec->kind != net::Address::Kind::none && !spec->has_port && spec->host.empty())
    return base::fail(std::string("TCP not supported for this address family."));
  if (!spec->has_port) return base::fail(fmt::format("missing port specification in '{}'", text));
  net::Address address = net::literal_address(*spec, spec->port_low);
  if (address.is_unix())
    return base::fail(std::string("TCP not supported for this address family."));
  if (address.is_ip()) return address;
  auto found = net::resolve(spec->host, spec->family, rt::kNever);
  if (!found || found->empty())
    return base::fail(fmt::format("invalid address: '{}' in '{}'", spec->host, text));
  return net::Address::of(found->front(), spec->port_low);
}

void read_mailer(config::Arguments& args, state::Mailers& section) {
  if (args.line().size() < 3) {
    args.error("'mailer' expects <name> and <addr>[:<port>] as arguments.");
    return;
  }
  state::Mailer mailer;
  mailer.name = args.next();
  mailer.address_text = args.next();
  auto address = address_of(mailer.address_text);
  if (!address) {
    args.error_at_previous(fmt::format("'mailer {}' : {}", mailer.name, address.error()));
    return;
  }
  mailer.address = *address;
  if (args.expect_end()) section.mailers.push_back(std::move(mailer));
}

void read_timeout(config::Arguments& args, state::Mailers& section) {
  if (args.line().size() < 3) {
    args.error("'timeout' expects 'mail' and <time> as arguments.");
    return;
  }
  if (!args.accept("mail")) {
    args.error(
        fmt::format("'timeout' expects 'mail' and <time> as arguments got '{}'.", args.peek()));
    return;
  }
  auto time = args.time_ms("timeout mail");
  if (time && args.expect_end()) section.timeout_ms = *time;
}

bool is_name(std::string_view name) {
  for (char c : name)
    if (!base::is_alpha(c) && !base::is_digit(c) && c != '-' && c != '_' && c != '.' && c != ':')
      return false;
  return true;
}

}  // namespace

void read_mailers(const config::Section& section, Assembly& assembly) {
  auto& diagnostics = assembly.diagnostics;
  const std::string name(section.head[1]);
  if (name.empty()) {
    diagnostics.alert(section.head.at(1), "missing name for mailers section.");
    return;
  }
  if (!is_name(name)) {
    diagnostics.alert(section.head.at(1),
                      fmt::format("a character of '{}' is not permitted in 'mailers' name.", name));
    return;
  }
  auto [place, fresh] = assembly.mailers.emplace(name, MailersDraft{{}, section.head.at()});
  if (!fresh) {
    diagnostics.alert(
        section.head.at(1),
        fmt::format("mailers section '{}' has the same name as another mailers section declared "
                    "at {}:{}.",
                    name, place->second.at.file->name, place->second.at.line));
    return;
  }
  auto mailers = std::make_shared<state::Mailers>();
  mailers->name = name;
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, diagnostics);
    if (line[0] == "mailer")
      read_mailer(args, *mailers);
    else if (line[0] == "timeout")
      read_timeout(args, *mailers);
    else
      diagnostics.alert(line.at(),
                        fmt::format("unknown keyword '{}' in 'mailers' section", line[0]));
  }
  place->second.mailers = std::move(mailers);
}

}  // namespace app
