// Threads, groups and processors (the manual's section 3.1). Where workers run, cpu-map says, or
// else cpu-set, cpu-policy and cpu-affinity; all of them form one group, whatever is said of
// groups.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "app/global/keyword.h"
#include "app/global/processors.h"
#include "base/text.h"

namespace app {

namespace {

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

constexpr unsigned kMostThreads = 64, kMostProcessors = 1024, kMostWorkers = 1024;

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
  context.settings.texts["cpu-policy"] = args.next();
  if (!args.accept("threads-per-core")) return true;
  context.settings.numbers["threads-per-core"] = args.peek() == "1" ? 1 : 0;
  return args.accept("1") || args.accept("auto") ||
         args.error("'threads-per-core' expects '1' or 'auto'.");
}

bool cpu_affinity(GlobalContext& context) {
  static constexpr std::string_view kKnown[] = {"auto", "per-core", "per-group", "per-thread",
                                                "per-ccx"};
  auto& args = context.args;
  if (std::find(std::begin(kKnown), std::end(kKnown), args.peek()) == std::end(kKnown))
    return args.error(fmt::format("'cpu-affinity' : unknown affinity '{}'.", args.peek()));
  const std::string_view affinity = args.next();
  context.settings.texts["cpu-affinity"] = affinity;
  if (affinity == "per-group" && !args.accept("auto")) args.accept("loose");
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
    const std::string_view directive = args.next();
    std::string& all = context.settings.texts["cpu-set"];
    all += fmt::format("{} ", directive);
    if (directive == "reset") continue;
    if (args.done()) return args.error(fmt::format("'cpu-set {}': missing CPU set", directive));
    std::set<unsigned> numbers;
    if (!read_ranges(args.peek(), kMostProcessors - 1, numbers))
      return args.error(fmt::format("'cpu-set {}': '{}' is no range of numbers from 0 to {}.",
                                    directive, args.peek(), kMostProcessors - 1));
    all += fmt::format("{} ", args.next());
  }
  return true;
}

bool inspect(GlobalContext& context) {
  context.settings.numbers["numa-cpu-mapping"] = context.negated ? 0 : 1;
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
    {{"cpu-affinity", "per-core|per-group|per-thread|per-ccx|auto [auto|loose]",
      "What each worker is bound to where its number is not set: the processors of a core, of "
      "those "
      "that cpu-policy groups, one, or those that share a cache."},
     cpu_affinity},
    {{"cpu-map", "[auto:]<thread-group>[/<thread-set>] <cpu-set>[,...] [...]",
      "The processors that workers run on; all of them are of group 1."},
     cpu_map},
    {{"cpu-policy", "<policy> [threads-per-core 1|auto]",
      "Which processors are used, and so how many workers there are, without nbthread and cpu-map; "
      "\"group-by\" says which of them workers are bound to together."},
     cpu_policy},
    {{"cpu-set", "reset|{only|drop}-{cpu|node|cluster|core|thread} <set> [...]",
      "The processors that workers may run on, by number, where cpu-map does not say."},
     cpu_set},
    {{"max-threads-per-group", "<number>", "The most threads of a group."},
     take_number,
     nullptr,
     1,
     64,
     kNoGroups},
    {{"numa-cpu-mapping", "", "Lets cpu-policy look at the machine; \"no\" is policy none."},
     inspect,
     nullptr,
     0,
     0,
     {},
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

namespace {

PlacementWords words_of(const GlobalSettings& settings) {
  PlacementWords words;
  const auto text = [&](std::string_view name, std::string& into) {
    const auto found = settings.texts.find(name);
    if (found != settings.texts.end()) into = found->second;
  };
  text("cpu-policy", words.policy);
  text("cpu-affinity", words.affinity);
  words.one_thread_per_core = settings.number("threads-per-core", 0) != 0;
  words.inspects = settings.number("numa-cpu-mapping", 1) != 0;
  words.count_fixed = settings.threads != 0;
  std::string steps, list;
  text("cpu-set", steps);
  std::istringstream in(steps);
  for (CpuSetStep step; in >> step.directive;) {
    step.numbers.clear();
    if (step.directive != "reset" && in >> list)
      read_ranges(list, kMostProcessors - 1, step.numbers);
    words.cpu_set.push_back(step);
  }
  return words;
}

std::vector<Processor> machine() {
  return read_processors("/sys/devices/system/cpu", allowed_processors());
}

bool leaves_nothing(const GlobalSettings& settings) {
  const PlacementWords words = words_of(settings);
  return !words.cpu_set.empty() && usable_processors(machine(), words).empty();
}

}  // namespace

WorkerPlaces choose_workers(const GlobalSettings& settings) {
  Seats seats;
  if (settings.processors.empty()) seats = choose_processors(machine(), words_of(settings));
  std::int64_t count = settings.threads;
  if (count == 0) count = seats.count;
  if (count == 0) count = std::max(1u, std::thread::hardware_concurrency());
  count = std::min<std::int64_t>(count, kMostWorkers);
  if (settings.thread_hard_limit > 0) count = std::min(count, settings.thread_hard_limit);
  WorkerPlaces chosen(static_cast<std::size_t>(count));
  for (const auto& [worker, processors] : settings.processors)
    if (worker < chosen.size()) chosen[worker] = processors;
  if (!seats.places.empty())
    for (std::size_t i = 0; i < chosen.size(); ++i)
      chosen[i] = seats.places[i % seats.places.size()];
  return chosen;
}

void check_placement(const GlobalSettings& settings, const WorkerPlaces& places,
                     config::Diagnostics& diagnostics) {
  const std::string_view word = settings.processors.empty() ? "cpu-set" : "cpu-map";
  std::set<unsigned> processors;
  std::size_t placed = 0;
  for (const auto& place : places) {
    placed += place.empty() ? 0 : 1;
    processors.insert(place.begin(), place.end());
  }
  if (placed == 0) {
    if (settings.processors.empty() && leaves_nothing(settings))
      diagnostics.warning({}, "'cpu-set' leaves no processor: threads run on all of them.");
    return;
  }
  if (placed < places.size())
    diagnostics.warning(
        {}, fmt::format("'cpu-map' places {} of {} threads: the others will get in their way. "
                        "Place all of them, or none.",
                        placed, places.size()));
  else if (processors.size() < places.size())
    diagnostics.warning({}, fmt::format("'{}' places {} threads on {} CPUs, which they will "
                                        "compete for: change it, or 'nbthread'.",
                                        word, places.size(), processors.size()));
}

}  // namespace app
