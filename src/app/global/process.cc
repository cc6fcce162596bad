// How the process lives: foreground or daemon, files, limits of privilege, ends.
#include <fmt/format.h>

#include <array>

#include "app/global/keyword.h"

namespace app {

namespace {

using Settings = GlobalSettings;

template <bool Settings::*field>
bool flag(GlobalContext& context) {
  context.settings.*field = !context.negated;
  return true;
}

template <std::string Settings::*field>
bool text(GlobalContext& context) {
  auto value = context.args.text(context.row.name);
  if (value) context.settings.*field = *value;
  return value.has_value();
}

bool default_path(GlobalContext& context) {
  auto& args = context.args;
  const std::string_view mode = args.peek();
  if (mode != "current" && mode != "config" && mode != "parent" && mode != "origin")
    return args.error(
        fmt::format("unsupported default-path mode '{}' for 'default-path', supported "
                    "modes include 'current', 'config', 'parent', and 'origin'.",
                    mode));
  context.settings.default_path_mode = args.next();
  if (mode != "origin") return true;
  auto path = args.text("default-path origin");
  if (path) context.settings.default_path_origin = *path;
  return path.has_value();
}

bool external_check(GlobalContext& context) {
  context.settings.external_check = true;
  if (context.args.done()) return true;
  if (!context.args.accept("preserve-env"))
    return context.args.error(
        fmt::format("'external-check' only supports 'preserve-env' as an argument, found '{}'.",
                    context.args.peek()));
  context.settings.external_check_keeps_environment = true;
  return true;
}

bool close_spread(GlobalContext& context) {
  if (context.args.accept("infinite")) {
    context.settings.close_spread_ms = -1;
    return true;
  }
  return take_time(context);
}

bool master_worker(GlobalContext& context) {
  if (context.args.accept("no-exit-on-failure")) return true;
  return context.args.error(
      "support for 'master-worker' was removed in version 3.5. Use -W or -Ws in the startup script "
      "instead.");
}

bool nbproc(GlobalContext& context) {
  return context.args.error_at_previous(
      "nbproc is not supported any more since HAProxy 2.5. Threads will automatically be used on "
      "multi-processor machines if available.");
}

bool set_capabilities(GlobalContext& context) {
  static constexpr std::array<std::string_view, 4> kKnown = {
      "cap_net_raw", "cap_net_admin", "cap_net_bind_service", "cap_sys_admin"};
  auto list = context.args.text("setcap");
  if (!list) return false;
  std::string_view rest = *list;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    bool known = false;
    for (std::string_view row : kKnown) known = known || row == name;
    if (!known)
      return context.args.error_at_previous(
          fmt::format("'setcap' : unsupported capability '{}'. Supported ones are: cap_net_raw, "
                      "cap_net_admin, cap_net_bind_service and cap_sys_admin.",
                      name));
    context.settings.capabilities.emplace_back(name);
    rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
  }
  return true;
}

bool dumpable(GlobalContext& context) {
  auto& args = context.args;
  std::int64_t value = context.negated ? 0 : 1;
  if (args.accept("off"))
    value = 0;
  else if (args.accept("libs"))
    value = 2;
  else if (!args.accept("on") && !args.done())
    return args.error(fmt::format(
        "'set-dumpable' only supports 'on' and 'off' as an argument, found '{}'.", args.peek()));
  context.settings.numbers["set-dumpable"] = value;
  return true;
}

bool blocked_traffic(GlobalContext& context) {
  auto value = context.args.time_ms(context.row.name);
  if (!value) return false;
  if (*value < 1 || *value > 1000)
    return context.args.error_at_previous(
        "timer out of range in argument to 'warn-blocked-traffic-after' (value must be between 1 "
        "and "
        "1000 ms)");
  context.settings.numbers["warn-blocked-traffic-after"] = *value;
  return true;
}

bool parser_pause(GlobalContext& context) {
  if (!context.settings.experimental)
    return context.args.error_at_previous(
        "'force-cfg-parser-pause' directive is experimental, must be allowed via a global "
        "'expose-experimental-directives'");
  return take_time(context);
}

constexpr std::string_view kNoWorkers = "there is no master process: reload happens in the process";
constexpr std::string_view kDebugOnly = "it only serves the debugging of another implementation";

constexpr GlobalKeyword kTable[] = {
    {{"anonkey", "<key>", "Key of the anonymised output of -dC and the runtime commands."},
     take_number},
    {{"chroot", "<jail dir>", "Changes the root directory before privileges are dropped."},
     text<&Settings::chroot>},
    {{"close-spread-time", "<time>|infinite",
      "Spreads the closing of connections over this time during a soft stop."},
     close_spread,
     &Settings::close_spread_ms},
    {{"daemon", "", "Runs in the background once the start succeeded, as -D."},
     flag<&Settings::daemon>},
    {{"default-path", "current|config|parent|origin <path>",
      "Where relative paths of files named in the configuration start."},
     default_path},
    {{"expose-deprecated-directives", "", "Silences the warnings about deprecated keywords."},
     flag<&Settings::deprecated>},
    {{"expose-experimental-directives", "", "Allows keywords marked as experimental."},
     flag<&Settings::experimental>},
    {{"external-check", "[preserve-env]", "Allows health checks that run a program."},
     external_check},
    {{"force-cfg-parser-pause", "<time>", "Pauses the reading of the configuration."},
     parser_pause,
     nullptr,
     0,
     0,
     kDebugOnly},
    {{"grace", "<time>", "Waits this long between SIGUSR1 and the closing of listeners."},
     take_time,
     &Settings::grace_ms},
    {{"hard-stop-after", "<time>", "The longest time a soft stop may take."},
     take_time,
     &Settings::hard_stop_after_ms},
    {{"insecure-fork-wanted", "", "Lets workers create processes."},
     flag<&Settings::insecure_fork>,
     nullptr,
     0,
     0,
     {},
     true},
    {{"insecure-setuid-wanted", "", "Lets programs run by checks gain privileges."},
     flag<&Settings::insecure_setuid>},
    {{"master-worker", "no-exit-on-failure", "Keeps the master when a worker fails."},
     master_worker,
     nullptr,
     0,
     0,
     kNoWorkers},
    {{"mworker-max-reloads", "<number>", "How many reloads a worker may survive."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kNoWorkers},
    {{"nbproc", "<number>", "Removed: threads replace processes."}, nbproc},
    {{"no-memory-trimming", "", "Keeps freed memory in the process."},
     take_flag,
     nullptr,
     0,
     0,
     "memory is given back by the allocator's own rules"},
    {{"pidfile", "<pidfile>", "Writes the process number there in daemon mode, as -p."},
     text<&Settings::pidfile>},
    {{"presetenv", "<name> <value>", "Sets an environment variable unless it exists."},
     take_environment},
    {{"quick-exit", "", "Ends the process without cleaning up."},
     take_flag,
     nullptr,
     0,
     0,
     kDebugOnly},
    {{"quiet", "", "Prints no messages during the start, as -q."}, flag<&Settings::quiet>},
    {{"resetenv", "[<name> ...]", "Removes all environment variables but the named ones."},
     take_environment},
    {{"set-dumpable", "[on|off|libs]", "Allows core dumps after privileges were dropped."},
     dumpable,
     nullptr,
     0,
     0,
     {},
     true},
    {{"setcap", "<name>[,<name>...]", "Capabilities kept when the user changes."},
     set_capabilities},
    {{"setenv", "<name> <value>", "Sets an environment variable."}, take_environment},
    {{"stress-level", "<level>", "Makes rare situations happen more often."},
     take_number,
     nullptr,
     0,
     9,
     kDebugOnly},
    {{"strict-limits", "", "Fails to start when a limit cannot be raised."},
     flag<&Settings::strict_limits>,
     nullptr,
     0,
     0,
     {},
     true},
    {{"unsetenv", "[<name> ...]", "Removes environment variables."}, take_environment},
    {{"warn-blocked-traffic-after", "<time>",
      "Warns when a worker is busy with one thing for longer; 100 ms by default. Scripts give way "
      "by themselves, what they call in C may not."},
     blocked_traffic},
    {{"zero-warning", "", "Fails to start when there was a warning, as -dW."},
     flag<&Settings::zero_warning>},
};

}  // namespace

std::span<const GlobalKeyword> process_keywords() { return kTable; }

}  // namespace app
