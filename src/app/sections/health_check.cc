#include "upstream/health_check.h"

#include <fmt/format.h>

#include "app/sections/other.h"

namespace app {

namespace {

using Kind = upstream::CheckDraft::Kind;

// What the lines say together.
void finish(const config::Section& section, upstream::CheckDraft& draft, Assembly& assembly) {
  if (draft.steps.empty() || draft.kind == (draft.http_steps ? Kind::http : Kind::tcp)) return;
  const std::string_view rules = draft.http_steps ? "http-check" : "tcp-check";
  assembly.diagnostics.alert(
      section.head.at(1),
      fmt::format("healthcheck section '{}' : {} rules without 'type {}'.", section.head[1], rules,
                  draft.http_steps ? "httpchk" : "tcp-check"));
}

}  // namespace

void read_health_check(const config::Section& section, Assembly& assembly) {
  auto& diagnostics = assembly.diagnostics;
  const std::string name(section.head[1]);
  if (name.empty()) {
    diagnostics.alert(section.head.at(1), "missing name for healthcheck section.");
    return;
  }
  Generation& generation = assembly.generation;
  upstream::BackendSettings settings;
  settings.check = std::make_shared<upstream::CheckDraft>();
  settings.check->owner = &settings;
  auto [place, fresh] = assembly.health_check_places.emplace(name, section.head.at());
  if (!fresh)
    diagnostics.alert(section.head.at(1),
                      fmt::format("healthcheck section '{}' already defined at {}:{}.", name,
                                  place->second.file->name, place->second.line));
  bool typed = false;
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, diagnostics);
    expr::ParseContext where{generation.expressions, generation.registry, generation.patterns,
                             diagnostics, assembly.deferred};
    where.available = expr::available_at(txn::Point::check, true);
    where.place = "healthcheck section";
    upstream::BackendParse parse{args, where, settings, state::Mode::http};
    parse_health_check_line(parse, typed);
  }
  finish(section, *settings.check, assembly);
  (*assembly.health_checks)[name] = std::move(settings.check);
}

}  // namespace app
