// Any bytes as a configuration: reading ends, every position of a message lies in its line, and
// every message can be printed.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/arguments.h"
#include "config/load.h"

namespace {

constexpr std::string_view kSections[] = {"global", "defaults", "frontend", "backend"};

int ask(std::string_view name, std::span<const std::string> args, std::string& error) {
  if (name == "enabled") {
    error = "unknown";
    return -1;
  }
  return args.empty() || args[0].size() % 2 == 0;
}

void walk(const config::Line& line, config::Diagnostics& diagnostics) {
  config::Arguments arguments(line, diagnostics, 0);
  while (!arguments.done()) {
    const std::size_t before = arguments.index();
    (void)arguments.time_ms("time");
    (void)arguments.size("size");
    (void)arguments.number("number", -5, 5);
    if (arguments.index() == before) arguments.next();
  }
  arguments.error("end");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const config::Predicates predicates{ask};
  config::LoadOptions options;
  options.sections = kSections;
  options.predicates = &predicates;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Diagnostics diagnostics;
  const config::Tree tree = config::load_text(text, "fuzz", options, diagnostics);
  for (const config::Section& section : tree.sections)
    for (const config::Line& line : section.lines)
      if (line.size() < 64) walk(line, diagnostics);
  for (const config::Message& message : diagnostics.messages()) {
    if (message.at.file != nullptr &&
        (message.at.line == 0 || message.at.line > message.at.file->lines.size()))
      std::abort();
    (void)config::Diagnostics::render(message);
  }
  std::string error;
  (void)config::evaluate_condition(text, predicates, error);
  return 0;
}
