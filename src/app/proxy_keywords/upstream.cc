// Lines about servers, balancing, persistence and checks: the rows are upstream/'s, here they get
// their section.
#include <fmt/format.h>

#include "app/proxy_keywords/keyword.h"
#include "upstream/parse.h"

namespace app {

namespace {

bool server(ProxyContext& context) {
  auto where = context.expressions(txn::Point::server_connect, "'server' line");
  return upstream::parse_server(context.args, where, *context.proxy().backend);
}

bool server_template(ProxyContext& context) {
  auto where = context.expressions(txn::Point::server_connect, "'server-template' line");
  return upstream::parse_server_template(context.args, where, *context.proxy().backend);
}

bool default_server(ProxyContext& context) {
  auto where = context.expressions(txn::Point::server_connect, "'default-server' line");
  return upstream::parse_default_server(context.args, where, context.draft.settings(),
                                        context.proxy().mode);
}

bool run(ProxyContext& context, const upstream::BackendRow& row) {
  const bool check = row.name == "http-check" || row.name == "tcp-check";
  auto where = context.expressions(check ? txn::Point::check : txn::Point::balance, "backend line");
  upstream::BackendParse parse{context.args,
                               where,
                               context.draft.settings(),
                               context.proxy().mode,
                               context.draft.is_defaults(),
                               context.negated || context.reset};
  return row.parse(parse);
}

bool backend_line(ProxyContext& context) {
  const auto* row = config::find(upstream::backend_keywords(), context.row->name);
  return row != nullptr && run(context, *row);
}

constexpr std::uint8_t kServers = kInDefaults | kInBackend;

std::vector<ProxyKeyword> make_table() {
  std::vector<ProxyKeyword> table = {
      {{"default-server", "[param*]", "Settings of the servers that follow."},
       kServers,
       default_server,
       true},
      {{"server", "<name> <address>[:[port]] [param*]", "A server."}, kInBackend, server, true},
      {{"server-template", "<prefix> <num|range> <fqdn>[:<port>] [param*]", "Several servers."},
       kInBackend,
       server_template,
       true},
  };
  for (const upstream::BackendRow& row : upstream::backend_keywords())
    table.push_back({row, kServers, backend_line, false, row.may_negate});
  return table;
}

}  // namespace

std::span<const ProxyKeyword> upstream_keywords() {
  static const std::vector<ProxyKeyword> table = make_table();
  return table;
}

std::optional<bool> parse_upstream_option(ProxyContext& context) {
  auto& args = context.args;
  const std::string_view name = args.peek();
  const auto* row = config::find(upstream::backend_options(), name);
  if (row == nullptr) return std::nullopt;
  args.next();
  if ((context.negated || context.reset) && !row->may_negate)
    return args.error_at_previous(fmt::format("negation is not supported for option '{}'.", name));
  if (!(context.draft.side & kServers)) {
    allowed(context, name, kServers);
    while (!args.done()) args.next();
    return true;
  }
  return run(context, *row);
}

}  // namespace app
