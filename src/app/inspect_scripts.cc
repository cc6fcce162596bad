#include "app/inspect_scripts.h"

#include <fmt/format.h>

#include <cstdio>

#include "app/version.h"
#include "lua/documentation.h"
#include "lua/engine.h"
#include "lua/inspect.h"

namespace app {

namespace {

constexpr std::string_view kUsage =
    "Usage: moongate lua FILE...   tells what scripts register, and what is wrong with them\n"
    "       moongate lua --types   prints the API's types for lua-language-server\n";

int print_types() {
  expr::Catalogue samples;
  expr::add_builtin(samples);
  fmt::print("{}", lua::definitions(samples));
  return 0;
}

void print_finding(const lua::Findings& findings) {
  for (const std::string& line : findings.registered) fmt::print("  registers {}\n", line);
  for (const lua::GlobalWrite& write : findings.globals)
    fmt::print("  {}:{}: sets the global '{}' at run time ({}): all calls share it\n",
               findings.file, write.line, write.name, write.function);
}

}  // namespace

int inspect_scripts(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help") {
    fmt::print(words.empty() ? stderr : stdout, "{}", kUsage);
    return words.empty() ? 1 : 0;
  }
  if (words[0] == "--types") return print_types();
  state::Registry registry;
  state::PatternSets patterns;
  expr::Catalogue samples;
  rules::Catalogue rules;
  expr::add_builtin(samples);
  rules::add_builtin(rules);
  lua::Settings settings;
  settings.booleans_as_integers = false;
  lua::Engine engine(
      {registry, patterns, samples, rules, {}, {}, {}, std::string(kCompatibleVersion), {}},
      settings);
  bool good = true;
  for (const std::string& file : words) {
    fmt::print("{}\n", file);
    lua::Findings findings = lua::inspect(engine, file);
    print_finding(findings);
    if (findings.error.empty()) continue;
    fmt::print("  {}\n", findings.error);
    good = false;
  }
  return good ? 0 : 1;
}

}  // namespace app
