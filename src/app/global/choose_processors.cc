#include <algorithm>
#include <climits>
#include <map>
#include <tuple>

#include "app/global/processors.h"
#include "base/text.h"

namespace app {

namespace {

using Processors = std::vector<Processor>;

unsigned property(const Processor& one, std::string_view name) {
  if (name == "cpu") return one.number;
  if (name == "node") return one.node;
  if (name == "cluster") return one.cluster;
  if (name == "core") return one.core;
  return one.thread;
}

template <class Keep>
void keep(Processors& all, const Keep& wanted) {
  all.erase(std::remove_if(all.begin(), all.end(), [&](const Processor& p) { return !wanted(p); }),
            all.end());
}

void apply_cpu_set(Processors& all, const std::vector<CpuSetStep>& steps) {
  const bool reset = std::any_of(steps.begin(), steps.end(),
                                 [](const CpuSetStep& s) { return s.directive == "reset"; });
  if (!reset) keep(all, [](const Processor& p) { return p.allowed; });
  for (const CpuSetStep& step : steps) {
    if (step.directive == "reset") continue;
    const bool only = step.directive.starts_with("only-");
    const std::string_view of = std::string_view(step.directive).substr(5);
    keep(all, [&](const Processor& p) { return step.numbers.contains(property(p, of)) == only; });
  }
}

struct Cluster {
  unsigned number;
  std::uint64_t each = 0, total = 0;  // capacity
};

std::vector<Cluster> clusters_of(const Processors& all) {
  std::map<unsigned, Cluster> found;
  for (const Processor& p : all) {
    Cluster& cluster = found.try_emplace(p.cluster, Cluster{p.cluster}).first->second;
    cluster.each = std::max<std::uint64_t>(cluster.each, p.capacity);
    cluster.total += std::max(p.capacity, 1u);
  }
  std::vector<Cluster> list;
  for (const auto& [number, cluster] : found) list.push_back(cluster);
  std::stable_sort(list.begin(), list.end(),
                   [](const Cluster& a, const Cluster& b) { return a.each < b.each; });
  return list;
}

// Clusters that differ too much from their neighbours, and all beyond them, are left to others.
void evict(Processors& all, std::string_view policy) {
  std::vector<Cluster> by_speed = clusters_of(all);
  if (by_speed.empty()) return;
  std::set<unsigned> kept;
  if (policy == "resource") {
    kept.insert(
        std::min_element(by_speed.begin(), by_speed.end(), [](const Cluster& a, const Cluster& b) {
          return std::tuple(a.each, a.total) < std::tuple(b.each, b.total);
        })->number);
  } else if (policy == "performance") {
    std::reverse(by_speed.begin(), by_speed.end());
    for (std::size_t i = 0; i < by_speed.size(); ++i) {
      if (i > 0 && by_speed[i].each * 100 < by_speed[i - 1].each * 80) break;
      kept.insert(by_speed[i].number);
    }
  } else if (policy == "efficiency") {
    for (std::size_t i = 0; i < by_speed.size(); ++i) {
      if (i > 0 && by_speed[i].each * 100 > by_speed[i - 1].each * 125) break;
      kept.insert(by_speed[i].number);
    }
  } else {
    return;
  }
  keep(all, [&](const Processor& p) { return kept.contains(p.cluster); });
}

void first_node(Processors& all) {
  unsigned first = UINT_MAX;
  for (const Processor& p : all) first = std::min(first, p.node);
  keep(all, [&](const Processor& p) { return p.node == first; });
}

// "group-by-3-clusters": so many of them share their places; 0: all form one group.
std::pair<bool, unsigned> grouping(std::string_view policy) {
  if (policy == "resource") return {true, 1};
  if (policy == "performance" || policy == "efficiency") return {false, 1};
  if (!policy.starts_with("group-by-")) return {false, 0};
  policy.remove_prefix(9);
  unsigned each = 1;
  if (base::is_digit(policy[0])) each = static_cast<unsigned>(policy[0] - '0');
  return {policy.find("cluster") != policy.npos, each};
}

// The group of each, by number.
std::map<unsigned, unsigned> groups_of(const Processors& all, std::string_view policy) {
  const std::pair<bool, unsigned> grouped = grouping(policy);
  const unsigned each = grouped.second;
  std::map<unsigned, unsigned> order, groups;
  const auto unit = [&](const Processor& p) { return grouped.first ? p.cluster : p.ccx; };
  for (const Processor& p : all) order.try_emplace(unit(p), 0);
  unsigned n = 0;
  for (auto& [number, place] : order) place = n++;
  for (const Processor& p : all) groups[p.number] = each == 0 ? 0 : order[unit(p)] / each;
  return groups;
}

std::vector<unsigned> numbers(const Processors& all) {
  std::vector<unsigned> list;
  for (const Processor& p : all) list.push_back(p.number);
  std::sort(list.begin(), list.end());
  return list;
}

bool same_core(const Processor& a, const Processor& b) {
  return a.package == b.package && a.core == b.core;
}

}  // namespace

Processors usable_processors(Processors all, const PlacementWords& words) {
  apply_cpu_set(all, words.cpu_set);
  return all;
}

Seats choose_processors(Processors all, const PlacementWords& words) {
  const bool restricted =
      std::any_of(all.begin(), all.end(), [](const Processor& p) { return !p.allowed; });
  Processors usable = all;
  keep(usable, [](const Processor& p) { return p.allowed; });
  const std::vector<unsigned> anywhere = numbers(usable);
  usable = usable_processors(std::move(all), words);
  if (usable.empty()) return {static_cast<unsigned>(anywhere.size()), {}};

  const std::string_view policy =
      words.inspects && !words.count_fixed ? std::string_view(words.policy) : "none";
  evict(usable, policy);
  if (policy == "first-usable-node" && !restricted) first_node(usable);

  std::map<unsigned, unsigned> groups = groups_of(usable, policy);
  std::sort(usable.begin(), usable.end(), [&](const Processor& a, const Processor& b) {
    return std::tuple(groups[a.number], a.ccx, a.package, a.core, a.thread) <
           std::tuple(groups[b.number], b.ccx, b.package, b.core, b.thread);
  });
  Processors seats;
  for (const Processor& p : usable)
    if (!words.one_thread_per_core || seats.empty() || !same_core(seats.back(), p))
      seats.push_back(p);

  std::string_view affinity = policy == "none" && !words.one_thread_per_core
                                  ? std::string_view("per-group")
                                  : std::string_view(words.affinity);
  if (affinity == "auto") affinity = words.one_thread_per_core ? "per-core" : "per-group";
  Seats chosen{static_cast<unsigned>(seats.size()), {}};
  bool bound = false;
  for (const Processor& seat : seats) {
    Processors place = usable;
    keep(place, [&](const Processor& p) {
      if (affinity == "per-thread") return p.number == seat.number;
      if (affinity == "per-core") return same_core(p, seat);
      if (affinity == "per-ccx") return p.ccx == seat.ccx;
      return groups[p.number] == groups[seat.number];
    });
    chosen.places.push_back(numbers(place));
    bound = bound || chosen.places.back() != anywhere;
  }
  if (!bound) chosen.places.clear();
  return chosen;
}

}  // namespace app
