// What concerns scripts: which are loaded, and their limits (the manual's section 3.2, tune.lua).
#include <fmt/format.h>

#include <algorithm>

#include "app/global/keyword.h"
#include "base/text.h"

namespace app {

namespace {

bool load(GlobalContext& context) {
  auto& args = context.args;
  if (args.done())
    return args.error(fmt::format("'{}' expects a file name as parameter.", context.row.name));
  LuaStep step{
      context.row.name == "lua-load" ? LuaStep::Kind::load : LuaStep::Kind::load_per_thread,
      {},
      args.here()};
  while (!args.done()) step.words.emplace_back(args.next());
  context.settings.lua.steps.push_back(std::move(step));
  return true;
}

bool prepend_path(GlobalContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("'lua-prepend-path' expects to receive a <path> as argument");
  LuaStep step{LuaStep::Kind::prepend_path, {std::string(args.peek())}, args.here()};
  args.next();
  if (args.accept("cpath"))
    step.kind = LuaStep::Kind::prepend_cpath;
  else if (!args.accept("path") && !args.done())
    return args.error("'lua-prepend-path' expects <type> to either be 'path' or 'cpath'");
  context.settings.lua.steps.push_back(std::move(step));
  return true;
}

bool bool_conversion(GlobalContext& context) {
  auto& lua = context.settings.lua;
  const bool loaded = std::any_of(lua.steps.begin(), lua.steps.end(), [](const LuaStep& step) {
    return step.kind == LuaStep::Kind::load || step.kind == LuaStep::Kind::load_per_thread;
  });
  if (loaded)
    return context.args.error(
        "'tune.lua.bool-sample-conversion' must be set before any 'lua-load' or "
        "'lua-load-per-thread'.");
  if (context.args.accept("normal"))
    lua.bools_are_integers = false;
  else if (context.args.accept("pre-3.1-bug"))
    lua.bools_are_integers = true;
  else
    return context.args.error(fmt::format(
        "'tune.lua.bool-sample-conversion' expects either 'normal' or 'pre-3.1-bug' but "
        "got '{}'.",
        context.args.peek()));
  lua.bool_sample_conversion_set = true;
  return true;
}

template <std::int64_t LuaSettings::*field>
bool time(GlobalContext& context) {
  auto value = context.args.time_ms(context.row.name);
  if (value) context.settings.lua.*field = *value;
  return value.has_value();
}

bool forced_yield(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < 0) return context.args.error("tune.lua.forced-yield: invalid number");
  context.args.next();
  context.settings.lua.forced_yield = *value;
  context.settings.lua.forced_yield_set = true;
  return true;
}

bool maximum_memory(GlobalContext& context) {
  auto value = base::parse_int<std::int64_t>(context.args.peek());
  if (!value || *value < 0)
    return context.args.error(
        fmt::format("tune.lua.maxmem: invalid number {}", context.args.peek()));
  context.args.next();
  context.settings.lua.maximum_memory = *value * 1024 * 1024;
  return true;
}

bool open_libraries(GlobalContext& context) {
  static constexpr std::string_view kKnown[] = {"all",    "none", "table", "io",      "os",
                                                "string", "math", "utf8",  "package", "debug"};
  if (!context.settings.lua.steps.empty())
    return context.args.error(
        "'tune.lua.openlibs' must be set before any Lua script is loaded or path prepended.");
  auto list = context.args.text("tune.lua.openlibs");
  if (!list) return false;
  std::string_view rest = *list;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      return context.args.error_at_previous(
          fmt::format("'tune.lua.openlibs': unknown library '{}', expected one of: "
                      "all,none,table,io,os,string,math,utf8,package,debug",
                      name));
    if (comma == rest.npos) break;
    rest.remove_prefix(comma + 1);
  }
  context.settings.lua.open_libraries = *list;
  return true;
}

bool log_loggers(GlobalContext& context) {
  auto& lua = context.settings.lua;
  if (context.args.accept("on")) return lua.log_loggers = true;
  if (!context.args.accept("off"))
    return context.args.error("'tune.lua.log.loggers' expects 'on' or 'off'.");
  lua.log_loggers = false;
  return true;
}

bool log_stderr(GlobalContext& context) {
  const std::string_view word = context.args.peek();
  if (word != "on" && word != "off" && word != "auto")
    return context.args.error("'tune.lua.log.stderr' expects 'on', 'auto', or 'off'.");
  context.settings.lua.log_stderr = context.args.next();
  return true;
}

bool blocking_io(GlobalContext& context) {
  const std::string_view word = context.args.peek();
  if (word != "offload" && word != "allow" && word != "deny")
    return context.args.error("'tune.lua.blocking-io' expects 'offload', 'allow', or 'deny'.");
  context.settings.lua.blocking_io = context.args.next();
  return true;
}

constexpr GlobalKeyword kTable[] = {
    {{"lua-load", "<file> [<arg>...]", "Loads a script into the state that all workers share."},
     load},
    {{"lua-load-per-thread", "<file> [<arg>...]", "Loads a script into a state of each worker."},
     load},
    {{"lua-prepend-path", "<path> [path|cpath]", "Puts a pattern before package.path."},
     prepend_path},
    {{"tune.lua.blocking-io", "offload|allow|deny",
      "Where functions of scripts that block (io.*, os.execute) run."},
     blocking_io},
    {{"tune.lua.bool-sample-conversion", "normal|pre-3.1-bug",
      "Whether boolean samples reach scripts as booleans or integers."},
     bool_conversion},
    {{"tune.lua.burst-timeout", "<timeout>", "The longest time a script runs without waiting."},
     time<&LuaSettings::burst_timeout_ms>},
    {{"tune.lua.forced-yield", "<number>", "Instructions after which a script lets others run."},
     forced_yield},
    {{"tune.lua.log.loggers", "on|off", "Sends log messages of scripts to the proxy's loggers."},
     log_loggers},
    {{"tune.lua.log.stderr", "on|auto|off", "Sends log messages of scripts to stderr."},
     log_stderr},
    {{"tune.lua.maxmem", "<number>", "The memory scripts may use, in megabytes."}, maximum_memory},
    {{"tune.lua.openlibs", "all|none|<lib>[,<lib>...]", "The standard libraries scripts may use."},
     open_libraries},
    {{"tune.lua.service-timeout", "<timeout>", "The longest running time of a service."},
     time<&LuaSettings::service_timeout_ms>},
    {{"tune.lua.session-timeout", "<timeout>",
      "The longest running time of actions, fetches and converters."},
     time<&LuaSettings::session_timeout_ms>},
    {{"tune.lua.task-timeout", "<timeout>", "The longest running time of a task."},
     time<&LuaSettings::task_timeout_ms>},
};

}  // namespace

std::span<const GlobalKeyword> lua_keywords() { return kTable; }

}  // namespace app
