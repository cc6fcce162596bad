// Pattern sets and maps shared by all who name the same file or "virt@"/"opt@" name: the reference
// holds texts in order with their values and versions; expr/ builds match structures from it and
// rebuilds them when `generation` moved. Edited at run time by commands, actions and scripts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace state {

struct PatternEntry {
  std::uint64_t id;       // printed as 0x… by "show map"
  std::string key;
  std::string value;      // maps only
  std::uint32_t version;  // "prepare"/"commit"
  std::uint32_t line;     // in the file, 0 at run time
};

class PatternSet {
 public:
  PatternSet(std::string name, bool is_map, unsigned id) : name_(std::move(name)), id_(id), is_map_(is_map) {}

  const std::string& name() const { return name_; }  // file name, or what "show map" prints
  unsigned id() const { return id_; }                // "#1"
  bool is_map() const { return is_map_; }
  // Moves with every visible change.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  void add(std::string_view key, std::string_view value, std::uint32_t line = 0);
  // Replaces the value of every entry with that key; false when there is none.
  bool set(std::string_view key, std::string_view value);
  bool set_by_id(std::uint64_t id, std::string_view value);
  bool remove(std::string_view key);
  bool remove_by_id(std::uint64_t id);
  void clear();
  std::uint32_t prepare();                                  // a new invisible version
  bool add_to(std::uint32_t version, std::string_view key, std::string_view value);
  bool commit(std::uint32_t version);
  void clear_version(std::uint32_t version);
  std::uint32_t current_version() const;
  std::uint32_t next_version() const;
  std::size_t size() const;
  // In order, under a shared lock, entries of one version.
  void each(std::uint32_t version, const std::function<bool(const PatternEntry&)>& visit) const;
  void each(const std::function<bool(const PatternEntry&)>& visit) const;  // current version

  std::shared_mutex& mutex() const { return mutex_; }

 private:
  mutable std::shared_mutex mutex_;
  std::string name_;
  unsigned id_;
  bool is_map_;
  std::atomic<std::uint64_t> generation_{1};
  std::uint32_t current_ = 0, newest_ = 0;
  std::uint64_t next_entry_ = 1;
  std::vector<PatternEntry> entries_;
};

class PatternSets {
 public:
  // The set of that name, loaded from its file when it is new ("virt@x": empty, "opt@x": the file
  // may be missing). Fails with file, line and what is wrong. Start-up only.
  base::Result<PatternSet*> open(const std::string& name, bool is_map);
  PatternSet& create_anonymous(const std::string& display_name);  // patterns written inline
  PatternSet* find(std::string_view name, bool is_map) const;   // also "#id"
  PatternSet* find(std::string_view name) const;
  const std::vector<std::unique_ptr<PatternSet>>& all() const { return sets_; }

 private:
  std::vector<std::unique_ptr<PatternSet>> sets_;
};

}  // namespace state
