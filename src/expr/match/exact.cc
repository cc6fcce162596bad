#include <xxhash.h>

#include "expr/match/kinds.h"
#include "expr/match/table.h"

namespace expr::match {
namespace {

std::uint64_t hash_of(std::string_view text, bool fold) {
  if (!fold) return XXH3_64bits(text.data(), text.size());
  RunningHash hash;
  for (char c : text) hash.add(base::lower(c));
  return hash.get();
}

struct WholeKey {
  bool fold = false;
  std::string_view text(const PatternEntry& entry) const { return entry.key; }
  HashedText of(const PatternEntry& entry) const { return {entry.key, hash_of(entry.key, fold)}; }
  bool equal(std::string_view a, std::string_view b) const {
    return fold ? base::iequals(a, b) : a == b;
  }
};

class ExactIndex final : public PatternIndex {
 public:
  ExactIndex(state::PatternSet& of, const IndexOptions& how)
      : PatternIndex(of, how), table_(WholeKey{how.ignore_case}) {}
  void removed(const PatternEntry& entry) override { table_.remove(entry); }
  void cleared() override { table_.clear(); }
  void expect(std::size_t entries) override { table_.reserve(entries); }

 protected:
  bool insert(const PatternEntry& entry, std::string&) override {
    table_.add(entry);
    return true;
  }
  const PatternEntry* find(const Value& sample) override {
    return table_.find({sample.text, hash_of(sample.text, options().ignore_case)});
  }

 private:
  TextTable<WholeKey> table_;
};

bool decode_hex(std::string_view text, std::string& out) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = base::hex_digit(text[i]);
    int low = base::hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

struct BytesHash {
  using is_avalanching = void;
  using is_transparent = void;
  std::uint64_t operator()(std::string_view bytes) const { return hash_of(bytes, false); }
};

// Patterns are hexadecimal (manual section 7.1.5).
class BytesIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void removed(const PatternEntry& entry) override {
    std::string bytes;
    if (decode_hex(entry.key, bytes)) table_.remove(bytes, entry);
  }
  void cleared() override { table_.clear(); }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    std::string bytes;
    if (decode_hex(key, bytes)) return true;
    error = "an even number of hex digit is expected";
    return false;
  }
  bool insert(const PatternEntry& entry, std::string& error) override {
    if (!accepts_key(entry.key, error)) return false;
    std::string bytes;
    decode_hex(entry.key, bytes);
    table_.add(bytes, entry);
    return true;
  }
  const PatternEntry* find(const Value& sample) override { return table_.find(sample.text); }

 private:
  EntryTable<std::string, BytesHash> table_;
};

}  // namespace

IndexPointer make_exact_index(state::PatternSet& set, const IndexOptions& options) {
  if (options.method == MatchMethod::binary) return std::make_shared<BytesIndex>(set, options);
  return std::make_shared<ExactIndex>(set, options);
}

}  // namespace expr::match
