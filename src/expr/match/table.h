// Building blocks of pattern indexes: a hash from a key to its entries, and running hashes of texts
// so that all prefixes of a text are hashed in one pass.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "state/patterns.h"

namespace expr::match {

using state::PatternEntry;

// Entries by key; of several with one key the first stands.
template <class Key, class Hash, class Equal = std::equal_to<Key>>
class EntryTable {
 public:
  EntryTable() = default;
  explicit EntryTable(const Equal& equal) : first_(0, Hash(), equal), more_(0, Hash(), equal) {}

  void add(const Key& key, const PatternEntry& entry) {
    const PatternEntry* late = &entry;
    auto [it, is_new] = first_.try_emplace(key, &entry);
    if (is_new) return;
    if (entry.id < it->second->id) {  // a changed entry takes its place again
      late = it->second;
      first_.erase(it);
      first_.emplace(key, &entry);
    }
    more_[rekey(key, *first_.find(key)->second)].push_back(late);
  }
  void remove(const Key& key, const PatternEntry& entry) {
    auto more = more_.find(key);
    auto it = first_.find(key);
    if (it == first_.end()) return;
    if (it->second != &entry) {
      if (more != more_.end()) std::erase(more->second, &entry);
      return;
    }
    first_.erase(it);
    if (more == more_.end()) return;
    // The key may be a view of the entry that goes: entries that stay come in anew.
    std::vector<const PatternEntry*> others = std::move(more->second);
    more_.erase(more);
    for (const PatternEntry* other : others) add(rekey(key, *other), *other);
  }
  const PatternEntry* find(const Key& key) const {
    auto it = first_.find(key);
    return it == first_.end() ? nullptr : it->second;
  }
  bool empty() const { return first_.empty(); }
  void clear() {
    first_.clear();
    more_.clear();
  }

  // Makes the same key from another entry.
  Key (*rekey)(const Key& key, const PatternEntry& entry) = [](const Key& key,
                                                               const PatternEntry&) { return key; };

 private:
  boost::unordered_flat_map<Key, const PatternEntry*, Hash, Equal> first_;
  boost::unordered_flat_map<Key, std::vector<const PatternEntry*>, Hash, Equal> more_;
};

inline std::uint64_t mix(std::uint64_t h) {
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93u;
  h ^= h >> 32;
  return h;
}

struct NumberHash {
  using is_avalanching = void;
  std::uint64_t operator()(std::uint64_t n) const { return mix(n * 0x9e3779b97f4a7c15u); }
};

// Grows byte by byte.
class RunningHash {
 public:
  void add(char c) { state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u; }
  std::uint64_t get() const { return mix(state_); }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

// A text and its hash, which the caller has made.
struct HashedText {
  std::string_view text;
  std::uint64_t hash = 0;
};
struct TextHash {
  using is_avalanching = void;
  std::uint64_t operator()(const HashedText& t) const { return t.hash; }
};
struct TextEqual {
  bool fold = false;
  bool operator()(const HashedText& a, const HashedText& b) const {
    return fold ? base::iequals(a.text, b.text) : a.text == b.text;
  }
};

}  // namespace expr::match
