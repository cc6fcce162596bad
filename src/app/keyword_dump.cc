#include "app/keyword_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "admin/command.h"
#include "app/global/keyword.h"
#include "app/proxy_keywords/keyword.h"
#include "app/sections/section.h"
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

// The points of a sample's matrix, in the reference's order.
struct Column {
  std::string_view text;
  txn::Point point;
};

constexpr Column kColumns[] = {
    {"frontend tcp-request connection rule", txn::Point::connection},
    {"frontend tcp-request session rule", txn::Point::session},
    {"frontend tcp-request content rule", txn::Point::request_content},
    {"frontend http-request rule", txn::Point::http_request},
    {"balance and use-server rule", txn::Point::balance},
    {"server connection", txn::Point::server_connect},
    {"tcp-response content rule", txn::Point::response_content},
    {"http-response rule", txn::Point::http_response},
    {"http-after-response rule", txn::Point::http_after_response},
    {"logs", txn::Point::log},
    {"health check rule", txn::Point::check},
};

std::string sorted(std::set<std::string> lines) {
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  return out;
}

std::string call(std::string_view name, std::string_view arguments) {
  return arguments.empty() ? std::string(name) : fmt::format("{}({})", name, arguments);
}

void action_lines(const Sources& sources, std::string& out) {
  for (auto place : {rules::kTcpConnection, rules::kTcpSession, rules::kTcpRequestContent,
                     rules::kTcpResponseContent, rules::kHttpRequest, rules::kHttpResponse,
                     rules::kHttpAfterResponse}) {
    std::set<std::string> lines;
    for (const rules::ActionRow* row : sources.actions.all())
      if (row->places & place)
        lines.insert(
            fmt::format("\t{} {}{}", rules::name_of(place), row->name, row->prefix ? "*" : ""));
    out += sorted(std::move(lines));
  }
}

std::string configuration(const Sources& sources) {
  std::string out = "# List of registered configuration keywords:\nglobal\n";
  for (const GlobalKeyword* row : all_global_keywords()) out += fmt::format("\t{}\n", row->name);
  out += "listen\n";
  for (const ProxyKeyword* row : all_proxy_keywords()) out += fmt::format("\t{}\n", row->name);
  for (std::string_view name : bind_option_names()) out += fmt::format("\tbind <addr> {}\n", name);
  for (const auto& row : upstream::server_keywords())
    out +=
        fmt::format("\tserver <name> <addr> {}{}\n", row.name, row.arguments.empty() ? "" : " +1");
  std::set<std::string> options;
  for (std::string_view name : option_names()) options.insert(fmt::format("\toption {}", name));
  out += sorted(std::move(options));
  action_lines(sources, out);
  for (std::string_view name : section_names())
    if (name != "global" && name != "listen") out += fmt::format("{}\n", name);
  return out;
}

std::string acls(const Sources& sources) {
  std::set<std::string> lines;
  for (const expr::AclRow* row : sources.expressions.all_acls())
    lines.insert(fmt::format("{} = {} -m {}", row->name, row->fetch, row->match));
  return "# List of registered ACL keywords:\n" + sorted(std::move(lines));
}

std::string converters(const Sources& sources) {
  std::set<std::string> lines;
  for (const expr::ConverterRow* row : sources.expressions.all_converters())
    lines.insert(fmt::format("{}: {} => {}", call(row->name, row->arguments),
                             state::name_of(row->in), state::name_of(row->out)));
  return "# List of registered sample converter functions:\n" + sorted(std::move(lines));
}

std::string samples(const Sources& sources) {
  std::string out = "# List of registered sample fetch functions:\n";
  for (std::size_t i = 0; i < std::size(kColumns); ++i)
    out += fmt::format("# column {}: {}\n", i + 1, kColumns[i].text);
  std::set<std::string> names;
  std::set<std::pair<std::string, std::string>> lines;
  for (const expr::FetchRow* row : sources.expressions.all_fetches()) {
    std::string matrix;
    for (const Column& column : kColumns)
      matrix += row->where & expr::available_at(column.point, true) ? "Y " : ". ";
    lines.emplace(call(row->name, row->arguments),
                  fmt::format("[ {}] {}: {}\n", matrix, call(row->name, row->arguments),
                              state::name_of(row->out)));
  }
  for (const auto& [name, line] : lines) out += line;
  return out;
}

std::string commands(const Sources&) {
  admin::Catalogue catalogue;
  admin::add_builtin(catalogue);
  std::set<std::string> lines;
  for (const admin::Command* row : catalogue.all())
    lines.insert(fmt::format("{} [WORKER] ", row->name));
  return "# List of registered CLI keywords:\n" + sorted(std::move(lines));
}

std::string filters(const Sources&) { return "# List of registered filter names:\n"; }

std::string services(const Sources& sources) {
  std::set<std::string> lines;
  for (const rules::ServiceRow* row : sources.actions.all_services())
    lines.insert(std::string(row->name));
  return "# List of registered service names:\n" + sorted(std::move(lines));
}

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
    classes.remove_prefix(comma == classes.npos ? classes.size() : comma + 1);
  }
  return out;
}

}  // namespace app
