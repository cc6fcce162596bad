#include "app/keyword_dump.h"

#include <fmt/format.h>

#include "app/global/keyword.h"
#include "app/sections/section.h"

namespace app {

namespace {

struct Class {
  std::string_view name;
  std::string_view title;
  std::string (*list)();
};

std::string configuration() {
  std::string out = "# List of registered configuration keywords:\nglobal\n";
  for (const GlobalKeyword* row : all_global_keywords()) out += fmt::format("\t{}\n", row->name);
  return out;
}

constexpr Class kClasses[] = {
    {"cfg", "configuration keywords", configuration},
};

}  // namespace

std::string dump_keywords(std::string_view classes) {
  if (classes.empty() || classes == "help") {
    std::string out = "# List of supported keyword classes:\nall: list all keywords\n";
    for (const Class& row : kClasses) out += fmt::format("{}: {}\n", row.name, row.title);
    return out;
  }
  std::string out;
  while (!classes.empty()) {
    const std::size_t comma = classes.find(',');
    const std::string_view name = classes.substr(0, comma);
    for (const Class& row : kClasses)
      if (name == "all" || name == row.name) out += row.list();
    classes.remove_prefix(comma == classes.npos ? classes.size() : comma + 1);
  }
  return out;
}

}  // namespace app
