#include "app/global/keyword.h"

#include <fmt/format.h>

#include <algorithm>

namespace app {

namespace {

bool store(GlobalContext& context, std::int64_t value) {
  if (context.row.number != nullptr)
    context.settings.*context.row.number = value;
  else
    context.settings.numbers[std::string(context.row.name)] = value;
  return true;
}

}  // namespace

bool take_flag(GlobalContext& context) { return store(context, 1); }

bool take_number(GlobalContext& context) {
  auto value = context.args.number(context.row.name, context.row.low, context.row.high);
  return value && store(context, *value);
}

bool take_size(GlobalContext& context) {
  auto value = context.args.size(context.row.name);
  if (!value) return false;
  const auto low = static_cast<std::uint64_t>(std::max<std::int64_t>(context.row.low, 0));
  if (*value < low || *value > static_cast<std::uint64_t>(context.row.high))
    return context.args.error_at_previous(
        fmt::format("'{}' value must be between {} and {} (was {})", context.row.name,
                    context.row.low, context.row.high, *value));
  return store(context, static_cast<std::int64_t>(*value));
}

bool take_time(GlobalContext& context) {
  auto value = context.args.time_ms(context.row.name);
  return value && store(context, *value);
}

bool take_seconds(GlobalContext& context) {
  auto value = context.args.time_ms(context.row.name, config::TimeUnit::s);
  return value && store(context, *value);
}

bool take_on_off(GlobalContext& context) {
  if (context.args.accept("on")) return store(context, 1);
  if (context.args.accept("off")) return store(context, 0);
  return context.args.error(
      fmt::format("'{}' expects 'on' or 'off' (got '{}').", context.row.name, context.args.peek()));
}

bool take_text(GlobalContext& context) {
  auto value = context.args.text(context.row.name);
  if (!value) return false;
  context.settings.texts[std::string(context.row.name)] = *value;
  return true;
}

bool take_words(GlobalContext& context) {
  std::string joined;
  while (!context.args.done()) {
    if (!joined.empty()) joined += ' ';
    joined += context.args.next();
  }
  if (joined.empty())
    return context.args.error(fmt::format("'{}' expects an argument.", context.row.name));
  context.settings.texts[std::string(context.row.name)] = joined;
  return true;
}

bool take_environment(GlobalContext& context) {
  while (!context.args.done()) context.args.next();
  return true;
}

std::vector<const GlobalKeyword*> all_global_keywords() {
  std::vector<const GlobalKeyword*> all;
  for (auto table :
       {process_keywords(), identity_keywords(), limit_keywords(), log_keywords(), lua_keywords(),
        http_keywords(), tls_keywords(), tuning_keywords(), placement_keywords()})
    for (const GlobalKeyword& row : table) all.push_back(&row);
  std::sort(all.begin(), all.end(),
            [](const GlobalKeyword* a, const GlobalKeyword* b) { return a->name < b->name; });
  return all;
}

const GlobalKeyword* find_global_keyword(std::string_view name) {
  static const std::vector<const GlobalKeyword*> all = all_global_keywords();
  auto at = std::lower_bound(
      all.begin(), all.end(), name,
      [](const GlobalKeyword* row, std::string_view text) { return row->name < text; });
  return at != all.end() && (*at)->name == name ? *at : nullptr;
}

}  // namespace app
