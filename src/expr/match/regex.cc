#include "expr/regex.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>

#include "expr/match/automaton.h"
#include "expr/match/kinds.h"
#include "expr/match/literals.h"
#include "expr/match/ranked.h"

namespace expr::match {
namespace {

using state::PatternEntry;

// In order, the first that matches. Of many, only those run whose required literals are in the
// sample: one automaton finds them for all expressions at once.
class RegexIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void removed(const PatternEntry& entry) override {
    if (patterns_.remove(entry)) build();
  }
  void cleared() override {
    patterns_.clear();
    automaton_.reset();
  }
  void expect(std::size_t) override { settled_ = false; }
  void settled() override {
    settled_ = true;
    build();
  }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    auto compiled = Regex::compile(key, options().ignore_case);
    if (!compiled) error = compiled.error();
    return compiled.has_value();
  }
  bool insert(const PatternEntry& entry, std::string& error) override {
    auto compiled = Regex::compile(entry.key, options().ignore_case);
    if (!compiled) {
      error = compiled.error();
      return false;
    }
    if (patterns_.add({std::move(*compiled), &entry}) && settled_) build();
    return true;
  }
  const PatternEntry* find(const Value& sample) override {
    if (automaton_)
      if (const PatternEntry* found = find_built(sample.text)) return found;
    for (std::uint32_t i = patterns_.built(); i < patterns_.size(); ++i)
      if (matches(i, sample.text)) return patterns_[i].entry;
    return nullptr;
  }
  void groups(const PatternEntry& entry, std::string_view sample, base::Arena& arena,
              MatchResult& result) override {
    auto pattern = patterns_.find(entry);
    Regex::Group found[10];
    std::size_t count = pattern->regex->match(sample, 0, found);
    for (std::size_t i = 0; i < count; ++i)
      if (found[i].from != Regex::kUnset)
        result.groups[i] = arena.copy(sample.substr(found[i].from, found[i].to - found[i].from));
  }

 private:
  struct Pattern {
    std::shared_ptr<const Regex> regex;
    const PatternEntry* entry = nullptr;
  };
  using Bits = std::vector<std::uint64_t>;
  static constexpr std::uint32_t kFewest = 8;  // below, all run

  bool matches(std::uint32_t rank, std::string_view text) const {
    const Pattern& pattern = patterns_[rank];
    return pattern.entry != nullptr && pattern.regex->matches(text);
  }

  const PatternEntry* find_built(std::string_view text) const {
    thread_local Bits candidates;
    candidates = always_;
    automaton_->each(
        text, [](std::uint32_t rank) { candidates[rank / 64] |= std::uint64_t{1} << rank % 64; });
    for (std::uint32_t word = 0; word < candidates.size(); ++word) {
      for (std::uint64_t bits = candidates[word]; bits != 0; bits &= bits - 1) {
        auto rank = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
        if (matches(rank, text)) return patterns_[rank].entry;
      }
    }
    return nullptr;
  }

  void build() {
    automaton_.reset();
    patterns_.pack();
    if (patterns_.size() < kFewest) return;
    std::vector<std::vector<AnyOf>> clauses(patterns_.size());
    std::unordered_map<std::string, std::size_t> uses;
    for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
      clauses[i] = required_literals(patterns_[i].entry->key);
      for (const AnyOf& clause : clauses[i])
        for (const std::string& literal : clause) ++uses[literal];
    }
    automaton_.emplace(true);
    always_.assign((patterns_.size() + 63) / 64, 0);
    for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
      const AnyOf* clause = rarest(clauses[i], uses);
      if (clause == nullptr)
        always_[i / 64] |= std::uint64_t{1} << i % 64;
      else
        for (const std::string& literal : *clause) automaton_->add(literal, i);
    }
    automaton_->build();
    patterns_.set_built();
  }

  // The requirement that the fewest other expressions share, of several the longest.
  static const AnyOf* rarest(const std::vector<AnyOf>& clauses,
                             const std::unordered_map<std::string, std::size_t>& uses) {
    const AnyOf* best = nullptr;
    std::pair<std::size_t, std::size_t> least;
    for (const AnyOf& clause : clauses) {
      std::pair<std::size_t, std::size_t> cost{0, 0};
      for (const std::string& literal : clause) {
        cost.first += uses.at(literal);
        cost.second = std::max(cost.second, ~literal.size());
      }
      if (best != nullptr && cost >= least) continue;
      best = &clause;
      least = cost;
    }
    return best;
  }

  bool settled_ = true;  // not in the middle of many edits
  Ranked<Pattern> patterns_;
  std::optional<Automaton> automaton_;
  Bits always_;  // those that require nothing
};

}  // namespace

IndexPointer make_regex_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<RegexIndex>(set, options);
}

}  // namespace expr::match
