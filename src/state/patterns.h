// Pattern sets and maps shared by all who name the same file or "virt@"/"opt@" name: texts in order
// with their values and versions. expr/ keeps match structures beside a set as observers that hear
// of each edit, so that one edit costs one entry. Edited at run time by commands, actions and
// scripts on any thread; read under shared(), which is never held across a wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "state/events.h"
#include "state/reader_lock.h"
#include "state/text_store.h"

namespace state {

// Texts belong to the set. A key stays where it is until the entry is removed() or all are
// cleared(); a value moves when it changes.
struct PatternEntry {
  std::uint64_t id;        // printed as 0x… by "show map"
  std::string_view key;    // null: removed, kept until the next compaction, never shown
  std::string_view value;  // maps only
  std::uint32_t version;   // "prepare"/"commit"
  std::uint32_t line;      // in the file, 0 at run time
  bool removed() const { return key.data() == nullptr; }
};

// Called with the set locked for editing. Entries keep their address until removed() or cleared();
// their ids rise in the order of added().
class PatternObserver {
 public:
  virtual ~PatternObserver() = default;
  // Whether it could be added; false with a message ("'x' is not a number").
  virtual bool accepts(std::string_view key, std::string_view value, std::string& error) const = 0;
  virtual void added(const PatternEntry& entry) = 0;
  // The same for an entry that nobody asked about; false with a message when it cannot be taken.
  virtual bool adopt(const PatternEntry& entry, std::string& error) {
    if (!accepts(entry.key, entry.value, error)) return false;
    added(entry);
    return true;
  }
  virtual void removed(const PatternEntry& entry) = 0;
  virtual void cleared() = 0;
  // Around many calls of added() or adopt() in a row.
  virtual void expect(std::size_t /*entries*/) {}
  virtual void settled() {}
};

class PatternSet {
 public:
  // Told of each visible change, with the set locked, until it answers false.
  using Watcher = std::function<bool(EventType)>;
  void watch(Watcher watcher);

  PatternSet(std::string name, bool is_map, unsigned id)
      : name_(std::move(name)), id_(id), is_map_(is_map) {}

  const std::string& name() const { return name_; }  // file name, "virt@x", or "" when inline
  unsigned id() const { return id_; }                // "#1"
  bool is_map() const { return is_map_; }
  // Where it is used, as "show acl" tells it: "acl 'a' file 'x.cfg' line 3".
  std::string description;
  // Moves with every visible change.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  // False, with why when asked for, if an observer cannot take the key or value.
  bool add(std::string_view key, std::string_view value, std::uint32_t line = 0,
           std::string* error = nullptr);
  // Replaces the value of every entry with that key; false when there is none.
  bool set(std::string_view key, std::string_view value, std::string* error = nullptr);
  // As set(), but adds an entry when there is none: at once, whoever else edits.
  bool put(std::string_view key, std::string_view value, std::string* error = nullptr);
  bool set_by_id(std::uint64_t id, std::string_view value, std::string* error = nullptr);
  bool remove(std::string_view key);
  bool remove_by_id(std::uint64_t id);
  void clear();
  std::uint32_t prepare();  // a new invisible version
  bool add_to(std::uint32_t version, std::string_view key, std::string_view value,
              std::string* error = nullptr);
  bool commit(std::uint32_t version);
  void clear_version(std::uint32_t version);
  std::uint32_t current_version() const { return current_.load(std::memory_order_relaxed); }
  std::uint32_t next_version() const { return newest_.load(std::memory_order_relaxed); }
  std::size_t size() const;  // of the current version
  // In order, under a shared lock, entries of one version.
  void each(std::uint32_t version, const std::function<bool(const PatternEntry&)>& visit) const;
  void each(const std::function<bool(const PatternEntry&)>& visit) const;  // current version

  // Offers every current entry to the observer, which is detached when it goes. What it cannot take
  // is told, one line an entry, and keeps it from being attached.
  base::Result<void> attach(const std::shared_ptr<PatternObserver>& observer);
  // Appends the lines of a pattern file. Before anybody observes.
  base::Result<void> load(const std::string& path, bool optional);
  void each_observer(
      const std::function<void(const std::shared_ptr<PatternObserver>&)>& visit) const;
  std::vector<std::shared_ptr<PatternObserver>> observers() const;
  // Read-only access for the whole of a look-up.
  std::shared_lock<ReaderLock> shared() const { return std::shared_lock(lock_); }

 private:
  using Entries = std::deque<PatternEntry>;
  void load_line(std::string_view line, std::uint32_t number);
  void replace_entries(Entries kept);
  bool accepted(std::string_view key, std::string_view value, std::string* error);
  void append(std::string_view key, std::string_view value, std::uint32_t version,
              std::uint32_t line);
  void drop(PatternEntry& entry);
  void compact_if_worth();
  void change(PatternEntry& entry, std::string_view value);
  bool change_all(std::string_view key, std::string_view value);
  PatternEntry* by_id(std::uint64_t id);
  void index_keys();
  void announce(EventType change);
  void moved() { generation_.fetch_add(1, std::memory_order_release); }
  template <class F>
  void tell(F f);

  mutable ReaderLock lock_;
  std::string name_;
  unsigned id_;
  bool is_map_;
  bool keys_indexed_ = false;  // built at the first edit by key: most sets are never edited
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<std::uint32_t> current_{0}, newest_{0};
  std::uint64_t next_entry_ = 1;
  std::size_t removed_ = 0;
  Entries entries_;  // ids rise
  TextStore texts_;
  std::unordered_multimap<std::string_view, PatternEntry*> by_key_;
  std::vector<std::weak_ptr<PatternObserver>> observers_;
  std::vector<Watcher> watchers_;
};

class PatternSets {
 public:
  // The set of that name, loaded from its file when it is new ("virt@x": empty, "opt@x": the file
  // may be missing). Fails with what is wrong: at run time, that the set is not known.
  base::Result<PatternSet*> open(const std::string& name, bool is_map);
  // Patterns written inline; `unique_id` as -u asks, -1 for the next free one. Start-up only.
  PatternSet& create_anonymous(const std::string& description, int unique_id = -1);
  PatternSet* find(std::string_view name, bool is_map) const;  // also "#id"
  PatternSet* find(std::string_view name) const;
  const std::vector<std::unique_ptr<PatternSet>>& all() const { return sets_; }
  // The configuration is complete: there will be no more sets, and any thread may look them up.
  void seal() { sealed_ = true; }

 private:
  PatternSet& create(std::string name, bool is_map, int unique_id);

  std::vector<std::unique_ptr<PatternSet>> sets_;
  bool sealed_ = false;
};

}  // namespace state
