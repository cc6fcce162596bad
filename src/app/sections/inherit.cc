#include "app/sections/proxies.h"

namespace app {

namespace {

void inherit_stats(proxy::StatsSettings& to, const proxy::StatsSettings& from) {
  to.enabled = from.enabled;
  to.uri = from.uri;
  to.realm = from.realm;
  to.description = from.description;
  to.node = from.node;
  to.refresh_s = from.refresh_s;
  to.show_legends = from.show_legends;
  to.show_modules = from.show_modules;
  to.hide_version = from.hide_version;
  to.show_node = from.show_node;
  to.users = from.users;
  to.scopes = from.scopes;
}

void inherit_rules(proxy::Proxy& to, const proxy::Proxy& from, std::uint8_t side) {
  if (side & (kInFrontend | kInDefaults)) {
    to.tcp_connection.append(from.tcp_connection);
    to.tcp_session.append(from.tcp_session);
  }
  to.tcp_request.append(from.tcp_request);
  to.tcp_response.append(from.tcp_response);
  to.http_request.append(from.http_request);
  to.http_response.append(from.http_response);
  to.http_after_response.append(from.http_after_response);
  to.inspect_delay = from.inspect_delay;
  to.response_inspect_delay = from.response_inspect_delay;
}

}  // namespace

void inherit(ProxyDraft& draft, const ProxyDraft& base) {
  proxy::Proxy& to = *draft.proxy;
  const proxy::Proxy& from = *base.proxy;
  to.disabled = from.disabled;
  to.timeouts = from.timeouts;
  to.options = from.options;
  to.log_tag = from.log_tag;
  to.maximum = from.maximum;
  to.backlog = from.backlog;
  to.rate_limit_sessions = from.rate_limit_sessions;
  to.monitor_uri = from.monitor_uri;
  to.unique_id_header = from.unique_id_header;
  to.errors = from.errors;
  to.forward_for = from.forward_for;
  to.original_to = from.original_to;
  inherit_stats(to.stats, from.stats);
  inherit_rules(to, from, draft.side);

  upstream::BackendSettings& settings = draft.settings();
  settings = base.own;
  draft.log = base.log;
  draft.log_format = base.log_format;
  draft.error_log_format = base.error_log_format;
  draft.log_format_sd = base.log_format_sd;
  draft.unique_id_format = base.unique_id_format;
  draft.log_option = base.log_option;
  draft.log_option_at = base.log_option_at;
  draft.default_backend = base.default_backend;
  // A backend has no use for these, and saying so of each would not help.
  if (draft.side == kInBackend) {
    draft.default_backend = {};
    to.monitor_uri.clear();
  }
}

}  // namespace app
