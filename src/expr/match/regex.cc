#include "expr/regex.h"

#include <algorithm>

#include "expr/match/kinds.h"

namespace expr::match {
namespace {

using state::PatternEntry;

// In order, the first that matches.
class RegexIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void added(const PatternEntry& entry) override {
    auto compiled = Regex::compile(entry.key, options().ignore_case);
    if (!compiled) return;
    auto at = std::upper_bound(patterns_.begin(), patterns_.end(), entry.id,
                               [](std::uint64_t id, const Pattern& p) { return id < p.entry->id; });
    patterns_.insert(at, {std::move(*compiled), &entry});
  }
  void removed(const PatternEntry& entry) override {
    std::erase_if(patterns_, [&](const Pattern& p) { return p.entry == &entry; });
  }
  void cleared() override { patterns_.clear(); }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    auto compiled = Regex::compile(key, options().ignore_case);
    if (!compiled) error = compiled.error();
    return compiled.has_value();
  }
  const PatternEntry* find(const Value& sample) override {
    for (const Pattern& p : patterns_)
      if (p.regex->matches(sample.text)) return p.entry;
    return nullptr;
  }
  void groups(const PatternEntry& entry, std::string_view sample, base::Arena& arena,
              MatchResult& result) override {
    for (const Pattern& p : patterns_) {
      if (p.entry != &entry) continue;
      Regex::Group found[10];
      std::size_t count = p.regex->match(sample, 0, found);
      for (std::size_t i = 0; i < count; ++i) {
        bool set = found[i].from != Regex::kUnset;
        std::string_view text =
            set ? sample.substr(found[i].from, found[i].to - found[i].from) : "";
        result.groups.push_back(arena.copy(text));
      }
      return;
    }
  }

 private:
  struct Pattern {
    std::shared_ptr<const Regex> regex;
    const PatternEntry* entry;
  };
  std::vector<Pattern> patterns_;
};

}  // namespace

IndexPointer make_regex_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<RegexIndex>(set, options);
}

}  // namespace expr::match
