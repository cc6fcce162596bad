#include <fmt/format.h>

#include <limits>

#include "expr/match/kinds.h"
#include "expr/match/table.h"

namespace expr::match {
namespace {

using Limits = std::numeric_limits<std::int64_t>;

bool is_number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), base::is_digit);
}

std::int64_t number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (auto n = base::parse_int<std::int64_t>(text)) return *n;
  return text.starts_with('-') ? Limits::min() : Limits::max();
}

// Single numbers in a hash, ranges in order.
class NumberIndex final : public PatternIndex {
 public:
  using PatternIndex::PatternIndex;
  void removed(const PatternEntry& entry) override {
    Range range;
    std::string error;
    if (!parse_range(entry.key, range, error)) return;
    if (range.low == range.high) return table_.remove(static_cast<std::uint64_t>(range.low), entry);
    std::erase_if(ranges_, [&](const Ranged& r) { return r.entry == &entry; });
  }
  void cleared() override {
    table_.clear();
    ranges_.clear();
  }

 protected:
  bool accepts_key(std::string_view key, std::string& error) const override {
    Range range;
    return parse_range(key, range, error);
  }
  bool insert(const PatternEntry& entry, std::string& error) override {
    Range range;
    if (!parse_range(entry.key, range, error)) return false;
    if (range.low == range.high)
      table_.add(static_cast<std::uint64_t>(range.low), entry);
    else
      ranges_.push_back({range, &entry});
    return true;
  }
  const PatternEntry* find(const Value& sample) override {
    std::int64_t n = options().method == MatchMethod::length
                         ? static_cast<std::int64_t>(sample.text.size())
                         : sample.integer;
    const PatternEntry* best = table_.find(static_cast<std::uint64_t>(n));
    for (const Ranged& r : ranges_) {
      if (best != nullptr && best->id < r.entry->id) break;
      if (n >= r.range.low && n <= r.range.high) return r.entry;
    }
    return best;
  }

 private:
  struct Ranged {
    Range range;
    const PatternEntry* entry;
  };

  EntryTable<std::uint64_t, NumberHash> table_;
  std::vector<Ranged> ranges_;
};

}  // namespace

bool parse_range(std::string_view text, Range& out, std::string& error) {
  std::size_t colon = text.find(':');
  std::string_view low = text.substr(0, colon);
  std::string_view high = colon == std::string_view::npos ? low : text.substr(colon + 1);
  bool single = colon == std::string_view::npos;
  bool good = single ? is_number(low)
                     : (low.empty() || is_number(low)) && (high.empty() || is_number(high)) &&
                           text.size() > 1;
  if (!good) {
    bool shaped = !single || text.find('-') != std::string_view::npos;
    error = fmt::format("'{}' is not a {}", text, shaped ? "valid number range" : "number");
    return false;
  }
  out.low = low.empty() ? Limits::min() : number(low);
  out.high = high.empty() ? Limits::max() : number(high);
  if (out.low <= out.high) return true;
  error = fmt::format("'{}' is not a valid number range", text);
  return false;
}

IndexPointer make_number_index(state::PatternSet& set, const IndexOptions& options) {
  return std::make_shared<NumberIndex>(set, options);
}

}  // namespace expr::match
