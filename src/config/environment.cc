#include "config/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

extern char** environ;

namespace config {

namespace {

void set(const Line& line, Diagnostics& diagnostics, bool replace) {
  if (line.size() < 3) {
    diagnostics.alert(
        line.at(line.size()),
        line.size() < 2
            ? fmt::format("'{}' expects an environment variable name and a value.", line[0])
            : fmt::format("'{}' expects environment variable value for '{}'.", line[0], line[1]));
    return;
  }
  if (line.size() > 3) {
    diagnostics.alert(
        line.at(3), fmt::format("'{}' cannot handle unexpected argument '{}'.", line[0], line[3]));
    return;
  }
  if (::setenv(line.words[1].text.c_str(), line.words[2].text.c_str(), replace ? 1 : 0) != 0)
    diagnostics.alert(line.at(1), fmt::format("'{}' failed on variable '{}' : {}.", line[0],
                                              line[1], std::strerror(errno)));
}

void unset(const Line& line, Diagnostics& diagnostics) {
  if (line.size() < 2)
    diagnostics.alert(line.at(1), fmt::format("'{}' expects at least one variable name.", line[0]));
  for (std::size_t i = 1; i < line.size(); ++i) ::unsetenv(line.words[i].text.c_str());
}

// Removes all but the named ones.
void reset(const Line& line) {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) {
    const bool kept = std::any_of(line.words.begin() + 1, line.words.end(),
                                  [&](const Word& word) { return word.text == name; });
    if (!kept) ::unsetenv(name.c_str());
  }
}

}  // namespace

bool change_environment(const Line& line, Diagnostics& diagnostics) {
  if (line[0] == "setenv")
    set(line, diagnostics, true);
  else if (line[0] == "presetenv")
    set(line, diagnostics, false);
  else if (line[0] == "unsetenv")
    unset(line, diagnostics);
  else if (line[0] == "resetenv")
    reset(line);
  else
    return false;
  return true;
}

}  // namespace config
