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

void put_first(rules::Ruleset& own, const rules::Ruleset& inherited) {
  rules::Ruleset all;
  all.append(inherited);
  all.append(own);
  own = std::move(all);
}

}  // namespace

void inherit(ProxyDraft& draft, const ProxyDraft& base) {
  proxy::Proxy& to = *draft.proxy;
  const proxy::Proxy& from = *base.proxy;
  to.disabled = from.disabled;
  to.timeouts = from.timeouts;
  to.client_tuning = from.client_tuning;
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
  to.forwarded = from.forwarded;
  inherit_stats(to.stats, from.stats);
  to.inspect_delay = from.inspect_delay;
  to.response_inspect_delay = from.response_inspect_delay;

  upstream::BackendSettings& settings = draft.settings();
  settings = base.own;
  draft.log = base.log;
  draft.log_format = base.log_format;
  draft.error_log_format = base.error_log_format;
  draft.log_format_sd = base.log_format_sd;
  draft.unique_id_format = base.unique_id_format;
  draft.log_steps = base.log_steps;
  draft.log_option = base.log_option;
  draft.log_option_at = base.log_option_at;
  draft.default_backend = base.default_backend;
  draft.captures = base.captures;
  draft.email_alert = base.email_alert;
  if (to.state != nullptr) to.state->request_captures = base.captures;
  // A backend has no use for these, and saying so of each would not help.
  if (draft.side == kInBackend) {
    draft.default_backend = {};
    to.monitor_uri.clear();
  }
}

void inherit_rules(ProxyDraft& draft, const ProxyDraft& base) {
  proxy::Proxy& to = *draft.proxy;
  const proxy::Proxy& from = *base.proxy;
  if (draft.side & (kInFrontend | kInDefaults)) {
    put_first(to.tcp_connection, from.tcp_connection);
    put_first(to.tcp_session, from.tcp_session);
  }
  put_first(to.tcp_request, from.tcp_request);
  put_first(to.tcp_response, from.tcp_response);
  put_first(to.http_request, from.http_request);
  put_first(to.http_response, from.http_response);
  put_first(to.http_after_response, from.http_after_response);
}

}  // namespace app
