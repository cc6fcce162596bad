// filter, filter-sequence (manual, section 9).
#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "rules/bandwidth.h"

namespace app {

namespace {

// Filters of the reference that are not there yet.
constexpr std::string_view kNotYet[] = {"compression", "comp-req", "comp-res",
                                        "cache",       "spoe",     "fcgi-app"};

bool unknown_filter(ProxyContext& context, std::string_view name) {
  if (std::find(std::begin(kNotYet), std::end(kNotYet), name) != std::end(kNotYet))
    return context.args.error_at_previous(
        fmt::format("the filter '{}' is not supported yet.", name));
  std::vector<std::string_view> known;
  std::string list;
  for (const rules::FilterRow& row : context.assembly.generation.actions.filters()) {
    known.push_back(row.name);
    list += fmt::format("\n    {}", row.name);
  }
  return context.args.error_at_previous(
      fmt::format("'filter' : unknown keyword '{}'. Registered keywords :{}", name, list),
      did_you_mean(name, known));
}

bool in_defaults(ProxyContext& context) {
  if (!context.draft.is_defaults()) return false;
  context.args.error_at_previous(
      fmt::format("{} is not allowed in a 'default' section.", context.row->name));
  return true;
}

bool bandwidth_filter(ProxyContext& context, const std::string& name) {
  auto where = context.expressions(txn::Point::log, "'filter'");
  where.available = ~0u;  // the rule that switches it on decides
  auto made = rules::parse_bandwidth_filter(context.args, where, name);
  if (made == nullptr) return false;
  made->name = name;
  context.proxy().filters.all.push_back(std::move(made));
  return true;
}

bool filter(ProxyContext& context) {
  if (in_defaults(context)) return false;
  if (context.args.done())
    return context.args.error(fmt::format("missing argument for 'filter' in {} '{}'.",
                                          context.draft.kind(), context.draft.name));
  const std::string name(context.args.next());
  if (rules::is_bandwidth_filter(name)) return bandwidth_filter(context, name);
  const rules::FilterRow* row = context.assembly.generation.actions.find_filter(name);
  if (row == nullptr) return unknown_filter(context, name);
  std::shared_ptr<rules::Filter> made = row->parse(context.args, *row);
  if (made == nullptr) return false;
  made->name = name;
  context.proxy().filters.all.push_back(std::move(made));
  return true;
}

using Order = std::vector<rules::Filter*>;

// Every filter line of that name runs where the name stands.
void set_order(const std::string& names, const proxy::FilterLines& filters, Order& order,
               std::string_view proxy, std::string_view direction,
               config::Diagnostics& diagnostics) {
  order.clear();
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t comma = std::min(names.find(',', at), names.size());
    const std::string_view name = std::string_view(names).substr(at, comma - at);
    bool found = false;
    for (const auto& filter : filters.all) {
      if (filter->name != name) continue;
      found = true;
      if (std::find(order.begin(), order.end(), filter.get()) == order.end())
        order.push_back(filter.get());
    }
    if (!found)
      diagnostics.alert(
          {}, fmt::format("{}: error while postparsing {} filter-sequence '{}' : invalid filter "
                          "name: '{}' is not defined on the proxy",
                          proxy, direction, name, name));
    at = comma + 1;
  }
}

bool filter_sequence(ProxyContext& context) {
  if (in_defaults(context)) return false;
  auto& args = context.args;
  const auto fail = [&](std::string_view what) {
    return args.error(fmt::format("{} for 'filter-sequence' in {} '{}'.", what,
                                  context.draft.kind(), context.draft.name));
  };
  if (args.done()) return fail("missing argument");
  const bool request = args.peek() == "request";
  if (!request && args.peek() != "response") return fail("expected either 'request' or 'response'");
  args.next();
  if (args.done()) return fail("missing filter list");
  FormatChoice& sequence =
      request ? context.draft.request_sequence : context.draft.response_sequence;
  sequence = {std::string(args.next()), args.previous(), true};
  return true;
}

constexpr ProxyKeyword kTable[] = {
    {{"filter", "<name> [<argument>...]",
      "Lets a filter see what passes: bwlim-in, bwlim-out, trace or a script's."},
     kInDefaults | kInListen,
     filter},
    {{"filter-sequence", "request|response <name>[,<name>...]", "The order of the filters."},
     kInDefaults | kInListen,
     filter_sequence},
};

}  // namespace

void order_filters(ProxyDraft& draft, config::Diagnostics& diagnostics) {
  proxy::FilterLines& filters = draft.proxy->filters;
  for (const auto& filter : filters.all) {
    filter->ready(draft.name);
    filters.request.push_back(filter.get());
    filters.response.push_back(filter.get());
  }
  if (draft.request_sequence.given)
    set_order(draft.request_sequence.text, filters, filters.request, draft.name, "request",
              diagnostics);
  if (draft.response_sequence.given)
    set_order(draft.response_sequence.text, filters, filters.response, draft.name, "response",
              diagnostics);
}

std::span<const ProxyKeyword> filter_keywords() { return kTable; }

}  // namespace app
