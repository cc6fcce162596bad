#include "app/keyword_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/global/keyword.h"
#include "app/proxy_keywords/keyword.h"
#include "app/sections/other.h"
#include "expr/log_alias.h"
#include "expr/user_list.h"
#include "upstream/parse.h"

namespace app {

namespace {

void add(std::string& out, std::string_view page, std::string_view group, std::string_view name,
         std::string_view arguments, std::string_view gives, std::string_view doc) {
  out += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", page, group, name, arguments, gives, doc);
}

void add_fetches(std::string& out, const expr::Catalogue& catalogue) {
  for (const expr::FetchRow* row : catalogue.all_fetches())
    add(out, "fetches", "Sample fetches", row->name, expr::describe_signature(row->arguments),
        fmt::format("{}; {}", state::name_of(row->out), expr::describe_sources(row->where)),
        row->doc);
  for (const expr::AclRow* row : catalogue.all_acls())
    add(out, "fetches", "Words of ACLs", row->name, "", "",
        fmt::format("{} -m {}", row->fetch, row->match));
  for (const expr::LogAlias& row : expr::log_aliases())
    add(out, "fetches", "Aliases of log formats", fmt::format("%{}", row.name), "", "", row.doc);
}

void add_converters(std::string& out, const expr::Catalogue& catalogue) {
  for (const expr::ConverterRow* row : catalogue.all_converters())
    add(out, "converters", "Converters", row->name, expr::describe_signature(row->arguments),
        fmt::format("{} to {}", state::name_of(row->in),
                    row->same_type ? "the same" : state::name_of(row->out)),
        row->doc);
}

void add_actions(std::string& out, const rules::Catalogue& catalogue) {
  using namespace rules;
  for (const ActionRow* row : catalogue.all()) {
    std::vector<std::string_view> places;
    for (Place place : {kTcpConnection, kTcpSession, kTcpRequestContent, kTcpResponseContent,
                        kHttpRequest, kHttpResponse, kHttpAfterResponse, kQuicInitial})
      if (row->places & place) places.push_back(name_of(place));
    add(out, "actions", "Actions", row->name, row->arguments,
        fmt::format("{}", fmt::join(places, ", ")), row->doc);
  }
}

std::string sections_of(const ProxyKeyword& row) {
  std::vector<std::string_view> names;
  constexpr std::pair<Side, std::string_view> kSides[] = {
      {kInDefaults, "defaults"}, {kInFrontend, "frontend"}, {kInBackend, "backend"}};
  for (const auto& [side, name] : kSides)
    if (row.places & side) names.push_back(name);
  if (row.places & kInListen) names.push_back("listen");
  return fmt::format("{}", fmt::join(names, ", "));
}

void add_keywords(std::string& out) {
  auto without_effect = [&](std::string_view group, const config::Keyword& row,
                            std::string_view why) {
    add(out, "keywords", group, row.name, row.arguments, "",
        why.empty() ? std::string(row.doc) : fmt::format("{} No effect: {}.", row.doc, why));
  };
  auto plain = [&](std::string_view group, const config::Keyword& row, std::string_view gives) {
    add(out, "keywords", group, row.name, row.arguments, gives, row.doc);
  };
  for (const GlobalKeyword* row : all_global_keywords())
    without_effect("Section global", *row, row->no_effect);
  for (const ProxyKeyword* row : all_proxy_keywords())
    plain("Sections defaults, frontend, backend and listen", *row, sections_of(*row));
  for (const config::Keyword* row : all_options())
    without_effect("Options: option <name>", *row, why_option_has_no_effect(row->name));
  for (const config::Keyword* row : bind_options(false))
    without_effect("Words of bind lines", *row, why_bind_option_has_no_effect(row->name));
  for (const config::Keyword* row : bind_options(true))
    plain("Words of bind lines behind ssl", *row, "");
  for (const auto& row : upstream::server_keywords()) plain("Words of server lines", row, "");
  for (const config::Keyword& row : expr::UserList::keywords()) plain("Section userlist", row, "");
  for (const config::Keyword& row : trace_keywords()) plain("Section traces", row, "");
}

}  // namespace

std::string dump_pages(const expr::Catalogue& expressions, const rules::Catalogue& actions) {
  std::string out;
  add_fetches(out, expressions);
  add_converters(out, expressions);
  add_actions(out, actions);
  add_keywords(out);
  return out;
}

}  // namespace app
