// What fibers cost: show profiling, set profiling.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "admin/cli.h"
#include "admin/command/families.h"
#include "base/text.h"
#include "rt/cost.h"
#include "rt/worker.h"

namespace admin {
namespace {

std::string_view mode_text() {
  switch (rt::profiling()) {
    case rt::Profiling::on:
      return "on";
    case rt::Profiling::off:
      return "off";
    default:
      return rt::costs_measured() ? "auto-on" : "auto-off";
  }
}

std::string status() {
  const auto line = [](std::string_view what, std::string_view value, std::string_view command) {
    return fmt::format("{:<36}: {:<14}# {}\n", what, value, command);
  };
  return line("Per-task CPU profiling", mode_text(), "set profiling tasks {on|auto|off}") +
         line("Memory usage profiling", "off", "set profiling memory {on|off}");
}

std::string span_text(double ns) {
  if (ns < 1e3) return fmt::format("{:.1f}ns", ns);
  if (ns < 1e6) return fmt::format("{:.3f}us", ns / 1e3);
  if (ns < 1e9) return fmt::format("{:.3f}ms", ns / 1e6);
  return fmt::format("{:.3f}s", ns / 1e9);
}

// One line for each worker: its fibers.
std::string activity() {
  std::string out = "Tasks activity:\n";
  out += fmt::format("  {:<24}{:>10}{:>12}{:>12}{:>12}\n", "function", "calls", "cpu_tot",
                     "cpu_avg", "lat_avg");
  for (unsigned i = 0; i < rt::worker_count(); ++i) {
    const rt::Cost cost = rt::total_cost(i);
    if (cost.runs == 0) continue;
    const auto runs = static_cast<double>(cost.runs);
    const auto computing = static_cast<double>(cost.computing.count());
    const auto waiting = static_cast<double>(cost.waiting.count());
    out += fmt::format("  {:<24}{:>10}{:>12}{:>12}{:>12}\n",
                       fmt::format("fibers of thread {}", i + 1), cost.runs, span_text(computing),
                       span_text(computing / runs), span_text(waiting / runs));
  }
  return out;
}

void show_profiling(Call& call) {
  bool settings = true, tasks = true;
  for (const std::string& word : call.args) {
    if (word == "all") {
      settings = tasks = true;
    } else if (word == "status") {
      tasks = false;
    } else if (word == "tasks") {
      settings = false;
    } else if (word == "memory") {
      settings = tasks = false;
    } else if (word != "byaddr" && word != "bytime" && word != "byctx" && word != "aggr" &&
               !base::parse_int<std::uint32_t>(word)) {
      return call.error(
          "Expects either 'all', 'status', 'tasks', 'memory', 'byaddr', 'bytime', 'byctx', 'aggr' "
          "or a max number of output lines.");
    }
  }
  if (settings) call.print(status());
  if (tasks) call.print(activity());
}

void set_profiling(Call& call) {
  if (call.arg(0) == "memory") return call.error("Memory profiling not compiled in.");
  if (call.arg(0) != "tasks") return call.error("Expects either 'tasks' or 'memory'.");
  constexpr std::array<std::string_view, 7> kWords = {"on",      "auto",   "off",      "lock",
                                                      "no-lock", "memory", "no-memory"};
  const auto known = [&](const std::string& word) {
    return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
  };
  if (call.args.size() < 2 || !std::all_of(call.args.begin() + 1, call.args.end(), known))
    return call.error(
        "Expects a combination of either 'on', 'auto', 'off', 'lock', 'no-lock', 'memory' or "
        "'no-memory'.");
  for (std::size_t i = 1; i < call.args.size(); ++i) {
    if (call.args[i] == "on") rt::set_profiling(rt::Profiling::on);
    if (call.args[i] == "auto") rt::set_profiling(rt::Profiling::automatic);
    if (call.args[i] == "off") rt::set_profiling(rt::Profiling::off);
  }
}

constexpr Command kCommands[] = {
    {{"set profiling", "<what> {auto|on|off}", "measure what fibers cost (tasks)"},
     Access::admin,
     set_profiling},
    {{"show profiling", "[<what>|<#lines>|<opts>]*", "print what fibers cost (status, tasks)"},
     Access::operator_,
     show_profiling},
};

}  // namespace

std::span<const Command> profiling_commands() { return kCommands; }

}  // namespace admin
