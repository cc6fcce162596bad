// The Lua scripts of a generation: loaded as the global section says, initialised before traffic,
// their tasks and commands started. Main thread.
#pragma once

#include <memory>

#include "admin/command.h"
#include "app/default_path.h"
#include "app/generation.h"
#include "base/result.h"
#include "config/diagnostics.h"

namespace app {

class Scripts {
 public:
  // Runs lua-load and the like in order. Reports what fails.
  static std::unique_ptr<Scripts> load(Generation& generation, DefaultPath& path,
                                       config::Diagnostics& diagnostics);
  ~Scripts();

  base::Result<void> run_init();
  void start_tasks();
  void add_commands(admin::Catalogue& commands);

 private:
  struct State;
  explicit Scripts(Generation& generation);
  std::unique_ptr<State> state_;
};

}  // namespace app
