// One row for each keyword of the `global` section (the manual's section 3) and the shapes of
// arguments that many of them share. Loading thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "app/global/settings.h"
#include "config/arguments.h"
#include "config/keyword.h"

namespace app {

struct GlobalKeyword;

struct GlobalContext {
  GlobalSettings& settings;
  config::Arguments& args;  // after the keyword
  const GlobalKeyword& row;
  bool negated = false;  // "no …"
};

struct GlobalKeyword : config::Keyword {
  // Reports its errors and returns false. Words it leaves are reported by the caller.
  bool (*parse)(GlobalContext&);
  std::int64_t GlobalSettings::*number = nullptr;  // where the shared shapes store
  std::int64_t low = 0, high = INT32_MAX;
  // Why the keyword changes nothing here; empty for those that do. Shown with -dD.
  std::string_view no_effect = {};
  bool may_negate = false;  // "no …" is allowed
};

// The shared shapes. A number goes to row.number, or else to settings.numbers by the row's name.
bool take_flag(GlobalContext& context);  // stores 1
bool take_number(GlobalContext& context);
bool take_size(GlobalContext& context);
bool take_time(GlobalContext& context);         // milliseconds
bool take_seconds(GlobalContext& context);      // a bare number is in seconds
bool take_on_off(GlobalContext& context);       // 1 or 0
bool take_text(GlobalContext& context);         // settings.texts
bool take_words(GlobalContext& context);        // all words, joined with blanks
bool take_environment(GlobalContext& context);  // carried out while reading

std::span<const GlobalKeyword> process_keywords();
std::span<const GlobalKeyword> identity_keywords();
std::span<const GlobalKeyword> limit_keywords();
std::span<const GlobalKeyword> log_keywords();
std::span<const GlobalKeyword> lua_keywords();
std::span<const GlobalKeyword> http_keywords();
std::span<const GlobalKeyword> tls_keywords();
std::span<const GlobalKeyword> tuning_keywords();
std::span<const GlobalKeyword> placement_keywords();

// One for each worker: the processors it runs on; none: any.
using WorkerPlaces = std::vector<std::vector<unsigned>>;
WorkerPlaces choose_workers(const GlobalSettings& settings);
void check_placement(const GlobalSettings& settings, const WorkerPlaces& places,
                     config::Diagnostics& diagnostics);

// All of them, sorted by name.
std::vector<const GlobalKeyword*> all_global_keywords();
const GlobalKeyword* find_global_keyword(std::string_view name);

}  // namespace app
