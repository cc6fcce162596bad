#include <cstring>

#include "expr/match/kinds.h"
#include "expr/match/table.h"

namespace expr::match {
namespace {

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

// In order, the first that is contained.
class SubstringIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void added(const PatternEntry& entry) override {
    // A changed entry keeps its place.
    auto at = std::upper_bound(
        entries_.begin(), entries_.end(), &entry,
        [](const PatternEntry* a, const PatternEntry* b) { return a->id < b->id; });
    entries_.insert(at, &entry);
  }
  void removed(const PatternEntry& entry) override { std::erase(entries_, &entry); }
  void cleared() override { entries_.clear(); }

 protected:
  const PatternEntry* find(const Value& sample) override {
    for (const PatternEntry* entry : entries_) {
      bool found = options().ignore_case ? contains_folded(sample.text, entry->key)
                                         : contains(sample.text, entry->key);
      if (found) return entry;
    }
    return nullptr;
  }

 private:
  std::vector<const PatternEntry*> entries_;
};

// found and bool look at no pattern.
class ConstantIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void added(const PatternEntry&) override {}
  void removed(const PatternEntry&) override {}
  void cleared() override {}

 protected:
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
