// The kinds of pattern indexes, one file each.
#pragma once

#include "expr/match.h"

namespace expr::match {

using IndexPointer = std::shared_ptr<PatternIndex>;
IndexPointer make_address_index(state::PatternSet& set, const IndexOptions& options);
IndexPointer make_affix_index(state::PatternSet& set, const IndexOptions& options);   // beg, end
IndexPointer make_exact_index(state::PatternSet& set, const IndexOptions& options);   // str, bin
IndexPointer make_number_index(state::PatternSet& set, const IndexOptions& options);  // int, len
IndexPointer make_part_index(state::PatternSet& set, const IndexOptions& options);    // dir, dom
IndexPointer make_regex_index(state::PatternSet& set, const IndexOptions& options);
IndexPointer make_substring_index(state::PatternSet& set, const IndexOptions& options);
IndexPointer make_constant_index(state::PatternSet& set,
                                 const IndexOptions& options);  // found, bool

// "5", "-5", "1:10", "1:", ":10"; the error says what it is not.
struct Range {
  std::int64_t low, high;
};
bool parse_range(std::string_view text, Range& out, std::string& error);

// "10.0.0.0/8", "10.1", "::1/64", with names where `names` allows it.
struct Network {
  net::Ip ip;
  int length = 0;  // of the prefix; -1: `mask` has holes
  net::Ip mask;    // only when it was written as an address
};
bool parse_network(std::string_view text, bool names, Network& out);

}  // namespace expr::match
