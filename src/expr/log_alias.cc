#include "expr/log_alias.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <charconv>
#include <ctime>

#include "expr/fetch/support.h"
#include "expr/timing.h"
#include "net/connection.h"

namespace expr {
namespace {

constexpr std::string_view kBadRequest = "<BADREQ>";

// ---- dates

struct LocalDate {
  std::int64_t second = -1;
  char text[40];
  std::size_t size = 0;
};
enum class Zone { local_plain, utc, local_zone };

// "20/Nov/2026:07:06:15", with the zone behind or not; made anew once a second and kind.
std::string_view date_text(std::int64_t second, Zone zone) {
  thread_local LocalDate kept[3];
  LocalDate& date = kept[static_cast<int>(zone)];
  if (date.second != second) {
    std::time_t time = second;
    std::tm parts{};
    if (zone == Zone::utc)
      gmtime_r(&time, &parts);
    else
      localtime_r(&time, &parts);
    const char* format = zone == Zone::local_plain ? "%d/%b/%Y:%H:%M:%S"
                         : zone == Zone::utc       ? "%d/%b/%Y:%H:%M:%S +0000"
                                                   : "%d/%b/%Y:%H:%M:%S %z";
    date.size = std::strftime(date.text, sizeof(date.text), format, &parts);
    date.second = second;
  }
  return {date.text, date.size};
}

std::int64_t accepted_us(Context& context) {
  return context.session != nullptr ? context.session->accepted_wall_us : 0;
}
std::int64_t requested_us(Context& context) {
  if (context.exchange != nullptr && context.exchange->times.start_wall_us != 0)
    return context.exchange->times.start_wall_us;
  return accepted_us(context);
}
template <std::int64_t (*When)(Context&)>
void date_ms(Context& context, std::string& out) {
  std::int64_t us = When(context);
  out += date_text(us / 1000000, Zone::local_plain);
  auto ms = static_cast<unsigned>(us / 1000 % 1000);
  const char digits[4] = {'.', static_cast<char>('0' + ms / 100),
                          static_cast<char>('0' + ms / 10 % 10), static_cast<char>('0' + ms % 10)};
  out.append(digits, 4);
}
template <std::int64_t (*When)(Context&), Zone zone>
void date_zone(Context& context, std::string& out) {
  out += date_text(When(context) / 1000000, zone);
}
std::int64_t accept_second(Context& context) { return accepted_us(context) / 1000000; }
void accept_ms(Context& context, std::string& out) {
  auto ms = static_cast<unsigned>(accepted_us(context) / 1000 % 1000);
  const char digits[3] = {static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                          static_cast<char>('0' + ms % 10)};
  out.append(digits, 3);
}

// ---- addresses

void append_ip(std::string& out, const net::Address& address, Context& context) {
  if (address.is_ip()) {
    char text[INET6_ADDRSTRLEN];
    net::Ip ip = address.ip();
    if (inet_ntop(ip.family, &ip.v6, text, sizeof(text)) != nullptr) out += text;
  } else if (address.is_unix()) {
    out += "unix:";
    unsigned id = context.session != nullptr && context.session->listener != nullptr
                      ? context.session->listener->id
                      : 0;
    out += std::to_string(id);
  }
}
void append_port(std::string& out, const net::Address& address, Context& context) {
  if (address.is_ip()) {
    char text[8];
    auto end = std::to_chars(text, text + sizeof(text), address.port()).ptr;
    out.append(text, static_cast<std::size_t>(end - text));
  } else if (address.is_unix() && context.session != nullptr &&
             context.session->listener != nullptr) {
    out += std::to_string(context.session->listener->id);
  }
}
net::Address client_source(Context& context) {
  return context.session != nullptr ? context.session->source : net::Address();
}
net::Address client_destination(Context& context) {
  return context.session != nullptr ? context.session->destination : net::Address();
}
net::Address server_source(Context& context) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr || exchange->server_connection == nullptr) return {};
  return exchange->server_connection->local();
}
net::Address server_destination(Context& context) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr || exchange->server_connection == nullptr) return {};
  return exchange->server_connection->peer();
}
template <net::Address (*Which)(Context&)>
void ip(Context& context, std::string& out) {
  append_ip(out, Which(context), context);
}
template <net::Address (*Which)(Context&)>
void port(Context& context, std::string& out) {
  append_port(out, Which(context), context);
}
template <net::Address (*Which)(Context&)>
std::int64_t port_number(Context& context) {
  net::Address address = Which(context);
  return address.is_ip() ? address.port() : -1;
}
template <net::Address (*Which)(Context&)>
net::Ip raw_ip(Context& context) {
  return Which(context).ip();
}

// ---- the exchange

template <std::int64_t (*Duration)(const txn::Exchange&)>
std::int64_t timer(Context& context) {
  return context.exchange != nullptr ? Duration(*context.exchange) : -1;
}
std::int64_t total(Context& context) {
  if (context.exchange != nullptr) return timing::total(*context.exchange);
  if (context.session == nullptr) return -1;
  return std::chrono::duration_cast<rt::milliseconds>(rt::now() - context.session->accepted)
      .count();
}
bool growing(Context& context) {
  return context.exchange != nullptr && context.exchange->point == txn::Point::log &&
         context.exchange->times.end == rt::kNever;
}
bool redispatched(Context& context) {
  return context.exchange != nullptr && context.exchange->redispatched;
}
// Answers made here do not count (%[res.bytes_in]).
std::int64_t bytes_from_server(Context& context) {
  if (context.exchange == nullptr || context.exchange->answered_here) return 0;
  return static_cast<std::int64_t>(context.exchange->bytes_out);
}
std::int64_t bytes_from_client(Context& context) {
  return context.exchange != nullptr ? static_cast<std::int64_t>(context.exchange->bytes_in) : 0;
}
std::int64_t status(Context& context) {
  if (context.exchange == nullptr) return 0;
  if (context.exchange->response_valid) return context.exchange->response.status;
  if (context.exchange->reply != nullptr) return context.exchange->reply->status;
  return context.exchange->is_http && context.exchange->request_valid ? -1 : 0;
}
std::int64_t retries(Context& context) {
  return context.exchange != nullptr ? context.exchange->retries : 0;
}
std::int64_t server_queue(Context& context) {
  return context.exchange != nullptr ? context.exchange->server_queue_position : 0;
}
std::int64_t backend_queue(Context& context) {
  return context.exchange != nullptr ? context.exchange->backend_queue_position : 0;
}
std::int64_t exchange_number(Context& context) {
  return context.exchange != nullptr ? context.exchange->id : 0;
}
void termination(Context& context, std::string& out) {
  txn::Termination end{txn::Cause::proxy, txn::Phase::request};  // of a session that got no further
  if (context.exchange != nullptr) end = context.exchange->end;
  out += static_cast<char>(end.cause);
  out += static_cast<char>(end.phase);
}
void termination_cookie(Context& context, std::string& out) {
  termination(context, out);
  if (context.exchange != nullptr)
    out.append(context.exchange->cookie_flags.data(), 2);
  else
    out += "--";
}
void cookie_in(Context& context, std::string& out) {
  if (context.exchange != nullptr) out += context.exchange->captured_cookie_in;
}
void cookie_out(Context& context, std::string& out) {
  if (context.exchange != nullptr) out += context.exchange->captured_cookie_out;
}
void unique_id(Context& context, std::string& out) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr) return;
  if (exchange->unique_id.empty() && exchange->engine != nullptr)
    exchange->unique_id = exchange->engine->make_unique_id();
  out += exchange->unique_id;
}

// ---- the request line

bool has_request(Context& context) {
  return context.exchange != nullptr && context.exchange->is_http &&
         context.exchange->request_valid;
}
std::string_view original_method(Context& context) {
  const txn::Exchange& exchange = *context.exchange;
  return exchange.original_method.empty() ? exchange.request.method_text : exchange.original_method;
}
// What is left for the target of the longest request line that is logged.
std::string_view original_target(Context& context) {
  const txn::Exchange& exchange = *context.exchange;
  const std::string_view target =
      exchange.original_target.empty() ? exchange.request.target : exchange.original_target;
  const std::size_t most = context.registry.process().log_uri_length;
  const std::size_t before = original_method(context).size() + 1;
  return most == 0 ? target : target.substr(0, most > before ? most - before : 0);
}
std::size_t logged_size(Context& context) {
  return original_method(context).size() + 1 + original_target(context).size();
}
std::string_view version(Context& context) {
  http::Version v = context.exchange->request.version;
  if (v.major == 1) return v.minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
  return v.major == 2 ? "HTTP/2.0" : "HTTP/3.0";
}
void request_line(Context& context, std::string& out) {
  if (!has_request(context)) {
    out += kBadRequest;
    return;
  }
  append_escaped(out, original_method(context), AliasEscape::url);
  out += ' ';
  append_escaped(out, original_target(context), AliasEscape::url);
  const std::size_t most = context.registry.process().log_uri_length;
  if (most != 0 && logged_size(context) >= most) return;
  out += ' ';
  out += version(context);
}
// A part of the target, or the word for bad requests.
template <std::string_view (*Part)(Context&)>
void request_part(Context& context, std::string& out) {
  if (has_request(context))
    append_escaped(out, Part(context), AliasEscape::url);
  else
    out += kBadRequest;
}
std::string_view target_without_query(Context& context) {
  std::string_view target = original_target(context);
  return target.substr(0, target.find('?'));
}
std::string_view target_path(Context& context) { return fetch::path_of(original_target(context)); }
std::string_view target_query(Context& context) {
  std::string_view target = original_target(context);
  std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark);
}

// ---- captured headers

std::span<const std::string_view> request_captures(Context& context) {
  if (context.exchange == nullptr) return {};
  return context.exchange->request_captures;
}
std::span<const std::string_view> response_captures(Context& context) {
  if (context.exchange == nullptr) return {};
  return context.exchange->response_captures;
}
template <std::span<const std::string_view> (*Values)(Context&), bool response>
void captures(Context& context, std::string& out) {
  const state::Proxy* frontend = context.session != nullptr ? context.session->frontend : nullptr;
  if (context.exchange == nullptr || !context.exchange->request_valid) return;
  std::span<const std::string_view> values = Values(context);
  std::size_t slots = values.size();
  if (frontend != nullptr)
    slots = std::max(
        slots, response ? frontend->response_captures.size() : frontend->request_captures.size());
  if (slots == 0) return;
  out += '{';
  for (std::size_t i = 0; i < slots; ++i) {
    if (i != 0) out += '|';
    if (i < values.size()) append_escaped(out, values[i], AliasEscape::header);
  }
  out += '}';
}

// ---- proxies, servers, process

const state::Proxy* frontend_of(Context& context) {
  return context.session != nullptr ? context.session->frontend : nullptr;
}
const state::Proxy* backend_of(Context& context) {
  if (context.exchange != nullptr && context.exchange->backend != nullptr)
    return context.exchange->backend;
  return frontend_of(context);
}
void frontend_name(Context& context, std::string& out) {
  if (const state::Proxy* proxy = frontend_of(context)) out += proxy->name;
}
void backend_name(Context& context, std::string& out) {
  if (const state::Proxy* proxy = backend_of(context)) out += proxy->name;
}
void server_name(Context& context, std::string& out) {
  const txn::Exchange* exchange = context.exchange;
  if (exchange != nullptr && exchange->server != nullptr)
    out += exchange->server->name;
  else if (exchange != nullptr && !exchange->service_name.empty())
    out += exchange->service_name;
  else
    out += "<NOSRV>";
}
std::int64_t process_connections(Context& context) {
  return context.registry.process().connections.load(std::memory_order_relaxed);
}
std::int64_t frontend_connections(Context& context) {
  const state::Proxy* proxy = frontend_of(context);
  return proxy != nullptr ? proxy->frontend_sessions.load(std::memory_order_relaxed) : 0;
}
std::int64_t backend_connections(Context& context) {
  const state::Proxy* proxy = backend_of(context);
  return proxy != nullptr ? proxy->backend_sessions.load(std::memory_order_relaxed) : 0;
}
std::int64_t server_connections(Context& context) {
  if (context.exchange == nullptr || context.exchange->server == nullptr) return 0;
  return context.exchange->server->sessions.load(std::memory_order_relaxed);
}
std::int64_t frontend_lines(Context& context) {
  const state::Proxy* proxy = frontend_of(context);
  return proxy != nullptr ? proxy->logged.load(std::memory_order_relaxed) : 0;
}
void host(Context& context, std::string& out) { out += fetch::host_name(context.arena); }
void origin(Context& context, std::string& out) { out += context.log_origin; }
std::int64_t process_number(Context&) { return getpid(); }
void nothing(Context&, std::string&) {}

// ---- the table

using F = AliasForm;
using E = AliasEscape;
using Number = std::int64_t (*)(Context&);
using Text = void (*)(Context&, std::string&);

constexpr LogAlias number(std::string_view name, Number get, std::string_view doc,
                          std::uint8_t hex = 0, bool (*plus)(Context&) = nullptr) {
  return {{name, "", doc}, F::number, get, nullptr, E::none, hex, nullptr, plus};
}
constexpr LogAlias text(std::string_view name, Text get, std::string_view doc, E escape = E::none) {
  return {{name, "", doc}, F::text, nullptr, get, escape};
}
constexpr LogAlias plain(std::string_view name, Text get, std::string_view doc) {
  return {{name, "", doc}, F::plain, nullptr, get};
}
constexpr LogAlias address(std::string_view name, Text get, net::Ip (*raw)(Context&),
                           std::string_view doc) {
  return {{name, "", doc}, F::text, nullptr, get, E::none, 8, raw};
}
constexpr LogAlias port_of(std::string_view name, Number get, Text otherwise,
                           std::string_view doc) {
  return {{name, "", doc}, F::number, get, otherwise, E::none, 4};
}

constexpr LogAlias settled(Settled when, LogAlias row) {
  row.settled = when;
  return row;
}
constexpr LogAlias at_end(LogAlias row) { return settled(Settled::end, row); }
constexpr LogAlias at_request(LogAlias row) { return settled(Settled::request, row); }
constexpr LogAlias at_server(LogAlias row) { return settled(Settled::server, row); }

constexpr LogAlias kRows[] = {
    at_end(number("B", bytes_from_server, "Bytes received from the server.", 0, growing)),
    at_server(text("CC", cookie_in, "The captured cookie of the request.")),
    at_server(text("CS", cookie_out, "The captured cookie of the response.")),
    text("H", host, "The name of this host."),
    at_request(text("HM", request_part<original_method>, "The method.", E::url)),
    at_request(
        text("HP", request_part<target_without_query>, "The target without the query.", E::url)),
    at_request(text("HPO", request_part<target_path>, "The path alone.", E::url)),
    at_request(text("HQ", request_part<target_query>, "The query with its question mark.", E::url)),
    at_request(text("HU", request_part<original_target>, "The target.", E::url)),
    at_request(text("HV", request_part<version>, "The version, as HTTP/1.1.")),
    at_end(text("ID", unique_id, "The unique identifier.")),
    text("OG", origin, "Where in the life of the exchange the line is made."),
    at_server(number("ST", status, "The status.")),
    plain("T", date_zone<accepted_us, Zone::utc>, "When accepted, UTC."),
    at_end(number("Ta", timer<timing::active>, "Time from the first byte to the end.", 0, growing)),
    at_end(number("Tc", timer<timing::connect>, "Time to connect.")),
    at_end(number("Td", timer<timing::data>, "Time of the transfer.", 0, growing)),
    at_end(number("Th", timer<timing::handshake>, "Time of handshakes.")),
    at_end(number("Ti", timer<timing::idle>, "Time idle before the request.")),
    plain("Tl", date_zone<accepted_us, Zone::local_zone>, "When accepted, local time and zone."),
    at_end(number("Tq", timer<timing::total_request>, "Time until the request was complete.")),
    at_end(number("TR", timer<timing::request>, "Time from the request's first byte to its end.")),
    at_end(number("Tr", timer<timing::response>, "Time until the server answered.")),
    number("Ts", accept_second, "When accepted, seconds since the epoch.", 8),
    at_end(number("Tt", total, "Time from accepting to the end.", 0, growing)),
    at_end(number("Tu", timer<timing::user>, "Time as the user sees it.", 0, growing)),
    at_end(number("Tw", timer<timing::queue>, "Time in queues.")),
    at_end(number("U", bytes_from_client, "Bytes received from the client.", 0, growing)),
    at_end(number("ac", process_connections, "Connections of the process.")),
    at_server(text("b", backend_name, "The backend's name.")),
    at_end(number("bc", backend_connections, "Connections of the backend.")),
    at_server(
        address("bi", ip<server_source>, raw_ip<server_source>, "The own address to the server.")),
    at_server(port_of("bp", port_number<server_source>, port<server_source>,
                      "The own port to the server.")),
    at_end(number("bq", backend_queue, "Place in the backend's queue.")),
    address("ci", ip<client_source>, raw_ip<client_source>, "The client's address."),
    port_of("cp", port_number<client_source>, port<client_source>, "The client's port."),
    text("f", frontend_name, "The frontend's name."),
    at_end(number("fc", frontend_connections, "Connections of the frontend.")),
    address("fi", ip<client_destination>, raw_ip<client_destination>, "The address accepted on."),
    port_of("fp", port_number<client_destination>, port<client_destination>,
            "The port accepted on."),
    text("ft", frontend_name, "The frontend's name, with ~ behind for TLS."),
    at_server(
        text("hr", captures<request_captures, false>, "Captured request headers.", E::header)),
    {{"hrl", "", "Captured request headers, each by itself."},
     F::list,
     nullptr,
     nullptr,
     E::header,
     0,
     nullptr,
     nullptr,
     request_captures,
     Settled::server},
    at_server(
        text("hs", captures<response_captures, true>, "Captured response headers.", E::header)),
    {{"hsl", "", "Captured response headers, each by itself."},
     F::list,
     nullptr,
     nullptr,
     E::header,
     0,
     nullptr,
     nullptr,
     response_captures,
     Settled::server},
    number("lc", frontend_lines, "Lines the frontend has logged."),
    plain("ms", accept_ms, "When accepted, the milliseconds alone."),
    number("pid", process_number, "The process's number.", 4),
    at_request(text("r", request_line, "The request line.", E::url)),
    at_end(number("rc", retries, "Retries, with + before when redispatched.", 0, redispatched)),
    at_request(number("rt", exchange_number, "The number of the request.", 4)),
    at_server(text("s", server_name, "The server's name.")),
    at_end(number("sc", server_connections, "Connections of the server.")),
    at_server(
        address("si", ip<server_destination>, raw_ip<server_destination>, "The server's address.")),
    at_server(port_of("sp", port_number<server_destination>, port<server_destination>,
                      "The server's port.")),
    at_end(number("sq", server_queue, "Place in the server's queue.")),
    at_server(text("sslc", nothing, "The TLS cipher.")),
    at_server(text("sslv", nothing, "The TLS version.")),
    plain("t", date_ms<accepted_us>, "When accepted, local time with milliseconds."),
    plain("tr", date_ms<requested_us>, "When the request began, local time with milliseconds."),
    plain("trg", date_zone<requested_us, Zone::utc>, "When the request began, UTC."),
    plain("trl", date_zone<requested_us, Zone::local_zone>,
          "When the request began, local time and zone."),
    at_end(plain("ts", termination, "How the exchange ended.")),
    plain("tsc", termination_cookie, "How the exchange ended, with the state of cookies."),
};

}  // namespace

std::span<const LogAlias> log_aliases() { return kRows; }

void append_escaped(std::string& out, std::string_view text, AliasEscape escape) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  auto forbidden = [escape](unsigned char c) {
    if (c < 32 || c >= 127 || c == '"' || c == '#') return true;
    return escape == AliasEscape::header && (c == '{' || c == '|' || c == '}');
  };
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (!forbidden(c)) continue;
    out.append(text, done, i - done);
    const char escaped[3] = {'#', kDigits[c >> 4], kDigits[c & 15]};
    out.append(escaped, 3);
    done = i + 1;
  }
  out.append(text, done);
}

}  // namespace expr
