#include "app/keyword_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "admin/command.h"
#include "app/global/keyword.h"
#include "app/keyword_pages.h"
#include "app/proxy_keywords/keyword.h"
#include "app/sections/other.h"
#include "app/sections/section.h"
#include "expr/dump.h"
#include "expr/user_list.h"
#include "rules/dump.h"
#include "upstream/parse.h"

namespace app {

namespace {

struct Sources {
  const expr::Catalogue& expressions;
  const rules::Catalogue& actions;
};

struct Class {
  std::string_view name;
  std::string_view title;
  std::string (*list)(const Sources&);
};

std::string sorted(std::set<std::string> lines) {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

std::string section(std::string_view name) {
  std::string out = fmt::format("{}\n", name);
  if (name == "userlist")
    for (const config::Keyword& row : expr::UserList::keywords())
      out += fmt::format("\t{}\n", row.name);
  if (name == "traces")
    for (const config::Keyword& row : trace_keywords()) out += fmt::format("\t{}\n", row.name);
  return out;
}

std::string configuration(const Sources& sources) {
  std::string out = "# List of registered configuration keywords:\nglobal\n";
  for (const GlobalKeyword* row : all_global_keywords()) out += fmt::format("\t{}\n", row->name);
  out += "listen\n";
  for (const ProxyKeyword* row : all_proxy_keywords()) out += fmt::format("\t{}\n", row->name);
  for (const config::Keyword* row : bind_options(false))
    out += fmt::format("\tbind <addr> {}\n", row->name);
  for (const config::Keyword* row : bind_options(true))
    out += fmt::format("\tbind <addr> ssl {}\n", row->name);
  for (const auto& row : upstream::server_keywords())
    out += fmt::format("\tserver <name> <addr> {}{}\n", row.name.substr(0, row.name.find('(')),
                       row.arguments.empty() ? "" : " +1");
  std::set<std::string> options;
  for (const config::Keyword* row : all_options())
    options.insert(fmt::format("\toption {}", row->name));
  out += sorted(std::move(options));
  out += rules::dump_actions(sources.actions);
  for (std::string_view name : section_names())
    if (name != "global" && name != "listen") out += section(name);
  return out;
}

std::string acls(const Sources& sources) { return expr::dump_acls(sources.expressions); }
std::string converters(const Sources& sources) {
  return expr::dump_converters(sources.expressions);
}
std::string samples(const Sources& sources) { return expr::dump_samples(sources.expressions); }

std::string commands(const Sources&) {
  admin::Catalogue catalogue;
  admin::add_builtin(catalogue);
  std::set<std::string> lines;
  for (const admin::Command* row : catalogue.all())
    lines.insert(fmt::format("{} [WORKER] ", row->name));
  return "# List of registered CLI keywords:\n" + sorted(std::move(lines));
}

std::string filters(const Sources&) {
  return "# List of registered filter names:\nbwlim-in [BWLIM]\nbwlim-out [BWLIM]\ntrace [TRACE]\n";
}

std::string services(const Sources& sources) { return rules::dump_services(sources.actions); }

constexpr Class kClasses[] = {
    {"acl", "ACL keywords", acls},      {"cfg", "configuration keywords", configuration},
    {"cli", "CLI keywords", commands},  {"cnv", "sample converter keywords", converters},
    {"flt", "filter names", filters},   {"smp", "sample fetch functions", samples},
    {"svc", "service names", services},
};

}  // namespace

std::string dump_keywords(std::string_view classes, const expr::Catalogue& expressions,
                          const rules::Catalogue& actions) {
  if (classes.empty() || classes == "help") {
    std::string out = "# List of supported keyword classes:\nall: list all keywords\n";
    for (const Class& row : kClasses) out += fmt::format("{}: {}\n", row.name, row.title);
    return out;
  }
  const Sources sources{expressions, actions};
  std::string out;
  while (!classes.empty()) {
    const std::size_t comma = classes.find(',');
    const std::string_view name = classes.substr(0, comma);
    for (const Class& row : kClasses)
      if (name == "all" || name == row.name) out += row.list(sources);
    if (name == "doc") out += dump_pages(expressions, actions);
    classes.remove_prefix(comma == classes.npos ? classes.size() : comma + 1);
  }
  return out;
}

}  // namespace app
