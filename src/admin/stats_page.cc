#include "admin/stats_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "admin/facts.h"
#include "admin/server_action.h"
#include "admin/stats_html.h"
#include "base/text.h"
#include "expr/condition.h"
#include "expr/context.h"

namespace admin {
namespace {

constexpr std::size_t kPiece = 16384;
const std::int64_t kBodyPatienceMs = 10000;

PageProduct& page_product() {
  static PageProduct product;
  return product;
}

// "https://host:port/path" -> "host:port"
std::string_view authority(std::string_view url) {
  std::size_t start = url.find("://");
  if (start == url.npos) return {};
  url.remove_prefix(start + 3);
  return url.substr(0, url.find('/'));
}

// A form that another site made the browser send names that site (manual, "stats admin").
bool from_elsewhere(const http::Headers& headers) {
  const http::Field* host = headers.find(http::HeaderId::host);
  const http::Field* source = headers.find("origin");
  if (source == nullptr) source = headers.find("referer");
  if (source == nullptr) return false;
  return host == nullptr || !base::iequals(authority(source->value), host->value);
}

class StatsPage final : public txn::ServiceRun {
 public:
  explicit StatsPage(const proxy::Proxy& proxy) : proxy_(proxy), settings_(proxy.stats) {}

  bool run(txn::Exchange& exchange, txn::ServiceIo& io) override {
    if (!is_known_user(exchange.request.headers)) return ask_for_user(exchange, io);
    request_ = parse_page_request(exchange.request.target, settings_.uri);
    if (exchange.request.method == http::Method::post)
      return redirect(exchange, io, act(exchange, io));
    return show(exchange, io);
  }

 private:
  // "stats auth": Basic credentials of one of the users (RFC 7617).
  bool is_known_user(const http::Headers& headers) const {
    if (settings_.users.empty()) return true;
    const http::Field* field = headers.find(http::HeaderId::authorization);
    if (field == nullptr || !base::istarts_with(field->value, "basic ")) return false;
    std::string given;
    if (!base::decode_base64(base::trim(field->value.substr(6)), given)) return false;
    return std::any_of(settings_.users.begin(), settings_.users.end(),
                       [&](const auto& user) { return given == user.first + ":" + user.second; });
  }

  bool ask_for_user(txn::Exchange& exchange, txn::ServiceIo& io) {
    auto reply = exchange.engine->error_reply(proxy_.state, 401);
    http::ResponseHead head;
    head.status = 401;
    for (const auto& [name, value] : reply->headers) head.headers.add(name, value, exchange.arena);
    head.headers.add("content-length", exchange.arena.copy(std::to_string(reply->body.size())),
                     exchange.arena);
    std::string challenge = fmt::format("Basic realm=\"{}\"", settings_.realm);
    head.headers.add("www-authenticate", exchange.arena.copy(challenge), exchange.arena);
    if (!io.start(head)) return false;
    return exchange.request.method == http::Method::head || send(io, reply->body);
  }

  bool is_admin(txn::Exchange& exchange) const {
    const proxy::Config& config = proxy::running();
    expr::Context context{*config.registry, exchange.arena};
    context.session = &exchange.session;
    context.exchange = &exchange;
    context.proxy = proxy_.state;
    for (const auto& rule : settings_.admin)
      if (!rule.second || rule.second->evaluate(context) == 1) return true;
    return false;
  }

  std::vector<std::string> scopes() const {
    std::vector<std::string> names;
    for (const std::string& scope : settings_.scopes)
      names.push_back(scope == "." ? proxy_.name : scope);
    return names;
  }

  bool start(txn::Exchange& exchange, txn::ServiceIo& io, std::string_view type) {
    http::ResponseHead head;
    head.status = 200;
    head.headers.add("cache-control", "no-cache", exchange.arena);
    head.headers.add("content-type", type, exchange.arena);
    if (refresh() != 0)
      head.headers.add("refresh", exchange.arena.copy(std::to_string(refresh())), exchange.arena);
    return io.start(head);
  }

  std::int64_t refresh() const { return request_.no_refresh ? 0 : settings_.refresh_s; }

  bool send(txn::ServiceIo& io, std::string_view text) {
    for (; !text.empty(); text.remove_prefix(std::min(kPiece, text.size())))
      if (!io.send(text.substr(0, kPiece))) return false;
    return true;
  }

  bool show(txn::Exchange& exchange, txn::ServiceIo& io) {
    using Kind = PageRequest::Kind;
    const proxy::Config& config = proxy::running();
    StatQuery query;
    query.scopes = scopes();
    query.name_part = decode_form(request_.scope);
    query.up = request_.up;
    query.no_maint = request_.no_maint;
    query.facts = [&config](const state::Proxy& p) { return facts_of(config, p); };
    bool html = request_.kind == Kind::html;
    query.legends = html ? settings_.show_legends : true;
    bool json_type = request_.kind == Kind::json || request_.kind == Kind::json_schema;
    if (!start(exchange, io, html ? "text/html" : json_type ? "application/json" : "text/plain"))
      return false;
    if (exchange.request.method == http::Method::head) return true;
    if (html) return show_html(exchange, io, query);
    if (request_.kind == Kind::json_schema) return send(io, stat_schema());
    std::vector<StatRow> rows = stat_rows(*config.registry, query);
    return send(io, request_.kind == Kind::csv     ? csv(rows)
                    : request_.kind == Kind::typed ? typed(rows, false)
                                                   : json(rows, false));
  }

  bool show_html(txn::Exchange& exchange, txn::ServiceIo& io, StatQuery& query) {
    const proxy::Config& config = proxy::running();
    HtmlPage page{proxy_,           request_,           page_product(),
                  *config.registry, is_admin(exchange), refresh()};
    if (!send(io, html_head(page))) return true;
    for (const auto& shown : config.registry->proxies()) {
      query.proxy_id = shown->id;
      std::vector<StatRow> rows = stat_rows(*config.registry, query);
      if (!rows.empty() && !send(io, html_proxy(page, rows))) return true;
    }
    send(io, html_foot());
    return true;
  }

  // The body of the form; false when it is larger than what a buffer holds.
  bool read_body(txn::ServiceIo& io, std::string& body) const {
    const proxy::Config& config = proxy::running();
    std::size_t limit = config.buffer_size - config.rewrite_reserve;
    rt::Instant deadline = rt::now() + rt::milliseconds(kBodyPatienceMs);
    for (;;) {
      std::string_view piece = io.receive(limit + 1 - body.size(), deadline);
      if (piece.empty()) return true;
      body.append(piece);
      if (body.size() > limit) return false;
    }
  }

  state::Proxy* backend_of(const std::string& name) const {
    const state::Registry& registry = *proxy::running().registry;
    if (!name.starts_with('#')) return registry.find(name, state::kBackend);
    auto id = base::parse_int<unsigned>(std::string_view(name).substr(1));
    return id ? registry.find(*id) : nullptr;
  }

  bool in_scope(const state::Proxy& proxy) const {
    std::vector<std::string> names = scopes();
    return names.empty() || std::find(names.begin(), names.end(), proxy.name) != names.end();
  }

  // Carries out the form; what happened, in the four letters of the page's address.
  std::string_view act(txn::Exchange& exchange, txn::ServiceIo& io) {
    std::string body;
    bool fits = read_body(io, body);
    if (!is_admin(exchange) || from_elsewhere(exchange.request.headers)) return "DENY";
    if (!fits) return "EXCD";
    PageForm form = parse_form(body);
    if (form.action.empty() || form.servers.empty()) return "NONE";
    state::Proxy* backend = backend_of(form.backend);
    const ServerAction* action = find_server_action(form.action);
    if (backend == nullptr || action == nullptr) return "ERRP";
    if (!in_scope(*backend)) return "DENY";
    const proxy::Proxy* settings = proxy::running().of(backend);
    if (settings == nullptr || !settings->backend) return "ERRP";
    std::size_t done = 0;
    for (const std::string& name : form.servers) {
      upstream::Server* server = settings->backend->find(name);
      if (server != nullptr && action->apply(*server)) ++done;
    }
    if (done == form.servers.size()) return "DONE";
    return done == 0 ? "ERRP" : "PART";
  }

  bool redirect(txn::Exchange& exchange, txn::ServiceIo& io, std::string_view result) {
    std::string location = fmt::format("{};st={}", settings_.uri, result);
    if (request_.up) location += ";up";
    if (request_.no_maint) location += ";no-maint";
    if (request_.no_refresh) location += ";norefresh";
    if (!request_.scope.empty())
      location += fmt::format(
          "{}scope={}", settings_.uri.find('?') == std::string::npos ? "?" : ";", request_.scope);
    http::ResponseHead head;
    head.status = 303;
    head.headers.add("cache-control", "no-cache", exchange.arena);
    head.headers.add("content-type", "text/plain", exchange.arena);
    head.headers.add("content-length", "0", exchange.arena);
    head.headers.add("location", exchange.arena.copy(location), exchange.arena);
    return io.start(head);
  }

  const proxy::Proxy& proxy_;
  const proxy::StatsSettings& settings_;
  PageRequest request_;
};

}  // namespace

std::unique_ptr<txn::ServiceRun> make_stats_service(const proxy::Proxy& proxy,
                                                    txn::Exchange& exchange) {
  http::Method method = exchange.request.method;
  if (method != http::Method::get && method != http::Method::head && method != http::Method::post)
    return nullptr;
  exchange.service_name = "<STATS>";
  return std::make_unique<StatsPage>(proxy);
}

void set_page_product(PageProduct product) { page_product() = std::move(product); }

}  // namespace admin
