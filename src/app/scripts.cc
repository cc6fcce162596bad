#include "app/scripts.h"

namespace app {

struct Scripts::State {};

Scripts::Scripts(Generation&) {}
Scripts::~Scripts() = default;

std::unique_ptr<Scripts> Scripts::load(Generation& generation, DefaultPath&,
                                       config::Diagnostics& diagnostics) {
  for (const LuaStep& step : generation.settings.lua.steps)
    diagnostics.alert(step.at, "Lua scripts are not supported yet.");
  return nullptr;
}

base::Result<void> Scripts::run_init() { return {}; }
void Scripts::start_tasks() {}
void Scripts::add_commands(admin::Catalogue&) {}

Generation::Generation() = default;
Generation::~Generation() = default;

}  // namespace app
