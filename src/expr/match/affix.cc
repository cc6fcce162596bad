#include "expr/match/kinds.h"
#include "expr/match/table.h"

namespace expr::match {
namespace {

// Hashed from the anchored end.
template <bool kSuffix>
struct AffixKey {
  bool fold = false;
  char at(std::string_view text, std::size_t i) const {
    char c = kSuffix ? text[text.size() - 1 - i] : text[i];
    return fold ? base::lower(c) : c;
  }
  std::string_view text(const PatternEntry& entry) const { return entry.key; }
  HashedText of(const PatternEntry& entry) const {
    RunningHash hash;
    for (std::size_t i = 0; i < entry.key.size(); ++i) hash.add(at(entry.key, i));
    return {entry.key, hash.get()};
  }
  bool equal(std::string_view a, std::string_view b) const {
    return fold ? base::iequals(a, b) : a == b;
  }
};

// Prefixes or suffixes in one hash. A sample is hashed byte by byte from its anchored end and
// looked up at each length that some pattern has.
template <bool kSuffix>
class AffixIndex final : public PatternIndex {
 public:
  AffixIndex(state::PatternSet& of, const IndexOptions& how)
      : PatternIndex(of, how), key_{how.ignore_case}, table_(key_) {}
  void removed(const PatternEntry& entry) override {
    table_.remove(entry);
    auto it = length(entry.key.size());
    if (--it->patterns == 0) lengths_.erase(it);
  }
  void cleared() override {
    table_.clear();
    lengths_.clear();
  }
  void expect(std::size_t entries) override { table_.reserve(entries); }

 protected:
  bool insert(const PatternEntry& entry, std::string&) override {
    table_.add(entry);
    auto it = length(entry.key.size());
    if (it == lengths_.end() || it->bytes != entry.key.size())
      it = lengths_.insert(it, {entry.key.size(), 0});
    ++it->patterns;
    return true;
  }
  // Prefixes with case give the longest, the others the first in order (manual, "map").
  const PatternEntry* find(const Value& sample) override {
    const PatternEntry* best = nullptr;
    const std::string_view text = sample.text;
    const bool longest = !kSuffix && !options().ignore_case;
    RunningHash hash;
    std::size_t done = 0;
    for (const Length& each : lengths_) {
      if (each.bytes > text.size()) break;
      for (; done < each.bytes; ++done) hash.add(key_.at(text, done));
      std::string_view part = text.substr(kSuffix ? text.size() - done : 0, done);
      const PatternEntry* found = table_.find({part, hash.get()});
      if (found != nullptr && (best == nullptr || longest || found->id < best->id)) best = found;
    }
    return best;
  }

 private:
  struct Length {
    std::size_t bytes;
    std::size_t patterns;  // that are so long
  };
  typename std::vector<Length>::iterator length(std::size_t bytes) {
    return std::lower_bound(lengths_.begin(), lengths_.end(), bytes,
                            [](const Length& l, std::size_t wanted) { return l.bytes < wanted; });
  }

  AffixKey<kSuffix> key_;
  TextTable<AffixKey<kSuffix>> table_;
  std::vector<Length> lengths_;  // rising
};

}  // namespace

IndexPointer make_affix_index(state::PatternSet& set, const IndexOptions& options) {
  if (options.method == MatchMethod::suffix)
    return std::make_shared<AffixIndex<true>>(set, options);
  return std::make_shared<AffixIndex<false>>(set, options);
}

}  // namespace expr::match
