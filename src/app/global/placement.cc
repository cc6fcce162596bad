// Threads, groups and processors (the manual's section 3.1). Workers are one a core and the kernel
// places them where cpu-map does not; what chooses places by itself is checked and has no effect.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <utility>

#include "app/global/keyword.h"
#include "base/text.h"

namespace app {

namespace {

constexpr std::string_view kKernelPlaces = "workers are placed by the kernel";
constexpr std::string_view kNoGroups = "all workers form one group";

// "3", "1-4", "1-".
bool is_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (!base::parse_int<unsigned>(text.substr(0, dash))) return false;
  if (dash == text.npos) return true;
  const std::string_view high = text.substr(dash + 1);
  return high.empty() || base::parse_int<unsigned>(high).has_value();
}

// The ends of such a range, in order; an open one goes to `last`, no number is 0.
std::pair<unsigned, unsigned> numbers(std::string_view range, unsigned last) {
  const std::size_t dash = range.find('-');
  const unsigned low = base::parse_int<unsigned>(range.substr(0, dash)).value_or(0);
  if (dash == range.npos) return {low, low};
  const unsigned high = base::parse_int<unsigned>(range.substr(dash + 1)).value_or(last);
  return std::minmax({low, high});
}

constexpr unsigned kMostThreads = 64, kMostProcessors = 1024;

using Mask = std::uint64_t;  // of threads or groups; the first is bit 0

Mask bits(unsigned low, unsigned high) {
  return (high >= kMostThreads ? ~Mask{0} : (Mask{1} << high) - 1) & ~((Mask{1} << (low - 1)) - 1);
}

// "all", "odd", "even", "3", "1-4", "1-"; reports what is none of these.
std::optional<Mask> threads(GlobalContext& context, std::string_view text) {
  if (text == "all") return ~Mask{0};
  if (text == "odd") return ~Mask{0} / 3;
  if (text == "even") return ~Mask{0} / 3 << 1;
  if (!text.empty() && !is_range(text)) {
    context.args.error(fmt::format("cpu-map : '{}' is not a valid number/range.", text));
    return std::nullopt;
  }
  const auto range = numbers(text, kMostThreads);
  if (range.first < 1 || range.second > kMostThreads) {
    context.args.error(
        fmt::format("cpu-map : '{}' is not a valid number/range. It supports numbers from 1 to {}.",
                    text, kMostThreads));
    return std::nullopt;
  }
  return bits(range.first, range.second);
}

bool add_processors(GlobalContext& context, std::set<unsigned>& processors) {
  for (std::string_view rest = context.args.peek(); !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (word.empty()) continue;
    if (!is_range(word))
      return context.args.error(fmt::format("cpu-map : '{}' is not a CPU range.", word));
    const auto range = numbers(word, kMostProcessors - 1);
    if (range.second >= kMostProcessors)
      return context.args.error(
          fmt::format("cpu-map : supports CPU numbers from 0 to {}.", kMostProcessors - 1));
    for (unsigned i = range.first; i <= range.second; ++i) processors.insert(i);
  }
  context.args.next();
  return true;
}

// What other groups would get is checked and dropped: all workers are of the first.
bool cpu_map(GlobalContext& context) {
  auto& args = context.args;
  std::string_view set = args.peek();
  const bool each = set.starts_with("auto:");
  if (each) set.remove_prefix(5);
  const std::size_t slash = set.find('/');
  if (args.line().size() < 3)
    return args.error(
        "cpu-map expects a thread group number ('all', 'odd', 'even', a number from 1 to 64 or a "
        "range), followed by a list of CPU ranges.");
  const auto groups = threads(context, set.substr(0, slash));
  const auto members =
      !groups || slash == set.npos ? groups.value_or(0) : threads(context, set.substr(slash + 1));
  if (!groups || !members) return false;
  const Mask workers = slash == set.npos ? ~Mask{0} : *members;
  args.next();
  std::set<unsigned> processors;
  while (!args.done())
    if (!add_processors(context, processors)) return false;
  if (each && std::cmp_not_equal(processors.size(), std::popcount(*groups)) &&
      std::cmp_not_equal(processors.size(), std::popcount(workers)))
    return args.error_at_previous(
        "cpu-map : TGROUP/THREAD range and CPU sets must have the same size to be automatically "
        "bound");
  if ((*groups & 1) == 0) return true;
  const std::vector<unsigned> all(processors.begin(), processors.end());
  auto next = all.begin();
  for (unsigned i = 0; i < kMostThreads && next != all.end(); ++i)
    if ((workers >> i & 1) != 0)
      context.settings.processors[i] = each ? std::vector<unsigned>{*next++} : all;
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
    if (!is_range(args.peek()))
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
      "The processors that workers run on; all of them are of group 1."},
     cpu_map},
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

std::vector<std::vector<unsigned>> places_of_workers(const GlobalSettings& settings,
                                                     unsigned workers) {
  std::vector<std::vector<unsigned>> places(workers);
  for (const auto& [worker, processors] : settings.processors)
    if (worker < workers) places[worker] = processors;
  return places;
}

void check_placement(const GlobalSettings& settings, unsigned workers,
                     config::Diagnostics& diagnostics) {
  std::set<unsigned> processors;
  std::size_t placed = 0;
  for (const auto& place : places_of_workers(settings, workers)) {
    placed += place.empty() ? 0 : 1;
    processors.insert(place.begin(), place.end());
  }
  if (placed == 0) return;
  if (placed < workers)
    diagnostics.warning(
        {}, fmt::format("'cpu-map' places {} of {} threads: the others will get in their way. "
                        "Place all of them, or none.",
                        placed, workers));
  else if (processors.size() < workers)
    diagnostics.warning({}, fmt::format("'cpu-map' places {} threads on {} CPUs, which they will "
                                        "compete for: change it, or 'nbthread'.",
                                        workers, processors.size()));
}

}  // namespace app
