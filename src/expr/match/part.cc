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

template <bool kIsDomain>
HashedText trimmed_key(const HashedText& key, const PatternEntry& entry) {
  return {trimmed(entry.key, kIsDomain ? kDomain : kDirectory), key.hash};
}

// Parts of a text between delimiters: "/" and "?" for dir, also "." and ":" for dom (manual section
// 7.1.3). Every run of whole segments is looked up in a hash; the first pattern in order stands.
class PartIndex final : public PatternIndex {
 public:
  PartIndex(state::PatternSet& of, const IndexOptions& how)
      : PatternIndex(of, how),
        delimiters_(how.method == MatchMethod::domain ? kDomain : kDirectory),
        table_(TextEqual{how.ignore_case}) {
    table_.rekey = how.method == MatchMethod::domain ? trimmed_key<true> : trimmed_key<false>;
  }
  void added(const PatternEntry& entry) override {
    std::string_view text = trimmed(entry.key, delimiters_);
    longest_ = std::max(longest_, text.size());
    table_.add(key(text), entry);
  }
  void removed(const PatternEntry& entry) override {
    table_.remove(key(trimmed(entry.key, delimiters_)), entry);
  }
  void cleared() override {
    table_.clear();
    longest_ = 0;
  }

 protected:
  const PatternEntry* find(const Value& sample) override {
    const PatternEntry* best = nullptr;
    std::string_view text = sample.text;
    for (std::size_t from = 0; from < text.size(); ++from) {
      if (is_delimiter(text[from]) || (from > 0 && !is_delimiter(text[from - 1]))) continue;
      RunningHash hash;
      for (std::size_t i = from; i < text.size() && i - from < longest_; ++i) {
        hash.add(folded(text[i]));
        if (i + 1 < text.size() && !is_delimiter(text[i + 1])) continue;
        const PatternEntry* found = table_.find({text.substr(from, i + 1 - from), hash.get()});
        if (found != nullptr && (best == nullptr || found->id < best->id)) best = found;
      }
    }
    return best;
  }

 private:
  bool is_delimiter(char c) const { return is_in(c, delimiters_); }
  char folded(char c) const { return options().ignore_case ? base::lower(c) : c; }
  HashedText key(std::string_view text) const {
    RunningHash hash;
    for (char c : text) hash.add(folded(c));
    return {text, hash.get()};
  }

  std::string_view delimiters_;
  EntryTable<HashedText, TextHash, TextEqual> table_;
  std::size_t longest_ = 0;
};

}  // namespace

IndexPointer make_part_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<PartIndex>(set, options);
}

}  // namespace expr::match
