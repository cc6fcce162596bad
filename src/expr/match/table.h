// Building blocks of pattern indexes: hashes from a key or a text to its entries, and running
// hashes of texts so that all prefixes of a text are hashed in one pass.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "state/patterns.h"

namespace expr::match {

using state::PatternEntry;

// Entries with one key: the first in order stands in a table, the others wait here under it.
class Duplicates {
 public:
  void add(const PatternEntry* standing, const PatternEntry* late) {
    others_[standing].push_back(late);
  }
  // The one that takes the place of an entry that goes; null when there is none.
  const PatternEntry* replace(const PatternEntry* standing) {
    auto found = others_.find(standing);
    if (found == others_.end()) return nullptr;
    std::vector<const PatternEntry*> waiting = std::move(found->second);
    others_.erase(found);
    const PatternEntry* next = waiting.front();
    waiting.erase(waiting.begin());
    if (!waiting.empty()) others_.emplace(next, std::move(waiting));
    return next;
  }
  void remove(const PatternEntry* standing, const PatternEntry* late) {
    auto found = others_.find(standing);
    if (found == others_.end()) return;
    std::erase(found->second, late);
    if (found->second.empty()) others_.erase(found);
  }
  void clear() { others_.clear(); }

 private:
  boost::unordered_flat_map<const PatternEntry*, std::vector<const PatternEntry*>> others_;
};

// Entries by a key that is made of their text.
template <class Key, class Hash, class Equal = std::equal_to<>>
class EntryTable {
 public:
  void add(const Key& key, const PatternEntry& entry) {
    auto [it, is_new] = first_.try_emplace(key, &entry);
    if (!is_new) duplicates_.add(it->second, &entry);
  }
  void remove(const Key& key, const PatternEntry& entry) {
    auto it = first_.find(key);
    if (it == first_.end()) return;
    if (it->second != &entry) return duplicates_.remove(it->second, &entry);
    if (const PatternEntry* next = duplicates_.replace(&entry))
      it->second = next;
    else
      first_.erase(it);
  }
  template <class Like>
  const PatternEntry* find(const Like& key) const {
    auto it = first_.find(key);
    return it == first_.end() ? nullptr : it->second;
  }
  bool empty() const { return first_.empty(); }
  void reserve(std::size_t entries) { first_.reserve(entries); }
  void clear() {
    first_.clear();
    duplicates_.clear();
  }

 private:
  boost::unordered_flat_map<Key, const PatternEntry*, Hash, Equal> first_;
  Duplicates duplicates_;
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

// Entries by their text, of which only their addresses are kept. `Key` makes the HashedText of an
// entry and compares texts.
template <class Key>
class TextTable {
 public:
  explicit TextTable(const Key& key) : first_(0, Hash{key}, Equal{key}) {}

  void add(const PatternEntry& entry) {
    auto [it, is_new] = first_.insert(&entry);
    if (!is_new) duplicates_.add(*it, &entry);
  }
  void remove(const PatternEntry& entry) {
    auto it = first_.find(&entry);
    if (it == first_.end()) return;
    if (*it != &entry) return duplicates_.remove(*it, &entry);
    const PatternEntry* next = duplicates_.replace(&entry);
    first_.erase(it);
    if (next != nullptr) first_.insert(next);
  }
  const PatternEntry* find(const HashedText& text) const {
    auto it = first_.find(text);
    return it == first_.end() ? nullptr : *it;
  }
  bool empty() const { return first_.empty(); }
  void reserve(std::size_t entries) { first_.reserve(entries); }
  void clear() {
    first_.clear();
    duplicates_.clear();
  }

 private:
  struct Hash {
    using is_avalanching = void;
    using is_transparent = void;
    Key key;
    std::uint64_t operator()(const PatternEntry* entry) const { return key.of(*entry).hash; }
    std::uint64_t operator()(const HashedText& text) const { return text.hash; }
  };
  struct Equal {
    using is_transparent = void;
    Key key;
    bool operator()(const PatternEntry* a, const PatternEntry* b) const {
      return key.equal(key.text(*a), key.text(*b));
    }
    bool operator()(const HashedText& a, const PatternEntry* b) const {
      return key.equal(a.text, key.text(*b));
    }
    bool operator()(const PatternEntry* a, const HashedText& b) const {
      return key.equal(key.text(*a), b.text);
    }
  };

  boost::unordered_flat_set<const PatternEntry*, Hash, Equal> first_;
  Duplicates duplicates_;
};

}  // namespace expr::match
