#include <fmt/format.h>

#include "app/sections/other.h"
#include "base/text.h"
#include "config/arguments.h"
#include "rules/error_file.h"

namespace app {

namespace {

void error_file(config::Arguments& args, rules::ErrorReplies& replies) {
  auto code = base::parse_int<std::uint16_t>(args.peek());
  if (args.line().size() < 3 || !code || !rules::is_error_status(*code)) {
    args.error(fmt::format("errorfile : status code '{}' not handled.", args.peek()));
    return;
  }
  args.next();
  auto reply = rules::load_error_file(std::string(args.next()), *code);
  if (!reply)
    args.error_at_previous(fmt::format("errorfile : {}.", reply.error()));
  else if (args.expect_end())
    replies[*code] = *reply;
}

}  // namespace

void read_http_errors(const config::Section& section, Assembly& assembly) {
  auto& diagnostics = assembly.diagnostics;
  const std::string name(section.head[1]);
  if (name.empty()) {
    diagnostics.alert(section.head.at(1), "missing name for http-errors section.");
    return;
  }
  auto [place, fresh] = assembly.error_section_places.emplace(name, section.head.at());
  if (!fresh)
    diagnostics.alert(section.head.at(1),
                      fmt::format("http-errors section '{}' already exists (declared at {}:{}).",
                                  name, place->second.file->name, place->second.line));
  rules::ErrorReplies& replies = assembly.error_sections[name];
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, diagnostics);
    if (line[0] == "errorfile")
      error_file(args, replies);
    else
      diagnostics.alert(line.at(),
                        fmt::format("unknown keyword '{}' in 'http-errors' section", line[0]));
  }
}

}  // namespace app
