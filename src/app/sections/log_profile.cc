// log-profile sections (manual section 8.3.5).
#include "expr/log_profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/sections/other.h"

namespace app {

namespace {

constexpr std::string_view kExpectedSteps =
    "'on' expects a log step.\n"
    "expected values are: 'accept', 'request', 'connect', 'response', 'close', 'error' or 'any'.\n"
    "Or one of the additional log steps: 'http-req', 'http-res', 'http-after-res', "
    "'tcp-req-conn', 'tcp-req-sess', 'tcp-req-cont', 'tcp-res-cont'.";

expr::LogProfile::Step* find_step(expr::LogProfile& profile, std::string_view name) {
  if (name == "any") return &profile.any;
  auto found = std::find_if(txn::kLogSteps.begin() + 1, txn::kLogSteps.end(),
                            [name](const txn::LogStep& row) { return row.name == name; });
  if (found == txn::kLogSteps.end()) return nullptr;
  return &profile.steps[static_cast<std::size_t>(found->origin)];
}

// on <step> [drop] [format <fmt>] [sd <fmt>]
void read_step(config::Arguments& args, expr::LogProfile& profile, Assembly& assembly) {
  const std::string name(args.peek());
  expr::LogProfile::Step* step = find_step(profile, name);
  if (step == nullptr) {
    args.error(std::string(kExpectedSteps));
    return;
  }
  args.next();
  if (args.done()) {
    args.error(fmt::format("'on {}' expects 'drop', 'format' or 'sd'.", name));
    return;
  }
  Generation& generation = assembly.generation;
  expr::ParseContext where{generation.expressions, generation.registry, generation.patterns,
                           assembly.diagnostics, assembly.deferred};
  where.available = expr::available_at(txn::Point::log, true);
  where.place = "log-profile";
  step->given = true;
  while (!args.done()) {
    const std::string_view word = args.next();
    if (word == "drop") {
      *step = {true, true, nullptr, nullptr};
      continue;
    }
    if (word != "format" && word != "sd") {
      args.error_at_previous(fmt::format("'on {}' expects 'drop', 'format' or 'sd'.", name));
      return;
    }
    if (args.done()) {
      args.error(fmt::format("'on {} {}' expects a logformat string.", name, word));
      return;
    }
    const config::Position at = args.here();
    auto format = expr::LogFormat::parse(args.next(), where, at, expr::FormatUse::log);
    if (format == nullptr) return;
    step->drop = false;
    (word == "sd" ? step->structured : step->format) = std::move(format);
  }
}

}  // namespace

void read_log_profile(const config::Section& section, Assembly& assembly) {
  auto& diagnostics = assembly.diagnostics;
  const std::string name(section.head[1]);
  if (name.empty()) {
    diagnostics.alert(section.head.at(1), "missing name for log-profile section.");
    return;
  }
  if (section.head.size() > 2)
    diagnostics.alert(
        section.head.at(2),
        fmt::format("'log-profile' cannot handle unexpected argument '{}'.", section.head[2]));
  auto [place, fresh] = assembly.log_profile_places.emplace(name, section.head.at());
  if (!fresh)
    diagnostics.alert(section.head.at(1),
                      fmt::format("log-profile section '{}' has the same name as another "
                                  "log-profile section declared at {}:{}.",
                                  name, place->second.file->name, place->second.line));
  auto profile = std::make_shared<expr::LogProfile>();
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, diagnostics);
    if (line[0] == "on") {
      read_step(args, *profile, assembly);
    } else if (line[0] == "log-tag") {
      if (args.done())
        args.error("'log-tag' expects a tag for use in syslog.");
      else
        profile->tag = args.next();
    } else {
      diagnostics.alert(line.at(),
                        fmt::format("unknown keyword '{}' in log-profile section.", line[0]));
    }
  }
  assembly.generation.config.log_profiles.insert_or_assign(name, std::move(profile));
}

}  // namespace app
