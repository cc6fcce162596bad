// Threads, groups and processors (the manual's section 3.1). Workers are one a core and the kernel
// places them; the words are checked, kept and have no effect.
#include <fmt/format.h>

#include <algorithm>

#include "app/global/keyword.h"
#include "base/text.h"

namespace app {

namespace {

constexpr std::string_view kKernelPlaces = "workers are placed by the kernel";
constexpr std::string_view kNoGroups = "all workers form one group";

// "all", "odd", "even", "3", "1-4", "1-".
bool is_range(std::string_view text, bool words) {
  if (words && (text == "all" || text == "odd" || text == "even")) return true;
  const std::size_t dash = text.find('-');
  if (!base::parse_int<unsigned>(text.substr(0, dash))) return false;
  if (dash == text.npos) return true;
  const std::string_view high = text.substr(dash + 1);
  return high.empty() || base::parse_int<unsigned>(high).has_value();
}

bool cpu_map(GlobalContext& context) {
  auto& args = context.args;
  std::string_view set = args.peek();
  if (set.starts_with("auto:")) set.remove_prefix(5);
  const std::size_t slash = set.find('/');
  if (!is_range(set.substr(0, slash), true) ||
      (slash != set.npos && !is_range(set.substr(slash + 1), true)) || args.line().size() < 3)
    return args.error(
        "cpu-map expects a thread group number ('all', 'odd', 'even', a number from 1 to 64 or a "
        "range), followed by a list of CPU ranges.");
  args.next();
  while (!args.done()) {
    std::string_view rest = args.peek();
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      if (!is_range(rest.substr(0, comma), false))
        return args.error(fmt::format("cpu-map : '{}' is not a CPU range.", args.peek()));
      rest.remove_prefix(comma == rest.npos ? rest.size() : comma + 1);
    }
    args.next();
  }
  return true;
}

bool cpu_policy(GlobalContext& context) {
  static constexpr std::string_view kKnown[] = {"none",
                                                "performance",
                                                "group-by-ccx",
                                                "group-by-2-ccx",
                                                "group-by-3-ccx",
                                                "group-by-4-ccx",
                                                "group-by-cluster",
                                                "group-by-2-clusters",
                                                "group-by-3-clusters",
                                                "group-by-4-clusters",
                                                "efficiency",
                                                "resource",
                                                "first-usable-node"};
  auto& args = context.args;
  if (std::find(std::begin(kKnown), std::end(kKnown), args.peek()) == std::end(kKnown)) {
    const std::string_view near = base::nearest(args.peek(), kKnown, std::size(kKnown));
    return args.error(fmt::format("'cpu-policy' passed an unknown CPU policy '{}'.", args.peek()),
                      near.empty() ? "" : fmt::format("did you mean '{}' maybe ?", near));
  }
  args.next();
  if (!args.accept("threads-per-core")) return true;
  return args.accept("1") || args.accept("auto") ||
         args.error("'threads-per-core' expects '1' or 'auto'.");
}

bool cpu_affinity(GlobalContext& context) {
  static constexpr std::string_view kKnown[] = {"auto", "per-core", "per-group", "per-thread",
                                                "per-ccx"};
  auto& args = context.args;
  if (std::find(std::begin(kKnown), std::end(kKnown), args.peek()) == std::end(kKnown))
    return args.error(fmt::format("'cpu-affinity' : unknown affinity '{}'.", args.peek()));
  args.next();
  if (!args.accept("auto")) args.accept("loose");
  return true;
}

bool cpu_set(GlobalContext& context) {
  static constexpr std::string_view kKnown[] = {
      "reset",        "only-cpu",  "drop-cpu",  "only-node",   "drop-node",  "only-cluster",
      "drop-cluster", "only-core", "drop-core", "only-thread", "drop-thread"};
  auto& args = context.args;
  if (args.done()) return args.error("'cpu-set' expects at least one directive.");
  while (!args.done()) {
    if (std::find(std::begin(kKnown), std::end(kKnown), args.peek()) == std::end(kKnown))
      return args.error(fmt::format("'cpu-set' passed an unknown directive '{}'.", args.peek()));
    if (args.next() != "reset" && !args.text("cpu-set")) return false;
  }
  return true;
}

bool thread_group(GlobalContext& context) {
  auto& args = context.args;
  auto id = base::parse_int<int>(args.peek());
  if (!id || *id < 1 || *id > 32)
    return args.error(
        fmt::format("'thread-group' expects a group number from 1 to 32 (got '{}')", args.peek()));
  args.next();
  while (!args.done()) {
    if (!is_range(args.peek(), false))
      return args.error(fmt::format("'thread-group' : '{}' is not a thread range.", args.peek()));
    args.next();
  }
  return true;
}

constexpr GlobalKeyword kTable[] = {
    {{"cpu-affinity", "<affinity>", "How threads are bound to processors."},
     cpu_affinity,
     nullptr,
     0,
     0,
     kKernelPlaces},
    {{"cpu-map", "[auto:]<thread-group>[/<thread-set>] <cpu-set>[,...] [...]",
      "Binds threads to processors."},
     cpu_map,
     nullptr,
     0,
     0,
     kKernelPlaces},
    {{"cpu-policy", "<policy> [threads-per-core 1|auto]", "Which processors are used."},
     cpu_policy,
     nullptr,
     0,
     0,
     kKernelPlaces},
    {{"cpu-set", "<directive>...", "Adds and removes processors."},
     cpu_set,
     nullptr,
     0,
     0,
     kKernelPlaces},
    {{"max-threads-per-group", "<number>", "The most threads of a group."},
     take_number,
     nullptr,
     1,
     64,
     kNoGroups},
    {{"numa-cpu-mapping", "", "Keeps threads on one node."},
     take_flag,
     nullptr,
     0,
     0,
     kKernelPlaces,
     true},
    {{"thread-group", "<group> [<thread-range>...]", "The threads of a group."},
     thread_group,
     nullptr,
     0,
     0,
     kNoGroups},
    {{"thread-groups", "<number>", "The number of thread groups."},
     take_number,
     nullptr,
     1,
     32,
     kNoGroups},
};

}  // namespace

std::span<const GlobalKeyword> placement_keywords() { return kTable; }

}  // namespace app
