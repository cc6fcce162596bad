// Regular expressions: PCRE2 with JIT, compiled once, used by any thread. Match data belongs to the
// calling thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace expr {

class GrowingText;

class Regex {
 public:
  // The error reads "regex '(' is invalid (error=missing closing parenthesis, erroffset=1)".
  static base::Result<std::shared_ptr<const Regex>> compile(std::string_view pattern,
                                                            bool ignore_case);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  bool matches(std::string_view subject) const;
  // Captured groups as pairs of offsets, [0] is the whole match; how many were filled. Groups that
  // took no part have offset kUnset.
  static constexpr std::size_t kUnset = ~std::size_t{0};
  struct Group {
    std::size_t from, to;
  };
  std::size_t match(std::string_view subject, std::size_t start, std::span<Group> groups) const;

 private:
  explicit Regex(void* code) : code_(code) {}
  void* code_;
};

// Appends `replacement` to `out` with \0..\9 replaced by groups and the escapes \n \r \t \xHH \\.
void expand_groups(std::string_view replacement, std::string_view subject,
                   std::span<const Regex::Group> groups, std::string& out);
void expand_groups(std::string_view replacement, std::string_view subject,
                   std::span<const Regex::Group> groups, GrowingText& out);

}  // namespace expr
