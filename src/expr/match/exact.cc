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

class ExactIndex final : public PatternIndex {
 public:
  ExactIndex(state::PatternSet& of, const IndexOptions& how)
      : PatternIndex(of, how), table_(TextEqual{how.ignore_case}) {
    table_.rekey = [](const HashedText& key, const PatternEntry& entry) {
      return HashedText{entry.key, key.hash};
    };
  }
  void added(const PatternEntry& entry) override { table_.add(key(entry.key), entry); }
  void removed(const PatternEntry& entry) override { table_.remove(key(entry.key), entry); }
  void cleared() override { table_.clear(); }

 protected:
  const PatternEntry* find(const Value& sample) override { return table_.find(key(sample.text)); }

 private:
  HashedText key(std::string_view text) const {
    return {text, hash_of(text, options().ignore_case)};
  }
  EntryTable<HashedText, TextHash, TextEqual> table_;
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

struct OwnedHash {
  using is_avalanching = void;
  std::uint64_t operator()(const std::string& bytes) const { return hash_of(bytes, false); }
};

// Patterns are hexadecimal (manual section 7.1.5).
class BytesIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void added(const PatternEntry& entry) override { table_.add(bytes(entry), entry); }
  void removed(const PatternEntry& entry) override { table_.remove(bytes(entry), entry); }
  void cleared() override { table_.clear(); }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    std::string decoded;
    if (decode_hex(key, decoded)) return true;
    error = "an even number of hex digit is expected";
    return false;
  }
  const PatternEntry* find(const Value& sample) override {
    if (table_.empty()) return nullptr;
    return table_.find(std::string(sample.text));
  }

 private:
  static std::string bytes(const PatternEntry& entry) {
    std::string decoded;
    decode_hex(entry.key, decoded);
    return decoded;
  }
  EntryTable<std::string, OwnedHash> table_;
};

}  // namespace

IndexPointer make_exact_index(state::PatternSet& set, const IndexOptions& options) {
  if (options.method == MatchMethod::binary) return std::make_shared<BytesIndex>(set, options);
  return std::make_shared<ExactIndex>(set, options);
}

}  // namespace expr::match
