// From files to a tree: reading (several files and folders), comments, quoting and escapes,
// "${VAR}" with defaults, .if/.elif/.else/.endif/.notice/.warning/.alert/.diag, line limits. Knows
// sections only by a list of names given to it; knows no other keyword.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "config/diagnostics.h"
#include "config/source.h"

namespace config {

// Answers predicates of conditions that the language itself cannot ("feature(LUA)",
// "version_atleast(..)", "enabled(..)", …). Returns 1, 0, or -1 with an error text.
struct Predicates {
  std::function<int(std::string_view name, std::span<const std::string> args, std::string& error)>
      ask;
};

struct LoadOptions {
  std::vector<std::string> paths;              // -f, in order; folders give their *.cfg sorted
  std::span<const std::string_view> sections;  // names that begin a section
  const Predicates* predicates = nullptr;
};

// Reads all of it; errors go to `diagnostics` and reading goes on, so that all are reported.
Tree load(const LoadOptions& options, Diagnostics& diagnostics);
// As load(), from text (tests, fuzzing); `name` stands for the file.
Tree load_text(std::string_view text, std::string_view name, const LoadOptions& options,
               Diagnostics& diagnostics);
// setenv/presetenv/unsetenv/resetenv lines of `global` act while loading, because later words use
// them: load() carries them out itself on lines of a section called "global".

// The value of one condition expression, for -cc: 1, 0, or -1 with an error text.
int evaluate_condition(std::string_view expression, const Predicates& predicates,
                       std::string& error);

}  // namespace config
