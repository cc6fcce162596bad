#include "expr/user_list.h"

#include <fmt/format.h>

#include "app/sections/other.h"

namespace app {

void read_user_list(const config::Section& section, Assembly& assembly) {
  auto& diagnostics = assembly.diagnostics;
  const std::string name(section.head[1]);
  if (name.empty()) {
    diagnostics.alert(section.head.at(1), "'userlist' expects <name> as arguments.");
    return;
  }
  if (section.head.size() > 2) {
    diagnostics.alert(
        section.head.at(2),
        fmt::format("'userlist' cannot handle unexpected argument '{}'.", section.head[2]));
    return;
  }
  if (assembly.user_lists.count(name) != 0) {
    diagnostics.warning(section.head.at(), fmt::format("ignoring duplicated userlist '{}'.", name));
    return;
  }
  auto list = std::make_shared<expr::UserList>();
  list->name = name;
  bool good = true;
  for (const config::Line& line : section.lines) {
    config::Arguments args(line, diagnostics);
    good = list->parse(args) && good;
  }
  if (good) list->finish(diagnostics);
  assembly.user_lists.emplace(name, std::move(list));
}

}  // namespace app
