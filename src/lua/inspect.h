// What a script does when it is loaded, and what its functions may do to others later. Start-up.
#pragma once

#include <string>
#include <vector>

#include "lua/globals.h"

namespace lua {

class Engine;

struct Findings {
  std::string file;
  std::vector<std::string> registered;  // "action 'x'"
  std::vector<GlobalWrite> globals;
  std::string error;  // empty: it loads
};

Findings inspect(Engine& engine, const std::string& file);

}  // namespace lua
