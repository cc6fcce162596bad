#include "app/proxy_keywords/keyword.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "app/global/keyword.h"
#include "base/text.h"
#include "expr/user_list.h"

namespace app {

namespace {

const ProxyKeyword* find_keyword(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const ProxyKeyword*> map;
    for (const ProxyKeyword* row : all_proxy_keywords()) map.emplace(row->name, row);
    return map;
  }();
  auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

void unknown(const config::Line& line, std::size_t word, const ProxyDraft& draft,
             config::Diagnostics& diagnostics) {
  std::vector<std::string_view> names;
  for (const ProxyKeyword* row : all_proxy_keywords())
    if (row->places & draft.side) names.push_back(row->name);
  std::string hint = where_it_belongs(line[word]);
  if (hint.empty()) hint = did_you_mean(line[word], names);
  diagnostics.alert(
      line.at(word),
      fmt::format("unknown keyword '{}' in '{}' section", line[word], draft.section->head[0]),
      hint);
}

constexpr std::string_view kRuleNames[] = {"tcp-request connection",
                                           "tcp-request session",
                                           "tcp-request content",
                                           "http-request",
                                           "redirect",
                                           "use_backend",
                                           "use-server"};

}  // namespace

std::string_view ProxyDraft::kind() const {
  if (side == kInListen) return "proxy";
  return side == kInDefaults ? "defaults" : side == kInFrontend ? "frontend" : "backend";
}

expr::ParseContext ProxyContext::expressions(txn::Point point, const char* place) const {
  const std::uint8_t both = state::kFrontend | state::kBackend;
  const state::Proxy* known = draft.is_defaults() ? nullptr : draft.proxy->state;
  return {assembly.generation.expressions,
          assembly.generation.registry,
          assembly.generation.patterns,
          assembly.diagnostics,
          assembly.deferred,
          draft.proxy->state,
          expr::available_at(point, http() || draft.is_defaults(),
                             known == nullptr ? both : known->capabilities & both),
          place,
          &draft.proxy->acls,
          &assembly.user_lists};
}

std::vector<const ProxyKeyword*> all_proxy_keywords() {
  std::vector<const ProxyKeyword*> all;
  for (auto table : {basic_keywords(), bind_keywords(), routing_keywords(), rule_keywords(),
                     logging_keywords(), error_keywords(), filter_keywords(), stats_keywords(),
                     upstream_keywords(), timeout_keywords(), option_keywords(), stick_keywords(),
                     email_alert_keywords(), refused_keywords()})
    for (const ProxyKeyword& row : table) all.push_back(&row);
  std::sort(all.begin(), all.end(),
            [](const ProxyKeyword* a, const ProxyKeyword* b) { return a->name < b->name; });
  return all;
}

std::string where_it_belongs(std::string_view word) {
  std::vector<std::string_view> sections;
  if (find_global_keyword(word) != nullptr) sections.push_back("global");
  if (const ProxyKeyword* row = find_keyword(word)) {
    constexpr std::pair<Side, std::string_view> kSides[] = {
        {kInDefaults, "defaults"}, {kInFrontend, "frontend"}, {kInBackend, "backend"}};
    for (const auto& [side, name] : kSides)
      if (row->places & side) sections.push_back(name);
    if (row->places & kInListen) sections.push_back("listen");
  }
  if (config::find(expr::UserList::keywords(), word) != nullptr) sections.push_back("userlist");
  if (sections.empty()) return {};
  return fmt::format("it belongs in section{} '{}'", sections.size() > 1 ? "s" : "",
                     fmt::join(sections, "', '"));
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> names) {
  const std::string_view near = base::nearest(word, names.data(), names.size());
  return near.empty() ? "" : fmt::format("did you mean '{}' maybe ?", near);
}

bool allowed(ProxyContext& context, std::string_view what, std::uint8_t places, bool fails) {
  const ProxyDraft& draft = context.draft;
  if (draft.side & places) return true;
  const config::Position at = context.args.line().at();
  if (draft.is_defaults()) {
    context.diagnostics().alert(at, fmt::format("'{}' not allowed in 'defaults' section.", what));
    return false;
  }
  std::string text = fmt::format("'{}' {} because {} '{}' has no {} capability.", what,
                                 fails ? "not allowed" : "ignored", draft.kind(), draft.name,
                                 draft.side == kInFrontend ? "backend" : "frontend");
  if (fails)
    context.diagnostics().alert(at, std::move(text));
  else
    context.diagnostics().warning(at, std::move(text));
  return false;
}

void note_rule(ProxyContext& context, RuleKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  auto& counts = context.draft.rule_counts;
  ++counts[index];
  for (std::size_t later = index + 1; later < std::size(counts); ++later) {
    if (counts[later] == 0) continue;
    context.diagnostics().warning(
        context.args.line().at(),
        fmt::format("a '{}' rule placed after {} '{}' rule will still be processed before.",
                    kRuleNames[index], kRuleNames[later].starts_with("http") ? "an" : "a",
                    kRuleNames[later]));
    return;
  }
}

void read_proxy_line(const config::Line& line, ProxyDraft& draft, Assembly& assembly) {
  const bool negated = line[0] == "no", reset = line[0] == "default";
  const std::size_t word = negated || reset ? 1 : 0;
  const ProxyKeyword* row = find_keyword(line[word]);
  if (row == nullptr) return unknown(line, word, draft, assembly.diagnostics);
  if ((negated && !row->may_negate) || (reset && row->name != "option")) {
    assembly.diagnostics.alert(
        line.at(), fmt::format("negation/default currently supported only for options and log, not "
                               "for '{}'.",
                               row->name));
    return;
  }
  config::Arguments args(line, assembly.diagnostics, word + 1);
  ProxyContext context{assembly, draft, args, row, negated, reset};
  if (!allowed(context, row->name, row->places, row->misplaced_fails)) return;
  const std::size_t mistakes = assembly.diagnostics.messages().size();
  if (row->parse(context) && assembly.diagnostics.messages().size() == mistakes) args.expect_end();
}

}  // namespace app
