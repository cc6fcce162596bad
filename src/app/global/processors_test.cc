#include "app/global/processors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace app {
namespace {

namespace fs = std::filesystem;
using Places = std::vector<std::vector<unsigned>>;

// Two packages of two cores with two threads each: 0-3 and 4-7, siblings beside each other.
std::vector<Processor> server() {
  std::vector<Processor> all;
  for (unsigned i = 0; i < 8; ++i)
    all.push_back({.number = i,
                   .package = i / 4,
                   .node = i / 4,
                   .ccx = i / 4 * 4,
                   .cluster = i / 4,
                   .core = i % 4 / 2,
                   .thread = i % 2,
                   .capacity = 1000});
  return all;
}

// Four fast ones, four slow ones, one cache.
std::vector<Processor> laptop() {
  std::vector<Processor> all;
  for (unsigned i = 0; i < 8; ++i)
    all.push_back({.number = i, .cluster = i / 4, .core = i, .capacity = i < 4 ? 1024u : 500u});
  return all;
}

TEST(Processors, PolicyGroupsByCache) {
  const Seats seats = choose_processors(server(), {});
  EXPECT_EQ(seats.count, 8u);
  EXPECT_EQ(seats.places, Places({{0, 1, 2, 3},
                                  {0, 1, 2, 3},
                                  {0, 1, 2, 3},
                                  {0, 1, 2, 3},
                                  {4, 5, 6, 7},
                                  {4, 5, 6, 7},
                                  {4, 5, 6, 7},
                                  {4, 5, 6, 7}}));
}

TEST(Processors, WithoutPolicyThereIsOneGroup) {
  for (const char* policy : {"none", "group-by-2-ccx", "group-by-3-clusters"}) {
    const Seats seats = choose_processors(server(), {.policy = policy});
    EXPECT_EQ(seats.count, 8u) << policy;
    EXPECT_TRUE(seats.places.empty()) << policy;
  }
  EXPECT_TRUE(choose_processors(server(), {.inspects = false}).places.empty());
  EXPECT_TRUE(choose_processors(server(), {.count_fixed = true}).places.empty());
}

TEST(Processors, OneThreadForEachCore) {
  const Seats seats = choose_processors(server(), {.one_thread_per_core = true});
  EXPECT_EQ(seats.count, 4u);
  EXPECT_EQ(seats.places, Places({{0, 1}, {2, 3}, {4, 5}, {6, 7}}));
}

TEST(Processors, Affinities) {
  const auto first = [](const char* affinity) {
    return choose_processors(server(), {.affinity = affinity}).places.at(1);
  };
  EXPECT_EQ(first("per-thread"), std::vector<unsigned>({1}));
  EXPECT_EQ(first("per-core"), std::vector<unsigned>({0, 1}));
  EXPECT_EQ(first("per-ccx"), std::vector<unsigned>({0, 1, 2, 3}));
}

TEST(Processors, SetsLeaveSome) {
  const auto left = [](std::vector<CpuSetStep> steps) {
    std::vector<unsigned> numbers;
    for (const Processor& p : usable_processors(server(), {.cpu_set = std::move(steps)}))
      numbers.push_back(p.number);
    return numbers;
  };
  EXPECT_EQ(left({{"drop-node", {0}}}), std::vector<unsigned>({4, 5, 6, 7}));
  EXPECT_EQ(left({{"only-thread", {0}}}), std::vector<unsigned>({0, 2, 4, 6}));
  EXPECT_EQ(left({{"only-core", {1}}, {"drop-cluster", {1}}}), std::vector<unsigned>({2, 3}));
  EXPECT_EQ(left({{"only-cpu", {1, 2, 99}}, {"drop-cpu", {2}}}), std::vector<unsigned>({1}));
  EXPECT_TRUE(left({{"only-node", {7}}}).empty());
}

TEST(Processors, ResetForgetsWhatTheProcessWasRestrictedTo) {
  std::vector<Processor> all = server();
  for (Processor& p : all) p.allowed = p.number < 2;
  EXPECT_EQ(choose_processors(all, {}).count, 2u);
  EXPECT_EQ(choose_processors(all, {.cpu_set = {{"reset", {}}}}).count, 8u);
}

TEST(Processors, FastAndSlowOnes) {
  const auto count = [](const char* policy) {
    return choose_processors(laptop(), {.policy = policy}).count;
  };
  EXPECT_EQ(count("performance"), 4u);
  EXPECT_EQ(count("efficiency"), 4u);
  EXPECT_EQ(count("group-by-cluster"), 8u);
  EXPECT_EQ(choose_processors(laptop(), {.policy = "performance"}).places.at(0),
            std::vector<unsigned>({0, 1, 2, 3}));
  EXPECT_EQ(choose_processors(laptop(), {.policy = "efficiency"}).places.at(0),
            std::vector<unsigned>({4, 5, 6, 7}));
  EXPECT_EQ(choose_processors(laptop(), {.policy = "resource"}).places.at(0),
            std::vector<unsigned>({4, 5, 6, 7}));
}

TEST(Processors, FirstUsableNode) {
  EXPECT_EQ(choose_processors(server(), {.policy = "first-usable-node"}).count, 4u);
  std::vector<Processor> restricted = server();
  restricted[0].allowed = false;
  EXPECT_EQ(choose_processors(restricted, {.policy = "first-usable-node"}).count, 7u);
}

TEST(Processors, NothingLeftIsNoChoice) {
  const Seats seats = choose_processors(server(), {.cpu_set = {{"drop-node", {0, 1}}}});
  EXPECT_EQ(seats.count, 8u);
  EXPECT_TRUE(seats.places.empty());
  EXPECT_EQ(choose_processors({}, {}).count, 0u);
}

TEST(Processors, Ranges) {
  std::set<unsigned> numbers;
  EXPECT_TRUE(read_ranges("0-2,5,7-6", 9, numbers));
  EXPECT_EQ(numbers, std::set<unsigned>({0, 1, 2, 5, 6, 7}));
  EXPECT_TRUE(read_ranges("8-", 9, numbers));
  EXPECT_TRUE(numbers.contains(9));
  for (const char* wrong : {"x", "1-x", "10", "1-10", "-3"}) {
    EXPECT_FALSE(read_ranges(wrong, 9, numbers)) << wrong;
  }
}

// What the kernel says of two cores with two threads, the second core slower.
struct Machine : testing::Test {
  Machine() {
    char name[] = "/tmp/processorsXXXXXX";
    root = ::mkdtemp(name);
    write("online", "0-3");
    for (unsigned i = 0; i < 4; ++i) {
      const std::string cpu = "cpu" + std::to_string(i) + "/";
      write(cpu + "topology/core_id", std::to_string(i / 2));
      write(cpu + "topology/physical_package_id", "0");
      write(cpu + "topology/thread_siblings_list", i < 2 ? "0-1" : "2-3");
      write(cpu + "cache/index0/level", "1");
      write(cpu + "cache/index0/shared_cpu_list", i < 2 ? "0-1" : "2-3");
      write(cpu + "cache/index1/level", "3");
      write(cpu + "cache/index1/shared_cpu_list", "0-3");
      write(cpu + "cpu_capacity", i < 2 ? "1024" : "600");
      fs::create_directory(root + "/" + cpu + "node1");
    }
  }
  ~Machine() override { fs::remove_all(root); }
  void write(const std::string& path, std::string_view text) const {
    fs::create_directories(fs::path(root + "/" + path).parent_path());
    std::ofstream(root + "/" + path) << text << "\n";
  }
  std::string root;
};

TEST_F(Machine, IsReadAsTheKernelTellsOfIt) {
  const auto all = read_processors(root, {0, 2, 3});
  ASSERT_EQ(all.size(), 4u);
  for (const Processor& p : all) {
    EXPECT_EQ(p.core, p.number / 2);
    EXPECT_EQ(p.thread, p.number % 2);
    EXPECT_EQ(p.ccx, 0u);
    EXPECT_EQ(p.node, 1u);
    EXPECT_EQ(p.allowed, p.number != 1);
  }
  const auto cluster = [&](unsigned number) {
    for (const Processor& p : all)
      if (p.number == number) return p.cluster;
    return 99u;
  };
  EXPECT_EQ(cluster(0), cluster(1));
  EXPECT_EQ(cluster(2), cluster(3));
  EXPECT_NE(cluster(0), cluster(2));
}

TEST_F(Machine, WithoutAWordFromTheKernelWhatIsAllowedCounts) {
  EXPECT_EQ(read_processors(root + "/none", {4, 6}).size(), 2u);
}

}  // namespace
}  // namespace app
