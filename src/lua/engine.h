// All scripts of the process: one state that the workers share (lua-load) and one for each worker
// (lua-load-per-thread). Made while the global section is parsed; scripts add rows to the
// catalogues of expr/ and rules/ as they load. Lives as long as the process; load() and run_init()
// belong to start-up, everything else to the worker that calls.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "expr/keyword.h"
#include "lua/settings.h"
#include "lua/subscription.h"
#include "lua/task.h"
#include "lua/usage.h"
#include "obs/log.h"
#include "rules/action.h"
#include "state/patterns.h"
#include "state/registry.h"
#include "txn/exchange.h"

namespace upstream {
class Backend;
}

namespace lua {

class State;
struct Function;

// What scripts reach of the rest of the program. The functions may be empty.
struct Environment {
  state::Registry& registry;
  state::PatternSets& patterns;
  expr::Catalogue& samples;
  rules::Catalogue& rules;
  // Sends a line to the loggers of `proxy` (null: the global ones); false when there are none.
  std::function<bool(const state::Proxy* proxy, obs::Level level, std::string_view text)> log;
  // The behaviour behind a backend's state; null when it has none.
  std::function<upstream::Backend*(const state::Proxy& proxy)> backend;
  // Columns of "show info" that this room does not know itself: name, value.
  std::function<void(const std::function<void(std::string_view, std::int64_t)>& add)> info;
  std::string version = "0";
  std::string node;
};

// One command that a script added to the runtime socket with core.register_cli().
struct CliCommand {
  std::vector<std::string> words;
  std::string usage;
  Function* function = nullptr;
};

class Engine {
 public:
  Engine(Environment environment, Settings settings);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // lua-prepend-path; for scripts loaded afterwards. `type` is "path" or "cpath".
  base::Result<void> prepend_path(const std::string& path, const std::string& type);
  // lua-load and lua-load-per-thread: runs the file. The error is what the parser reports at the
  // line: "Lua runtime error: FILE:LINE: … from …".
  base::Result<void> load(const std::string& file, const std::vector<std::string>& arguments,
                          bool per_thread);
  // Makes the states of the other workers and runs what core.register_init() collected. After the
  // configuration is complete and the Runtime exists, before traffic.
  base::Result<void> run_init();
  // Starts the tasks that scripts registered so far. After run_init(), before Runtime::run().
  void start_tasks();

  bool empty() const { return states_.empty(); }
  const std::vector<CliCommand>& commands() const { return commands_; }
  // Runs a command in the calling fiber; `io` carries its output and what else is typed.
  void run_command(const CliCommand& command, const std::vector<std::string>& words,
                   txn::ServiceIo& io);

  Subscriptions& subscriptions() { return subscriptions_; }

  const Environment& environment() const { return environment_; }
  const Settings& settings() const { return settings_; }
  bool starting() const { return phase_ != Phase::running; }
  bool loading() const { return phase_ == Phase::loading; }

  std::vector<UsageLine> usage() const;
  std::vector<MemoryLine> memory() const;

  // For registrations, inside this room.
  State* shared() const { return shared_; }
  State* state_of_worker(unsigned worker) const;
  std::vector<std::unique_ptr<Function>>& functions() { return functions_; }
  std::vector<CliCommand>& commands() { return commands_; }
  const std::vector<WaitingTask>& waiting_tasks() const { return tasks_; }
  const std::vector<WaitingTask>& waiting_inits() const { return inits_; }
  void add_waiting_task(WaitingTask task) { tasks_.push_back(task); }
  void add_init(WaitingTask init) { inits_.push_back(init); }
  // Run for the shared state, or for each worker's, when all are there and before traffic.
  using Preparation = std::function<base::Result<void>(State&)>;
  void prepare_later(bool per_thread, Preparation preparation) {
    preparations_.emplace_back(per_thread, std::move(preparation));
  }

 private:
  enum class Phase : std::uint8_t { loading, init, running };
  struct Script {
    std::string file;
    std::vector<std::string> arguments;
  };
  State& add_state(unsigned index);
  base::Result<void> prepare();
  base::Result<void> run_file(State& state, const Script& script);

  Environment environment_;
  Settings settings_;
  Phase phase_ = Phase::loading;
  std::vector<std::unique_ptr<State>> states_;
  State* shared_ = nullptr;
  std::vector<State*> by_worker_;
  std::vector<Script> per_thread_scripts_;
  std::vector<std::pair<std::string, std::string>> prepended_;
  std::vector<std::unique_ptr<Function>> functions_;
  std::vector<CliCommand> commands_;
  std::vector<WaitingTask> tasks_, inits_;
  std::vector<std::pair<bool, Preparation>> preparations_;
  Subscriptions subscriptions_;
};

}  // namespace lua
