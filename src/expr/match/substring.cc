#include <cstring>
#include <optional>

#include "expr/match/automaton.h"
#include "expr/match/kinds.h"
#include "expr/match/ranked.h"

namespace expr::match {
namespace {

using state::PatternEntry;

bool contains(std::string_view text, std::string_view part) {
  return part.empty() || memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

bool contains_folded(std::string_view text, std::string_view part) {
  if (part.empty()) return true;
  char first = base::lower(part.front());
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i)
    if (base::lower(text[i]) == first && base::iequals(text.substr(i, part.size()), part))
      return true;
  return false;
}

// The first in order that is contained: by one automaton for all, and one by one for those that
// came after it was built.
class SubstringIndex final : public PatternIndex {
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
  bool insert(const PatternEntry& entry, std::string&) override {
    if (patterns_.add({&entry}) && settled_) build();
    return true;
  }
  const PatternEntry* find(const Value& sample) override {
    std::uint32_t best = automaton_ ? least(sample.text) : Automaton::kNone;
    if (best != Automaton::kNone) return patterns_[best].entry;
    for (std::uint32_t i = patterns_.built(); i < patterns_.size(); ++i) {
      const PatternEntry* entry = patterns_[i].entry;
      if (entry == nullptr) continue;
      bool found = options().ignore_case ? contains_folded(sample.text, entry->key)
                                         : contains(sample.text, entry->key);
      if (found) return entry;
    }
    return nullptr;
  }

 private:
  struct Pattern {
    const PatternEntry* entry = nullptr;
  };
  static constexpr std::uint32_t kFewest = 8;  // below, one by one is as fast

  std::uint32_t least(std::string_view text) const {
    if (!patterns_.has_holes()) return automaton_->least(text);
    std::uint32_t best = Automaton::kNone;
    automaton_->each(text, [&](std::uint32_t found) {
      if (patterns_[found].entry != nullptr) best = std::min(best, found);
    });
    return best;
  }
  void build() {
    automaton_.reset();
    patterns_.pack();
    if (patterns_.size() < kFewest) return;
    automaton_.emplace(options().ignore_case);
    for (std::uint32_t i = 0; i < patterns_.size(); ++i)
      automaton_->add(patterns_[i].entry->key, i);
    automaton_->build();
    patterns_.set_built();
  }

  bool settled_ = true;  // not in the middle of many edits
  Ranked<Pattern> patterns_;
  std::optional<Automaton> automaton_;
};

// found and bool look at no pattern.
class ConstantIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void removed(const PatternEntry&) override {}
  void cleared() override {}

 protected:
  bool insert(const PatternEntry&, std::string&) override { return true; }
  const PatternEntry* find(const Value&) override { return nullptr; }
};

}  // namespace

IndexPointer make_substring_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<SubstringIndex>(set, options);
}
IndexPointer make_constant_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<ConstantIndex>(set, options);
}

}  // namespace expr::match
