#include "state/patterns.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <thread>

namespace state {
namespace {

// Remembers the keys it was told of, in order.
struct Listener : PatternObserver {
  bool accepts(std::string_view key, std::string_view, std::string& error) const override {
    if (key != "bad") return true;
    error = "it is bad";
    return false;
  }
  void added(const PatternEntry& entry) override { keys.push_back(&entry); }
  void removed(const PatternEntry& entry) override { std::erase(keys, &entry); }
  void cleared() override { keys.clear(); }
  std::string text() const {
    std::string all;
    for (const PatternEntry* e : keys) all.append(e->key).append("=").append(e->value).append(" ");
    return all;
  }
  std::vector<const PatternEntry*> keys;
};

std::string text_of(const PatternSet& set) {
  std::string all;
  set.each([&](const PatternEntry& e) {
    return all.append(e.key).append("=").append(e.value).append(" "), true;
  });
  return all;
}

TEST(PatternSet, TellsObserversOfEdits) {
  PatternSet set("virt@x", true, 0);
  set.add("a", "1");
  auto listener = std::make_shared<Listener>();
  set.attach(listener);
  set.add("b", "2");
  set.add("a", "3");
  EXPECT_EQ(listener->text(), "a=1 b=2 a=3 ");
  EXPECT_TRUE(set.set("a", "9"));
  EXPECT_FALSE(set.set("z", "9"));
  EXPECT_EQ(listener->text(), "a=9 b=2 a=9 ");
  EXPECT_TRUE(set.remove("a"));
  EXPECT_FALSE(set.remove("a"));
  EXPECT_EQ(listener->text(), "b=2 ");
  EXPECT_TRUE(set.put("b", "7"));
  EXPECT_TRUE(set.put("c", "8"));
  EXPECT_EQ(text_of(set), "b=7 c=8 ");
  std::string error;
  EXPECT_FALSE(set.add("bad", "", 0, &error));
  EXPECT_EQ(error, "it is bad");
  set.clear();
  EXPECT_EQ(listener->text(), "");
  EXPECT_EQ(set.size(), 0u);
}

TEST(PatternSet, FindsEntriesById) {
  PatternSet set("virt@x", true, 0);
  for (int i = 0; i < 10; ++i) set.add(std::to_string(i), "v");
  std::uint64_t id = 0;
  set.each([&](const PatternEntry& e) { return id = e.id, e.key != "4"; });
  EXPECT_TRUE(set.set_by_id(id, "w"));
  EXPECT_TRUE(set.remove_by_id(id));
  EXPECT_FALSE(set.remove_by_id(id));
  EXPECT_FALSE(set.set_by_id(id, "w"));
  EXPECT_EQ(set.size(), 9u);
}

TEST(PatternSet, KeepsVersionsApart) {
  PatternSet set("virt@x", true, 0);
  auto listener = std::make_shared<Listener>();
  set.attach(listener);
  set.add("a", "1");
  std::uint32_t next = set.prepare();
  EXPECT_TRUE(set.add_to(next, "b", "2"));
  EXPECT_FALSE(set.add_to(next + 1, "c", "3"));
  EXPECT_EQ(text_of(set), "a=1 ");
  EXPECT_EQ(listener->text(), "a=1 ");
  EXPECT_TRUE(set.commit(next));
  EXPECT_EQ(text_of(set), "b=2 ");
  EXPECT_EQ(listener->text(), "b=2 ");
  std::uint32_t dropped = set.prepare();
  set.add_to(dropped, "x", "");
  set.clear_version(dropped);
  EXPECT_EQ(listener->text(), "b=2 ");
  EXPECT_TRUE(set.commit(dropped));
  EXPECT_EQ(set.size(), 0u);
}

TEST(PatternSet, SurvivesManyRemovals) {
  PatternSet set("virt@x", false, 0);
  auto listener = std::make_shared<Listener>();
  set.attach(listener);
  for (int i = 0; i < 5000; ++i) set.add("k" + std::to_string(i), {});
  for (int i = 1; i < 5000; ++i)
    if (i % 10 != 0) {
      ASSERT_TRUE(set.remove("k" + std::to_string(i)));
    }
  EXPECT_EQ(set.size(), 500u);
  EXPECT_EQ(listener->keys.size(), 500u);
  for (int i = 0; i < 5000; i += 10) EXPECT_TRUE(set.remove("k" + std::to_string(i)));
  EXPECT_EQ(listener->keys.size(), 0u);
}

TEST(PatternSet, IsReadWhileItIsEdited) {
  PatternSet set("virt@x", true, 0);
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) set.each([](const PatternEntry& e) { return e.key.size() == e.value.size(); });
    });
  for (int i = 0; i < 2000; ++i) {
    std::string key = std::to_string(i % 50);
    set.put(key, std::string(key.size(), 'x'));
    if (i % 7 == 0) set.remove(key);
  }
  stop = true;
  for (auto& each : readers) each.join();
}

TEST(PatternSets, LoadsFiles) {
  std::string path = testing::TempDir() + "patterns_test.map";
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("# comment\n\n  key   some value \t\r\n #sharp x\nalone\n", file);
  std::fclose(file);
  PatternSets sets;
  auto map = sets.open(path, true);
  ASSERT_TRUE(map);
  EXPECT_EQ(text_of(**map), "key=some value #sharp=x alone= ");
  EXPECT_EQ(*sets.open("file@" + path, true), *map);
  EXPECT_EQ(*sets.open("opt@" + path, true), *map);
  EXPECT_FALSE(sets.open(path, false));
  EXPECT_FALSE(sets.open(path + ".none", true));
  EXPECT_TRUE(sets.open("opt@" + path + ".none", true));
  EXPECT_TRUE(sets.open("virt@v", false));
  EXPECT_EQ(sets.find("#0"), *map);
  EXPECT_EQ(sets.find("virt@v")->name(), "virt@v");
  EXPECT_EQ(sets.find("virt@v", true), nullptr);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace state
