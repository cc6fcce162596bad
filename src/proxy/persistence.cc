// The persistence cookie (manual, "cookie"): which server the client's names, and what the response
// tells the client.
#include <algorithm>
#include <chrono>

#include "http/cookie.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::int64_t kDay = 86400;

std::int64_t wall_seconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Dates in cookies: 30 bits of seconds in five base64 digits.
std::string write_date(std::int64_t seconds) {
  std::string out(5, 'A');
  for (std::size_t i = 5; i-- > 0; seconds >>= 6)
    out[i] = kBase64[static_cast<std::size_t>(seconds & 63)];
  return out;
}

// 0 for what is no date.
std::int64_t read_date(std::string_view text, std::int64_t now) {
  if (text.size() < 5) return 0;
  std::int64_t value = 0;
  for (char c : text.substr(0, 5)) {
    const std::size_t digit = kBase64.find(c);
    if (digit == kBase64.npos) return 0;
    value = value << 6 | static_cast<std::int64_t>(digit);
  }
  // The upper bits are those that bring it nearest to now.
  constexpr std::int64_t kSpan = std::int64_t{1} << 30;
  value |= now & ~(kSpan - 1);
  if (value > now + kSpan / 2) value -= kSpan;
  if (value < now - kSpan / 2) value += kSpan;
  return value;
}

struct Dated {
  std::string_view server;
  std::int64_t last = 0, first = 0;
};

Dated split_value(std::string_view value, std::int64_t now) {
  Dated d;
  const std::size_t bar = value.find('|');
  d.server = value.substr(0, bar);
  if (bar == value.npos) return d;
  std::string_view rest = value.substr(bar + 1);
  d.last = read_date(rest, now);
  const std::size_t second = rest.find('|');
  if (second != rest.npos) d.first = read_date(rest.substr(second + 1), now);
  return d;
}

bool is_up(const state::Server& server) {
  return server.oper.load(std::memory_order_relaxed) != state::OperState::stopped &&
         !server.in_maintenance();
}

}  // namespace

// Whether the dates in the cookie still allow it; the flag letter says why not.
bool Run::cookie_in_time(std::string_view value, std::string_view& server) {
  const upstream::BackendSettings& s = backend_->backend->settings;
  if (s.cookie_max_idle_s == 0 && s.cookie_max_life_s == 0) {
    server = value.substr(0, value.find('|'));
    return true;
  }
  const std::int64_t now = wall_seconds();
  const Dated d = split_value(value, now);
  server = d.server;
  cookie_last_date_ = d.last;
  cookie_first_date_ = d.first;
  if (s.cookie_max_idle_s != 0 && d.last != 0 &&
      (now - d.last > s.cookie_max_idle_s || d.last > now + kDay)) {
    x().cookie_flags[0] = 'E';
    cookie_last_date_ = cookie_first_date_ = 0;
    return false;
  }
  if (s.cookie_max_life_s != 0 && d.first != 0 &&
      (now - d.first > s.cookie_max_life_s || d.first > now + kDay)) {
    x().cookie_flags[0] = 'O';
    cookie_last_date_ = cookie_first_date_ = 0;
    return false;
  }
  return true;
}

void Run::read_persistence_cookie() {
  txn::Exchange& e = x();
  const upstream::BackendSettings& s = backend_->backend->settings;
  e.cookie_flags = {'N', 'N'};
  cookie_last_date_ = cookie_first_date_ = 0;
  const bool ignore = persistence_ignored();
  for (std::size_t i = 0; i < e.request.headers.size(); ++i) {
    http::Field& field = e.request.headers.at(i);
    if (field.id != http::HeaderId::cookie) continue;
    std::string_view rest = field.value;
    http::CookiePair pair;
    while (http::next_cookie(rest, pair)) {
      if (pair.name != s.cookie_name) continue;
      std::string_view named;
      bool valid = true;
      if ((s.cookie_flags & upstream::kCookiePrefix) != 0) {
        const std::size_t tilde = pair.value.find('~');
        if (tilde == pair.value.npos) break;
        named = pair.value.substr(0, tilde);
        field.value =
            http::with_cookie_value(field.value, pair, pair.value.substr(tilde + 1), e.arena);
      } else {
        valid = cookie_in_time(pair.value, named);
        if ((s.cookie_flags & (upstream::kCookieInsert | upstream::kCookieIndirect)) ==
            (upstream::kCookieInsert | upstream::kCookieIndirect)) {
          field.value = http::without_cookie(field.value, pair, e.arena);
          if (field.value.empty()) e.request.headers.remove_at(i--);
        }
      }
      if (valid) judge_cookie(named, ignore);
      return;
    }
  }
}

// "force-persist" and "ignore-persist": the first rule that holds decides.
bool Run::persistence_ignored() {
  expr::Context ctx = context(*backend_, txn::Direction::request);
  for (const UseServer& rule : backend_->ignore_persist)
    if (rule.condition == nullptr || rule.condition->evaluate(ctx) == 1) return true;
  return false;
}

void Run::judge_cookie(std::string_view named, bool ignore) {
  txn::Exchange& e = x();
  if (named.empty()) return;
  state::Server* found = nullptr;
  for (const auto& server : backend_->state->servers)
    if (!server->cookie.empty() && server->cookie == named) found = server.get();
  if (found == nullptr) {
    e.cookie_flags[0] = 'I';
    return;
  }
  cookie_server_ = found;
  e.cookie_flags[0] = is_up(*found) ? 'V' : 'D';
  if (ignore || e.forced_server != nullptr)
    e.cookie_flags[0] = 'U';
  else if (may_persist_on(*found))
    persistence_ = found;
}

// It is up, or the request goes there all the same ("option persist", "force-persist").
bool Run::may_persist_on(const state::Server& server) {
  if (is_up(server) || backend_->backend->settings.persist) return true;
  expr::Context ctx = context(*backend_, txn::Direction::request);
  return std::any_of(backend_->force_persist.begin(), backend_->force_persist.end(),
                     [&ctx](const UseServer& rule) {
                       return rule.condition == nullptr || rule.condition->evaluate(ctx) == 1;
                     });
}

void Run::write_persistence_cookie() {
  txn::Exchange& e = x();
  const upstream::BackendSettings& s = backend_->backend->settings;
  const std::uint32_t flags = s.cookie_flags;
  const std::string& name = e.server->cookie;
  bool server_set_it = false;
  for (std::size_t i = 0; i < e.response.headers.size(); ++i) {
    http::Field& field = e.response.headers.at(i);
    if (field.id != http::HeaderId::set_cookie) continue;
    http::CookiePair pair;
    std::string_view attributes;
    if (!http::read_set_cookie(field.value, pair, attributes) || pair.name != s.cookie_name)
      continue;
    server_set_it = true;
    e.cookie_flags[1] = 'P';
    if ((flags & upstream::kCookiePreserve) != 0) continue;
    if ((flags & upstream::kCookieInsert) != 0 ||
        ((flags & upstream::kCookieIndirect) != 0 && cookie_server_ == e.server)) {
      e.response.headers.remove_at(i--);
      e.cookie_flags[1] = 'D';
    } else if ((flags & upstream::kCookieRewrite) != 0 && !name.empty()) {
      field.value = http::with_cookie_value(field.value, pair, name, e.arena);
      e.cookie_flags[1] = 'R';
    } else if ((flags & upstream::kCookiePrefix) != 0 && !name.empty()) {
      const std::string value = name + "~" + std::string(pair.value);
      field.value = http::with_cookie_value(field.value, pair, value, e.arena);
      e.cookie_flags[1] = 'R';
    }
  }
  if ((flags & upstream::kCookieInsert) == 0 || name.empty()) return;
  if (server_set_it && (flags & upstream::kCookiePreserve) != 0) return;
  if ((flags & upstream::kCookiePostOnly) != 0 && e.request.method != http::Method::post) return;
  insert_cookie(name);
}

void Run::insert_cookie(const std::string& server) {
  txn::Exchange& e = x();
  const upstream::BackendSettings& s = backend_->backend->settings;
  const std::int64_t now = wall_seconds();
  const bool dated = s.cookie_max_idle_s != 0 || s.cookie_max_life_s != 0;
  const bool known = cookie_server_ == e.server && e.cookie_flags[0] == 'V';
  bool refresh = false;
  if (known && dated) {
    refresh = (s.cookie_max_idle_s != 0 && (cookie_last_date_ == 0 || cookie_last_date_ != now)) ||
              (s.cookie_max_life_s != 0 && cookie_first_date_ == 0);
  }
  if (known && !refresh) return;
  std::string value = s.cookie_name + "=" + server;
  if (dated) {
    value += "|" + (s.cookie_max_idle_s != 0 ? write_date(now) : std::string());
    if (s.cookie_max_life_s != 0)
      value += "|" + write_date(known && cookie_first_date_ != 0 ? cookie_first_date_ : now);
  }
  value += "; path=/";
  if (!s.cookie_domains.empty())
    for (const std::string& domain : s.cookie_domains) value += "; domain=" + domain;
  if ((s.cookie_flags & upstream::kCookieHttpOnly) != 0) value += "; HttpOnly";
  if ((s.cookie_flags & upstream::kCookieSecure) != 0) value += "; Secure";
  for (const std::string& attribute : s.cookie_attributes) value += "; " + attribute;
  e.response.headers.add("set-cookie", e.arena.copy(value), e.arena);
  e.cookie_flags[1] = known ? 'U' : 'I';
  if ((s.cookie_flags & upstream::kCookieNoCache) != 0)
    e.response.headers.add("cache-control", "private", e.arena);
}

}  // namespace proxy
