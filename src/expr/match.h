// Matching samples against patterns: methods of the manual's section 7.1 (found bool int ip bin len
// str sub beg dir dom end reg), flags -i -f -M -n -u -m, and the same structures behind maps.
// Structures that scale: hashes for exact texts and integers, tries for prefixes, suffixes and
// addresses; rebuilt when the shared PatternSet moved on.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "expr/parse.h"

namespace expr {

enum class MatchMethod : std::uint8_t {
  found, boolean, integer, ip, binary, length, string, substring, prefix, directory, domain, suffix,
  regex, regex_multi /* map_regm */
};
bool parse_match_method(std::string_view name, MatchMethod& out);
// The type a sample is cast to before it is matched.
Type match_input(MatchMethod method, Type sample);

struct MatchResult {
  const state::PatternEntry* entry = nullptr;  // valid until the call's next match on this thread
  std::string_view value;                      // of the map entry; in the arena
  std::vector<std::string_view> groups;        // regex_multi: captured groups, in the arena
};

// One set of patterns under one method. Thread-safe: look-ups share an immutable index.
class PatternIndex {
 public:
  // Checks every entry; errors name file and line. `ignore_case` as -i.
  static base::Result<std::shared_ptr<PatternIndex>> build(state::PatternSet& set, MatchMethod method,
                                                           bool ignore_case, bool no_dns);
  virtual ~PatternIndex() = default;
  // Looks `sample` up (already cast); fills `result` when asked for. Text results go to `arena`.
  virtual bool match(const Value& sample, base::Arena& arena, MatchResult* result) = 0;
};

// Several sets (inline patterns and -f files) under one method, as an ACL has them.
class Matcher {
 public:
  virtual ~Matcher() = default;
  virtual int match(Context& context, Value& sample) const = 0;  // 1 or 0
};

}  // namespace expr
