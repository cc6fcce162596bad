#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <tuple>

#include "app/global/processors.h"
#include "base/text.h"

namespace app {

namespace {

constexpr unsigned kMostProcessors = 1024;

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

unsigned number_in(const std::string& path) {
  return base::parse_int<unsigned>(first_line(path)).value_or(0);
}

std::set<unsigned> list_in(const std::string& path) {
  std::set<unsigned> numbers;
  read_ranges(first_line(path), kMostProcessors - 1, numbers);
  return numbers;
}

// The first one that shares the outermost cache.
unsigned ccx_of(const std::string& folder, unsigned otherwise) {
  unsigned deepest = 0, ccx = otherwise;
  for (unsigned i = 0; i < 8; ++i) {
    const std::string cache = folder + "/cache/index" + std::to_string(i);
    const unsigned level = number_in(cache + "/level");
    const auto sharing = list_in(cache + "/shared_cpu_list");
    if (level <= deepest || sharing.empty()) continue;
    deepest = level;
    ccx = *sharing.begin();
  }
  return ccx;
}

unsigned node_of(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("node")) continue;
    if (auto node = base::parse_int<unsigned>(std::string_view(name).substr(4))) return *node;
  }
  return 0;
}

unsigned capacity_of(const std::string& folder) {
  for (const char* file : {"/cpu_capacity", "/acpi_cppc/nominal_perf", "/cpufreq/cpuinfo_max_freq"})
    if (const unsigned capacity = number_in(folder + file); capacity != 0) return capacity;
  return 0;
}

Processor read_one(const std::string& folder, unsigned number) {
  Processor one{.number = number};
  one.package = number_in(folder + "/topology/physical_package_id");
  one.core = base::parse_int<unsigned>(first_line(folder + "/topology/core_id")).value_or(number);
  const auto siblings = list_in(folder + "/topology/thread_siblings_list");
  one.thread = static_cast<unsigned>(std::distance(siblings.begin(), siblings.lower_bound(number)));
  one.node = node_of(folder);
  one.ccx = ccx_of(folder, *std::min_element(siblings.begin(), siblings.end()));
  one.capacity = capacity_of(folder);
  return one;
}

// Alike: no more than 5 % apart from the slowest of the cluster.
void number_clusters(std::vector<Processor>& all) {
  std::sort(all.begin(), all.end(), [](const Processor& a, const Processor& b) {
    return std::tuple(a.ccx, a.capacity, a.number) < std::tuple(b.ccx, b.capacity, b.number);
  });
  unsigned cluster = 0, slowest = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool same = i > 0 && all[i].ccx == all[i - 1].ccx &&
                      std::uint64_t{all[i].capacity} * 100 <= std::uint64_t{slowest} * 105;
    if (!same) {
      slowest = all[i].capacity;
      cluster += i > 0 ? 1 : 0;
    }
    all[i].cluster = cluster;
  }
}

}  // namespace

bool read_ranges(std::string_view list, unsigned last, std::set<unsigned>& numbers) {
  while (!list.empty()) {
    const std::string_view range = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), range.size() + 1));
    const std::size_t dash = range.find('-');
    const auto low = base::parse_int<unsigned>(range.substr(0, dash));
    auto high = low;
    if (dash != range.npos)
      high = dash + 1 == range.size() ? last : base::parse_int<unsigned>(range.substr(dash + 1));
    if (!low || !high || std::max(*low, *high) > last) return false;
    for (unsigned i = std::min(*low, *high); i <= std::max(*low, *high); ++i) numbers.insert(i);
  }
  return true;
}

std::set<unsigned> allowed_processors() {
  std::set<unsigned> numbers;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return numbers;
  for (unsigned i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) numbers.insert(i);
  return numbers;
}

std::vector<Processor> read_processors(const std::string& root, const std::set<unsigned>& allowed) {
  std::vector<Processor> all;
  std::set<unsigned> online = list_in(root + "/online");
  if (online.empty()) online = allowed;
  for (const unsigned number : online) {
    all.push_back(read_one(root + "/cpu" + std::to_string(number), number));
    all.back().allowed = allowed.contains(number);
  }
  number_clusters(all);
  return all;
}

}  // namespace app
