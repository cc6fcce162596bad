// What can be decided about a proxy only once all sections were read, and the warnings that the
// reference gives then (tools that forbid warnings rely on the same set).
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/proxy_keywords/keyword.h"
#include "app/sections/proxies.h"
#include "upstream/mailer.h"
#include "upstream/parse.h"

namespace app {

namespace {

class Completer {
 public:
  Completer(Assembly& assembly, ProxyDraft& draft)
      : assembly_(assembly), draft_(draft), proxy_(*draft.proxy) {}

  void run() {
    listeners();
    logs();
    formats();
    default_backend();
    switching();
    order_filters(draft_, assembly_.diagnostics);
    warnings();
    counts();
    complete_email_alert(draft_, assembly_);
  }

  // After all frontends are known.
  void backend() {
    if (!is_backend()) return;
    using proxy::Option;
    upstream::BackendSettings& settings = draft_.settings();
    const auto& options = proxy_.options;
    const GlobalSettings& global = assembly_.settings();
    settings.abort_on_close = options.has(Option::abortonclose);
    settings.transparent = options.has(Option::transparent);
    settings.connect.keepalive = options.has(Option::srvtcpka);
    settings.connect.tuning.send_buffer = buffer_size("tune.sndbuf.server");
    settings.connect.tuning.receive_buffer = buffer_size("tune.rcvbuf.server");
    settings.connect.tuning.unsent_low_water = buffer_size("tune.notsent-lowat.server");
    settings.connect_timeout_ms = milliseconds(proxy_.timeouts.connect);
    settings.server_timeout_ms = milliseconds(proxy_.timeouts.server);
    settings.queue_timeout_ms = milliseconds(proxy_.timeouts.queue);
    settings.check_timeout_ms = milliseconds(proxy_.timeouts.check);
    settings.log_targets = proxy_.log_targets;
    settings.mailer = mailer();
    settings.log_tag = proxy_.log_tag.empty() ? global.log_tag : proxy_.log_tag;
    settings.log_hostname = global.log_hostname;
    settings.spread_checks = static_cast<std::uint32_t>(global.spread_checks);
    settings.health_checks = assembly_.health_checks;
    settings.unique_id_format = proxy_.unique_id_format;
    settings.never_local = global.number("pp2-never-send-local", 0) != 0;
    settings.external_checks = global.external_check;
    settings.external_forks = global.insecure_fork;
    settings.external_preserve_env = global.external_check_keeps_environment;
    if (settings.full_connections == 0) settings.full_connections = share_of_frontends();
    settings.state_file = upstream::state_file_path(settings, proxy_.name, global.server_state_file,
                                                    global.server_state_base);
    upstream::finish_settings(*proxy_.backend, assembly_.diagnostics);
    proxy_.backend->prepare(assembly_.diagnostics);
  }

 private:
  bool frontend() const { return draft_.side & kInFrontend; }
  bool is_backend() const { return draft_.side & kInBackend; }
  bool http() const { return proxy_.mode == state::Mode::http; }
  void warn(std::string text) { assembly_.diagnostics.warning({}, std::move(text)); }
  void alert(std::string text) { assembly_.diagnostics.alert({}, std::move(text)); }

  int buffer_size(std::string_view keyword) const {
    return static_cast<int>(assembly_.settings().number(keyword, 0));
  }

  // The numbers that the configuration gives; the others get what is left, in order.
  std::set<unsigned> given_ids() {
    std::set<unsigned> ids;
    for (const auto& bind : proxy_.binds) {
      if (bind->id.empty()) continue;
      if (bind->addresses.size() != 1)
        assembly_.diagnostics.alert(bind->at, "'id' can only be used with a single socket");
      else if (!ids.insert(base::parse_int<unsigned>(bind->id).value_or(0)).second)
        assembly_.diagnostics.alert(bind->at,
                                    fmt::format("'id': custom id {} already used", bind->id));
    }
    return ids;
  }

  void listeners() {
    const std::set<unsigned> given = given_ids();
    unsigned last_id = 0;
    const auto next_id = [&] {
      do ++last_id;
      while (given.contains(last_id));
      return last_id;
    };
    for (const auto& bind : proxy_.binds) {
      net::SocketTuning& tuning = bind->listen.tuning = proxy_.client_tuning;
      tuning.send_buffer = buffer_size("tune.sndbuf.client");
      tuning.receive_buffer = buffer_size("tune.rcvbuf.client");
      tuning.unsent_low_water = buffer_size("tune.notsent-lowat.client");
      bind->listen.reuse_port = assembly_.settings().reuse_port;
    }
    for (const auto& bind : proxy_.binds)
      for (const net::Address& address : bind->addresses) {
        auto state = std::make_unique<state::ListenerState>();
        state->id = bind->id.empty() ? next_id() : base::parse_int<unsigned>(bind->id).value_or(0);
        state->name = bind->name.empty() ? fmt::format("sock-{}", state->id) : bind->name;
        state->address = address.text();
        state->limit = bind->maximum;
        state->counts = proxy_.options.has(proxy::Option::socket_stats);
        if (!bind->guid_prefix.empty())
          state->guid = fmt::format("{}-{}", bind->guid_prefix, bind->states.size());
        bind->states.push_back(state.get());
        proxy_.state->listeners.push_back(std::move(state));
      }
    if (frontend() && !is_backend() && proxy_.binds.empty() && !proxy_.disabled)
      warn(fmt::format(
          "frontend '{}' has no 'bind' directive. Please declare it as a backend if this "
          "was intended.",
          draft_.name));
  }

  void logs() {
    obs::link_targets(draft_.log, assembly_.diagnostics);
    proxy_.log_targets = draft_.log.targets;
    if (draft_.log.global)
      for (const auto& target : assembly_.settings().log.targets)
        proxy_.log_targets.push_back(target);
    bool any = false;
    for (const auto& target : proxy_.log_targets) {
      proxy_.log_profiles.push_back(profile_of(*target));
      any |= proxy_.log_profiles.back() != nullptr;
    }
    if (!any) proxy_.log_profiles.clear();
  }

  std::shared_ptr<const expr::LogProfile> profile_of(const obs::LogTarget& target) {
    if (target.profile.empty()) return nullptr;
    const auto& profiles = assembly_.generation.config.log_profiles;
    auto found = profiles.find(target.profile);
    if (found != profiles.end()) return found->second;
    alert(fmt::format("log directive of proxy '{}': unknown log-profile '{}'.", draft_.name,
                      target.profile));
    return nullptr;
  }

  // One line at the first step where all it says is settled, unless steps were chosen.
  void log_plan() {
    using txn::LogOrigin;
    proxy::LogPlan& plan = proxy_.log_plan;
    if (proxy_.log_targets.empty()) return;
    const bool soon = proxy_.options.has(proxy::Option::logasap);
    const auto settled =
        proxy_.log_format != nullptr ? proxy_.log_format->settled() : expr::Settled::always;
    if (draft_.log_steps != 0 && !soon) {
      plan.steps = draft_.log_steps;
      plan.once = false;
      return;
    }
    if (proxy_.log_format == nullptr) {
      plan.add(LogOrigin::accept);
      plan.announces = true;
      return;
    }
    plan.add(LogOrigin::close);
    if (settled == expr::Settled::end && !soon) return;
    if (!http())
      plan.add(LogOrigin::connect);
    else
      plan.add(settled == expr::Settled::request ? LogOrigin::request : LogOrigin::response);
  }

  std::shared_ptr<expr::LogFormat> compile(const FormatChoice& choice, expr::FormatUse use,
                                           txn::Point point = txn::Point::log) {
    if (!choice.given) return nullptr;
    config::Line line;
    config::Arguments none(line, assembly_.diagnostics);
    ProxyContext context{assembly_, draft_, none};
    auto where = context.expressions(point, "'log-format'");
    return expr::LogFormat::parse(choice.text, where, choice.at, use);
  }

  void option_format() {
    std::string_view text;
    LogOption option = draft_.log_option;
    if (!http() && (option == LogOption::http || option == LogOption::http_clf ||
                    option == LogOption::https)) {
      assembly_.diagnostics.warning(
          draft_.log_option_at,
          fmt::format("'option {}' not usable with proxy '{}' (needs 'mode http'). Falling back to "
                      "'option tcplog'.",
                      option == LogOption::https ? "httpslog" : "httplog", draft_.name));
      option = LogOption::tcp;
    }
    switch (option) {
      case LogOption::none:
        return;
      case LogOption::tcp:
        text = expr::default_tcp_log_format();
        break;
      case LogOption::tcp_clf:
        text = expr::default_tcp_clf_log_format();
        break;
      case LogOption::http:
        text = expr::default_http_log_format();
        break;
      case LogOption::http_clf:
        text = expr::default_http_clf_log_format();
        break;
      case LogOption::https:
        text = expr::default_https_log_format();
        break;
    }
    draft_.log_format = {std::string(text), draft_.log_option_at, true};
  }

  void formats() {
    proxy_.unique_id_format = compile(draft_.unique_id_format, expr::FormatUse::unique_id,
                                      frontend() ? txn::Point::http_request : txn::Point::check);
    if (!frontend()) return;
    if (!draft_.log_format.given) option_format();
    if (draft_.log_format.given && proxy_.log_targets.empty() && is_own(draft_.log_format))
      warn(fmt::format("log format ignored for proxy '{}' since it has no log address.",
                       draft_.name));
    proxy_.log_format = compile(draft_.log_format, expr::FormatUse::log);
    proxy_.error_log_format = compile(draft_.error_log_format, expr::FormatUse::log);
    proxy_.log_format_sd = compile(draft_.log_format_sd, expr::FormatUse::log);
    proxy_.log_may_wait = log_may_wait();
    log_plan();
  }

  bool log_may_wait() const {
    const auto calls_script = [](const std::shared_ptr<expr::LogFormat>& format) {
      return format != nullptr && format->source().find("lua.") != std::string::npos;
    };
    return !proxy_.log_profiles.empty() || calls_script(proxy_.log_format) ||
           calls_script(proxy_.error_log_format) || calls_script(proxy_.log_format_sd);
  }

  // Written in this section, not taken over from its defaults.
  bool is_own(const FormatChoice& choice) const {
    const config::Line& head = draft_.section->head;
    if (choice.at.file != head.file || choice.at.line < head.number) return false;
    return draft_.section->lines.empty() || choice.at.line <= draft_.section->lines.back().number;
  }

  void default_backend() {
    if (!frontend() || !draft_.default_backend.given) return;
    const std::string& name = draft_.default_backend.text;
    state::Proxy* target = assembly_.generation.registry.find(name, state::kBackend);
    if (target == nullptr) {
      assembly_.diagnostics.alert(
          draft_.default_backend.at,
          fmt::format("Proxy '{}': unable to find required default_backend: '{}'.", draft_.name,
                      name));
      return;
    }
    if (target == proxy_.state) {
      assembly_.diagnostics.alert(
          draft_.default_backend.at,
          fmt::format("Proxy '{}': loop detected for default_backend: '{}'.", draft_.name, name));
      return;
    }
    proxy_.default_backend = target;
    check_mode(*target, "as its default backend", draft_.default_backend.at);
  }

  void switching() {
    for (const proxy::UseBackend& rule : proxy_.use_backend)
      if (rule.fixed != nullptr) check_mode(*rule.fixed, "in a 'use_backend' rule", rule.at);
  }

  // A tcp frontend may hand over to an http backend (the connection is upgraded), not the reverse.
  void check_mode(const state::Proxy& target, std::string_view how, config::Position at) {
    if (target.mode == state::Mode::http || target.mode == proxy_.mode) return;
    std::string place;
    for (const auto& other : assembly_.proxies)
      if (other->proxy->state == &target)
        place =
            fmt::format(" ({}:{})", other->section->head.file->name, other->section->head.number);
    assembly_.diagnostics.alert(
        at, fmt::format("{} {} '{}' ({}:{}) tries to use incompatible {} backend '{}'{} {} (see "
                        "'mode').",
                        state::name_of(proxy_.mode), draft_.kind(), draft_.name,
                        draft_.section->head.file->name, draft_.section->head.number,
                        state::name_of(target.mode), target.name, place, how));
  }

  void warnings() {
    if (proxy_.disabled) return;
    const proxy::Timeouts& t = proxy_.timeouts;
    if (proxy_.mode == state::Mode::log) return log_mode_warnings();
    const bool has_servers = is_backend() && !proxy_.state->servers.empty();
    if ((frontend() && t.client == rt::kForever) ||
        (has_servers && (t.connect == rt::kForever || t.server == rt::kForever)))
      warn(fmt::format(
          "missing timeouts for {} '{}'.\nWhile not properly invalid, you will certainly "
          "encounter various problems\nwith such a configuration. To fix this, please "
          "ensure that all following\ntimeouts are set to a non-zero value: 'client', "
          "'connect', 'server'.",
          draft_.kind(), draft_.name));
    if (http() || may_upgrade()) return;
    auto needs_http = [&](bool there, std::string_view what, std::string_view verb) {
      if (there)
        warn(fmt::format("{} ignored for proxy '{}' as {} HTTP mode.", what, draft_.name, verb));
    };
    const proxy::Proxy* base = draft_.base != nullptr ? draft_.base->proxy.get() : nullptr;
    needs_http(proxy_.stats.enabled, "'stats' statement", "it requires");
    needs_http(!proxy_.monitor_uri.empty() && base == nullptr, "'monitor-uri' statement",
               "it requires");
    needs_http(!proxy_.http_request.empty(), "'http-request' rules", "they require");
    needs_http(!proxy_.http_response.empty(), "'http-response' rules", "they require");
    needs_http(!proxy_.http_after_response.empty(), "'http-after-response' rules", "they require");
    needs_http(proxy_.forward_for.enabled, "'option forwardfor'", "it requires");
    needs_http(proxy_.original_to.enabled, "'option originalto'", "it requires");
  }

  bool switches_to_http() const {
    for (std::size_t i = 0; i < proxy_.tcp_request.size(); ++i)
      if (proxy_.tcp_request[i].row->name == "switch-mode") return true;
    return false;
  }

  // Whether what is HTTP in a TCP frontend can come into force (manual, section 4).
  bool may_upgrade() {
    const auto is_http = [](const state::Proxy* of) { return of->mode == state::Mode::http; };
    if (!frontend()) return false;
    const state::Proxy* usual = proxy_.default_backend;
    if (switches_to_http()) {
      if (is_backend() && usual == nullptr && proxy_.use_backend.empty())
        warn(
            fmt::format("Proxy '{}' : 'switch-mode http' configured for a tcp proxy with no "
                        "backend. Incoming connections upgraded to HTTP cannot be routed to TCP "
                        "servers",
                        draft_.name));
      return true;
    }
    if (usual != nullptr && is_http(usual)) return true;
    return std::any_of(proxy_.use_backend.begin(), proxy_.use_backend.end(),
                       [&](const proxy::UseBackend& rule) {
                         return rule.fixed == nullptr || is_http(rule.fixed);
                       });
  }

  void log_mode_warnings() {
    if (!proxy_.binds.empty())
      alert(
          fmt::format("proxy '{}': 'mode log' has no listeners, see 'log-forward'.", draft_.name));
    if (!proxy_.tcp_request.empty())
      warn(
          fmt::format("Cannot use tcp-request rules with 'mode log' in backend '{}'. They will be "
                      "ignored.",
                      draft_.name));
    if (!proxy_.use_server.empty())
      warn(
          fmt::format("Cannot use \"use-server\" rules with 'mode log' in backend '{}'. They will "
                      "be ignored.",
                      draft_.name));
    if (!proxy_.http_request.empty())
      warn(fmt::format("'http-request' rules ignored for backend '{}' as they require HTTP mode.",
                       draft_.name));
    if (!draft_.settings().cookie_name.empty())
      warn(
          fmt::format("cookie will be ignored for backend '{}' (needs 'mode http').", draft_.name));
  }

  void counts() {
    const proxy::Timeouts& t = proxy_.timeouts;
    state::ProxySettings& settings = proxy_.state->settings;
    settings.client_timeout_ms = milliseconds(t.client);
    settings.connect_timeout_ms = milliseconds(t.connect);
    settings.server_timeout_ms = milliseconds(t.server);
    settings.queue_timeout_ms = milliseconds(t.queue);
    settings.tunnel_timeout_ms = milliseconds(t.tunnel);
    settings.tarpit_timeout_ms = milliseconds(t.tarpit);
    settings.retries = draft_.settings().retries;
    if (draft_.default_backend.given) settings.default_backend = draft_.default_backend.text;
    if (frontend()) {
      proxy_.state->maximum = proxy_.maximum;
      for (const auto& bind : proxy_.binds)
        if (bind->listen.backlog == 0) bind->listen.backlog = static_cast<int>(proxy_.backlog);
    }
    proxy_.state->disabled = proxy_.disabled;
  }

  // One sends all mails; null where this backend asks for none.
  std::shared_ptr<upstream::Mailer> mailer() {
    if (proxy_.state->email_alert == nullptr) return nullptr;
    if (assembly_.mailer == nullptr) assembly_.mailer = std::make_shared<upstream::Mailer>();
    return assembly_.mailer;
  }

  static std::int64_t milliseconds(rt::Duration timeout) {
    return timeout == rt::kForever
               ? 0
               : std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
  }

  // "fullconn" by default: a tenth of the connections that frontends may send here.
  std::uint32_t share_of_frontends() const {
    std::uint64_t sum = 0;
    for (const auto& other : assembly_.proxies) {
      const proxy::Proxy& p = *other->proxy;
      const bool leads_here =
          &p == &proxy_ || p.default_backend == proxy_.state ||
          std::any_of(p.use_backend.begin(), p.use_backend.end(), [this](const auto& rule) {
            return rule.fixed == proxy_.state || rule.fixed == nullptr;
          });
      if (leads_here && other->side & kInFrontend)
        sum += p.maximum != 0 ? p.maximum : assembly_.settings().maximum;
    }
    return static_cast<std::uint32_t>(std::min<std::uint64_t>((sum + 9) / 10, UINT32_MAX));
  }

  Assembly& assembly_;
  ProxyDraft& draft_;
  proxy::Proxy& proxy_;
};

// Numbers that were written stay; the others count up around them, from 2: in the reference the
// process itself takes the first one, and state files and "show stat" carry these numbers.
void number_proxies(Assembly& assembly) {
  std::map<unsigned, const ProxyDraft*> taken;
  for (const auto& draft : assembly.proxies) {
    if (draft->id == 0) continue;
    auto [at, fresh] = taken.emplace(draft->id, draft.get());
    if (!fresh)
      assembly.diagnostics.alert(
          draft->section->head.at(),
          fmt::format("proxy {} reuses same custom id as proxy {} (declared at {}:{}).",
                      draft->name, at->second->name, at->second->section->head.file->name,
                      at->second->section->head.number));
    draft->proxy->state->id = draft->id;
  }
  unsigned next = 2;
  for (const auto& draft : assembly.proxies) {
    if (draft->id != 0) continue;
    while (taken.count(next) != 0) ++next;
    draft->proxy->state->id = next++;
  }
}

}  // namespace

void complete_proxies(Assembly& assembly) {
  number_proxies(assembly);
  std::size_t done = 0;
  const auto look_up = [&] {
    for (; done < assembly.deferred.size(); ++done) assembly.deferred[done]();
  };
  look_up();
  for (const auto& draft : assembly.proxies) Completer(assembly, *draft).run();
  warn_of_unused_mailers(assembly);
  look_up();  // of the formats just compiled
  for (const auto& draft : assembly.proxies) Completer(assembly, *draft).backend();
}

}  // namespace app
