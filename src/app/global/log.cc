// Logs, statistics sockets and files, process-wide variables.
#include <fmt/format.h>

#include "app/global/keyword.h"

namespace app {

namespace {

using Settings = GlobalSettings;

void take_rest(config::Arguments& args) {
  while (!args.done()) args.next();
}

bool log(GlobalContext& context) {
  return obs::parse_log(context.args, obs::LogPlace::global, context.negated, context.settings.log);
}

bool log_send_hostname(GlobalContext& context) {
  context.settings.log_send_hostname = true;
  context.settings.log_hostname = context.args.next();
  take_rest(context.args);
  return true;
}

bool log_tag(GlobalContext& context) {
  if (context.args.done()) return context.args.error("'log-tag' expects a tag for use in syslog.");
  context.settings.log_tag = context.args.next();
  return true;
}

bool set_var(GlobalContext& context) {
  auto& args = context.args;
  if (args.line().size() < 3)
    return args.error(
        fmt::format("'{}' requires a process-wide variable name ('proc.<name>') and a "
                    "sample expression.",
                    context.row.name));
  if (!args.peek().starts_with("proc."))
    return args.error(fmt::format(
        "'{}': cannot set variable '{}', only scope 'proc' is permitted in the global section.",
        context.row.name, args.peek()));
  context.settings.set_var_lines.push_back(args.line());
  take_rest(args);
  return true;
}

bool stats(GlobalContext& context) {
  auto& args = context.args;
  auto& settings = context.settings.stats;
  if (args.accept("socket")) {
    if (args.done()) return args.error("'stats socket' requires a path or an address.");
    admin::CliSocket socket;
    socket.at = args.line().at();
    if (!admin::parse_stats_socket(args, socket)) return false;
    settings.sockets.push_back(std::move(socket));
    return true;
  }
  if (args.accept("timeout")) {
    auto value = args.time_ms("stats timeout");
    if (value) settings.timeout_ms = *value;
    return value.has_value();
  }
  if (args.accept("maxconn")) {
    auto value = args.number("stats maxconn", 1, INT32_MAX);
    if (value) settings.maximum = *value;
    return value.has_value();
  }
  if (args.accept("calculate-max-counters")) {
    if (args.accept("on") || args.accept("off")) return true;
    return args.error("'stats calculate-max-counters' expects 'on' or 'off'.");
  }
  if (args.accept("bind-process"))
    return args.error_at_previous("'stats bind-process' is not supported any more.");
  return args.error(
      fmt::format("'stats' only supports 'socket', 'maxconn', 'calculate-max-counters' and "
                  "'timeout' (got '{}')",
                  args.peek()));
}

bool server_state_base(GlobalContext& context) {
  if (context.args.done())
    return context.args.error("'server-state-base' expects one argument: a directory path.");
  if (!context.settings.server_state_base.empty()) {
    context.args.diagnostics().notice(context.args.line().at(),
                                      "'server-state-base' already specified. Continuing.");
    context.args.next();
    return true;
  }
  context.settings.server_state_base = context.args.next();
  return true;
}

bool server_state_file(GlobalContext& context) {
  if (context.args.done())
    return context.args.error("'server-state-file' expect one argument: a file path.");
  context.settings.server_state_file = context.args.next();
  return true;
}

bool stats_file(GlobalContext& context) {
  auto path = context.args.text("stats-file");
  if (path) context.settings.stats_file = *path;
  return path.has_value();
}

constexpr std::string_view kOneProcess = "counters live in one process and survive a reload in it";

constexpr GlobalKeyword kTable[] = {
    {{"log",
      "<target> [len <length>] [format <format>] [sample <ranges>:<size>] <facility> [<max "
      "level> [<min level>]]",
      "A log server for the process and for proxies with 'log global'."},
     log,
     nullptr,
     0,
     0,
     {},
     true},
    {{"log-send-hostname", "[<string>]", "Writes a host name into syslog headers."},
     log_send_hostname},
    {{"log-tag", "<string>", "The tag of syslog lines; 'haproxy' by default."}, log_tag},
    {{"server-state-base", "<directory>", "Where relative server state files are."},
     server_state_base},
    {{"server-state-file", "<file>", "The states of servers to begin with."}, server_state_file},
    {{"set-var", "<var-name> <expr>", "Sets a process-wide variable at the start."}, set_var},
    {{"set-var-fmt", "<var-name> <fmt>", "Sets a process-wide variable from a log format."},
     set_var},
    {{"shm-stats-file", "<name>", "Shares counters with other processes."},
     take_text,
     nullptr,
     0,
     0,
     kOneProcess},
    {{"shm-stats-file-max-objects", "<number>", "The size of the shared counters."},
     take_number,
     nullptr,
     0,
     INT32_MAX,
     kOneProcess},
    {{"stats", "socket|timeout|maxconn|calculate-max-counters ...",
      "Sockets for runtime commands and their limits."},
     stats},
    {{"stats-file", "<path>", "Counters to begin with."}, stats_file},
};

}  // namespace

std::span<const GlobalKeyword> log_keywords() { return kTable; }

}  // namespace app
