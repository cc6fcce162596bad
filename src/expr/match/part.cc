#include "expr/match/kinds.h"
#include "expr/match/table.h"

namespace expr::match {
namespace {

constexpr std::string_view kDirectory = "/?";
constexpr std::string_view kDomain = "/?.:";

bool is_in(char c, std::string_view delimiters) {
  return delimiters.find(c) != std::string_view::npos;
}

std::string_view trimmed(std::string_view text, std::string_view delimiters) {
  while (!text.empty() && is_in(text.front(), delimiters)) text.remove_prefix(1);
  while (!text.empty() && is_in(text.back(), delimiters)) text.remove_suffix(1);
  return text;
}

struct PartKey {
  std::string_view delimiters;
  bool fold = false;
  char folded(char c) const { return fold ? base::lower(c) : c; }
  std::string_view text(const PatternEntry& entry) const { return trimmed(entry.key, delimiters); }
  HashedText of(const PatternEntry& entry) const {
    RunningHash hash;
    for (char c : text(entry)) hash.add(folded(c));
    return {text(entry), hash.get()};
  }
  bool equal(std::string_view a, std::string_view b) const {
    return fold ? base::iequals(a, b) : a == b;
  }
};

// Parts of a text between delimiters: "/" and "?" for dir, also "." and ":" for dom (manual section
// 7.1.3). Every run of whole segments is looked up in a hash; the first pattern in order stands.
class PartIndex final : public PatternIndex {
 public:
  PartIndex(state::PatternSet& of, const IndexOptions& how)
      : PatternIndex(of, how),
        key_{how.method == MatchMethod::domain ? kDomain : kDirectory, how.ignore_case},
        table_(key_) {}
  void removed(const PatternEntry& entry) override { table_.remove(entry); }
  void cleared() override {
    table_.clear();
    longest_ = 0;
  }
  void expect(std::size_t entries) override { table_.reserve(entries); }

 protected:
  bool insert(const PatternEntry& entry, std::string&) override {
    longest_ = std::max(longest_, key_.text(entry).size());
    table_.add(entry);
    return true;
  }
  const PatternEntry* find(const Value& sample) override {
    const PatternEntry* best = nullptr;
    std::string_view text = sample.text;
    for (std::size_t from = 0; from < text.size(); ++from) {
      if (is_delimiter(text[from]) || (from > 0 && !is_delimiter(text[from - 1]))) continue;
      RunningHash hash;
      for (std::size_t i = from; i < text.size() && i - from < longest_; ++i) {
        hash.add(key_.folded(text[i]));
        if (i + 1 < text.size() && !is_delimiter(text[i + 1])) continue;
        const PatternEntry* found = table_.find({text.substr(from, i + 1 - from), hash.get()});
        if (found != nullptr && (best == nullptr || found->id < best->id)) best = found;
      }
    }
    return best;
  }

 private:
  bool is_delimiter(char c) const { return is_in(c, key_.delimiters); }

  PartKey key_;
  TextTable<PartKey> table_;
  std::size_t longest_ = 0;
};

}  // namespace

IndexPointer make_part_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<PartIndex>(set, options);
}

}  // namespace expr::match
