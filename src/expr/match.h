// Matching samples against patterns: methods of the manual's section 7.1 (found bool int ip bin len
// str sub beg dir dom end reg), flags -i -f -M -n -u -m, and the same structures behind maps.
// Structures that scale: hashes for exact texts, numbers, prefixes, suffixes and networks; one
// automaton for all parts of texts, which also tells which regular expressions can match at all.
// Indexes follow their PatternSet entry by entry. Any thread.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "expr/parse.h"

namespace expr {

enum class MatchMethod : std::uint8_t {
  found,
  boolean,
  integer,
  ip,
  binary,
  length,
  string,
  substring,
  prefix,
  directory,
  domain,
  suffix,
  regex,
  regex_multi /* map_regm */
};
bool parse_match_method(std::string_view name, MatchMethod& out);
std::string_view name_of(MatchMethod method);
// The type a sample is cast to before it is matched.
Type match_input(MatchMethod method, Type sample);
// Whether samples of a type can be matched that way (matrix of the manual's section 7.1).
bool match_possible(MatchMethod method, Type sample);

// What was found. Texts are in the arena.
struct MatchResult {
  std::uint64_t id = 0;
  std::string_view key;
  std::string_view value;                     // of a map's entry
  std::array<std::string_view, 10> groups{};  // regex_multi: captured groups
};

struct IndexOptions {
  MatchMethod method = MatchMethod::string;
  bool ignore_case = false;   // -i
  bool no_dns = false;        // -n
  Type value = Type::string;  // what the values of a map must be: string, integer or address
  bool operator==(const IndexOptions&) const = default;
};

// One set of patterns under one method.
class PatternIndex : public state::PatternObserver {
 public:
  PatternIndex(state::PatternSet& set, const IndexOptions& options)
      : set_(set), options_(options) {}
  // Checks every entry; errors name file and line. Indexes of one set with the same options are
  // shared.
  static base::Result<std::shared_ptr<PatternIndex>> build(state::PatternSet& set,
                                                           const IndexOptions& options);
  // Looks `sample` up (already cast); fills `result` when asked for. Texts go to `arena`.
  bool match(const Value& sample, base::Arena& arena, MatchResult* result);
  const IndexOptions& options() const { return options_; }
  state::PatternSet& set() const { return set_; }

  bool accepts(std::string_view key, std::string_view value, std::string& error) const final;
  void added(const state::PatternEntry& entry) final;
  bool adopt(const state::PatternEntry& entry, std::string& error) final;

 protected:
  bool loading() const { return loading_; }  // the configuration is being read
  // Whether `key` is a pattern of this kind; the error says what it is not.
  virtual bool accepts_key(std::string_view /*key*/, std::string& /*error*/) const { return true; }
  // Takes an entry in; false with the error of accepts_key() when it is no pattern of this kind.
  virtual bool insert(const state::PatternEntry& entry, std::string& error) = 0;
  // The entry that matches, or null. Called with the set locked for reading.
  virtual const state::PatternEntry* find(const Value& sample) = 0;
  virtual void groups(const state::PatternEntry& /*entry*/, std::string_view /*sample*/,
                      base::Arena& /*arena*/, MatchResult& /*result*/) {}

 private:
  bool value_is_good(std::string_view value, std::string& error) const;

  state::PatternSet& set_;
  IndexOptions options_;
  bool loading_ = true;
};

// The criterion's patterns, inline or from files, under one method, as one line of an ACL has them.
class Matcher {
 public:
  // The words after the criterion: flags, operator and patterns. Reports nothing: the error is
  // returned. `sample` is the criterion's type, `name` how messages call it, `implied` the method
  // that the keyword brings (none: null).
  static base::Result<std::unique_ptr<Matcher>> parse(config::Arguments& args, std::size_t end,
                                                      ParseContext& context, Type sample,
                                                      std::string_view name,
                                                      const MatchMethod* implied,
                                                      const std::string& description);
  // Takes the sample over (it is cast).
  bool match(Context& context, Value& sample) const;
  MatchMethod method() const { return method_; }
  bool uses_implied_method() const { return implied_; }

 private:
  friend class MatcherParser;
  MatchMethod method_ = MatchMethod::found;
  bool implied_ = false;  // the keyword's own method, not one of -m or of the type
  std::vector<std::shared_ptr<PatternIndex>> indexes_;
};

}  // namespace expr
