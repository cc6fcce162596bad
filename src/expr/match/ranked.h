// Patterns in order under a structure that is built over all of them at once: those that went leave
// holes in it, those that came stand behind it, and when there are many of either it is time to
// build it anew. Guarded by the pattern set.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "state/patterns.h"

namespace expr::match {

// `Pattern` has `entry`, null in a hole.
template <class Pattern>
class Ranked {
 public:
  // Both say whether it is time to build.
  bool add(Pattern pattern) {
    patterns_.push_back(std::move(pattern));
    return is_time();
  }
  bool remove(const state::PatternEntry& entry) {
    auto it = find(entry);
    if (it == patterns_.end()) return false;
    *it = {};
    ++holes_;
    return is_time();
  }
  typename std::vector<Pattern>::iterator find(const state::PatternEntry& entry) {
    return std::find_if(patterns_.begin(), patterns_.end(),
                        [&](const Pattern& p) { return p.entry == &entry; });
  }

  // Takes the holes out, which ends what was built.
  void pack() {
    std::erase_if(patterns_, [](const Pattern& p) { return p.entry == nullptr; });
    built_ = 0;
    holes_ = 0;
  }
  void set_built() { built_ = size(); }
  void clear() {
    patterns_.clear();
    built_ = 0;
    holes_ = 0;
  }

  std::uint32_t built() const { return built_; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(patterns_.size()); }
  bool has_holes() const { return holes_ != 0; }
  const Pattern& operator[](std::uint32_t rank) const { return patterns_[rank]; }

 private:
  bool is_time() const {
    constexpr std::uint32_t kSome = 64;
    return size() - built_ + holes_ > kSome + built_ / 8;
  }

  std::vector<Pattern> patterns_;
  std::uint32_t built_ = 0;  // how many the structure covers
  std::uint32_t holes_ = 0;
};

}  // namespace expr::match
