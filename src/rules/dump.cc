#include "rules/dump.h"

#include <fmt/format.h>

#include <set>

namespace rules {

std::string dump_actions(const Catalogue& catalogue) {
  std::string out;
  for (Place place : {kTcpConnection, kTcpSession, kTcpRequestContent, kTcpResponseContent,
                      kHttpRequest, kHttpResponse, kHttpAfterResponse}) {
    std::set<std::string> lines;
    for (const ActionRow* row : catalogue.all())
      if (row->places & place)
        lines.insert(fmt::format("\t{} {}{}\n", name_of(place), row->name, row->prefix ? "*" : ""));
    for (const std::string& line : lines) out += line;
  }
  return out;
}

std::string dump_services(const Catalogue& catalogue) {
  std::set<std::string_view> names;
  for (const ServiceRow* row : catalogue.all_services()) names.insert(row->name);
  std::string out = "# List of registered service names:\n";
  for (std::string_view name : names) out.append(name).append("\n");
  return out;
}

}  // namespace rules
