#include <map>

#include "expr/match/kinds.h"
#include "expr/match/table.h"

namespace expr::match {
namespace {

// Prefixes or suffixes in one hash. A sample is hashed byte by byte from its anchored end and
// looked up at each length that some pattern has.
template <bool kSuffix>
class AffixIndex final : public PatternIndex {
 public:
  AffixIndex(state::PatternSet& of, const IndexOptions& how)
      : PatternIndex(of, how), table_(TextEqual{how.ignore_case}) {
    table_.rekey = [](const HashedText& key, const PatternEntry& entry) {
      return HashedText{entry.key, key.hash};
    };
  }
  void added(const PatternEntry& entry) override {
    table_.add(key(entry.key), entry);
    ++lengths_[entry.key.size()];
  }
  void removed(const PatternEntry& entry) override {
    table_.remove(key(entry.key), entry);
    auto it = lengths_.find(entry.key.size());
    if (it != lengths_.end() && --it->second == 0) lengths_.erase(it);
  }
  void cleared() override {
    table_.clear();
    lengths_.clear();
  }

 protected:
  // Prefixes with case give the longest, the others the first in order (manual, "map").
  const PatternEntry* find(const Value& sample) override {
    const PatternEntry* best = nullptr;
    bool longest = !kSuffix && !options().ignore_case;
    RunningHash hash;
    std::size_t done = 0;
    for (const auto& [length, count] : lengths_) {
      if (length > sample.text.size()) break;
      for (; done < length; ++done) hash.add(at(sample.text, done));
      std::string_view part =
          kSuffix ? sample.text.substr(sample.text.size() - length) : sample.text.substr(0, length);
      const PatternEntry* found = table_.find({part, hash.get()});
      if (found != nullptr && (best == nullptr || longest || found->id < best->id)) best = found;
    }
    return best;
  }

 private:
  char at(std::string_view text, std::size_t i) const {
    char c = kSuffix ? text[text.size() - 1 - i] : text[i];
    return options().ignore_case ? base::lower(c) : c;
  }
  HashedText key(std::string_view text) const {
    RunningHash hash;
    for (std::size_t i = 0; i < text.size(); ++i) hash.add(at(text, i));
    return {text, hash.get()};
  }

  EntryTable<HashedText, TextHash, TextEqual> table_;
  std::map<std::size_t, std::size_t> lengths_;  // how many patterns of a length there are
};

}  // namespace

IndexPointer make_affix_index(state::PatternSet& set, const IndexOptions& options) {
  if (options.method == MatchMethod::suffix)
    return std::make_shared<AffixIndex<true>>(set, options);
  return std::make_shared<AffixIndex<false>>(set, options);
}

}  // namespace expr::match
