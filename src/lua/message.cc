#include "lua/message.h"

#include <string>

#include "base/text.h"
#include "http/h1.h"
#include "http/uri.h"
#include "lua/stack.h"

namespace lua {

namespace {

bool has_name_before(const http::Headers& headers, const http::Field& which) {
  for (const http::Field& field : headers) {
    if (&field == &which) return false;
    if (field.name == which.name) return true;
  }
  return false;
}

}  // namespace

void push_headers(lua_State* L, const http::Headers& headers) {
  lua_createtable(L, 0, static_cast<int>(headers.size()));
  for (const http::Field& field : headers) {
    push(L, field.name);
    // Comparing names here is cheaper than asking the table for each.
    if (has_name_before(headers, field)) {
      lua_rawget(L, -2);
      push(L, field.value);
      lua_rawseti(L, -2, static_cast<lua_Integer>(lua_rawlen(L, -2)) + 1);
      lua_pop(L, 1);
      continue;
    }
    lua_createtable(L, 0, 1);
    push(L, field.value);
    lua_rawseti(L, -2, 0);
    lua_rawset(L, -3);
  }
}

std::shared_ptr<const expr::Regex> check_regex(lua_State* L, int index) {
  struct Kept {
    std::string text;
    std::shared_ptr<const expr::Regex> regex;
  };
  constexpr std::size_t kMost = 64;
  static thread_local std::vector<Kept> kept;
  static thread_local std::size_t next = 0;
  const std::string_view text = check_text(L, index);
  for (const Kept& entry : kept)
    if (entry.text == text) return entry.regex;
  auto compiled = expr::Regex::compile(text, false);
  if (!compiled) luaL_argerror(L, index, compiled.error().c_str());
  if (kept.size() < kMost)
    kept.push_back({std::string(text), *compiled});
  else
    kept[next++ % kMost] = {std::string(text), *compiled};
  return *compiled;
}

namespace {

// One replacement, as HAProxy's header rewriting does it: the match becomes the replacement.
bool replace_once(const expr::Regex& regex, std::string_view subject, std::string_view replacement,
                  std::string& out) {
  expr::Regex::Group groups[10];
  const std::size_t count = regex.match(subject, 0, groups);
  if (count == 0) return false;
  out.append(subject.substr(0, groups[0].from));
  expr::expand_groups(replacement, subject, std::span(groups, count), out);
  out.append(subject.substr(groups[0].to));
  return true;
}

}  // namespace

void replace_in_headers(http::Headers& headers, std::string_view name, const expr::Regex& regex,
                        std::string_view replacement, bool each_value, base::Arena& arena) {
  std::string out;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    http::Field& field = headers.at(i);
    if (!base::iequals(field.name, name)) continue;
    out.clear();
    if (!each_value) {
      if (replace_once(regex, field.value, replacement, out)) field.value = arena.copy(out);
      continue;
    }
    bool changed = false;
    for (std::size_t at = 0; at <= field.value.size();) {
      const std::size_t comma = std::min(field.value.find(',', at), field.value.size());
      std::string_view part = field.value.substr(at, comma - at);
      const std::string_view value = base::trim(part);
      if (at != 0) out += ',';
      out.append(part.substr(0, static_cast<std::size_t>(value.data() - part.data())));
      if (replace_once(regex, value, replacement, out))
        changed = true;
      else
        out.append(value);
      at = comma + 1;
    }
    if (changed) field.value = arena.copy(out);
  }
}

void set_method(http::RequestHead& head, std::string_view method, base::Arena& arena) {
  head.method = http::method_of(method);
  head.method_text =
      head.method == http::Method::other ? arena.copy(method) : http::name_of(head.method);
}

void set_path(http::RequestHead& head, std::string_view path, base::Arena& arena) {
  const http::Target target = http::split_target(head.target);
  std::string out;
  if (target.form == http::Target::Form::absolute)
    out.append(target.scheme).append("://").append(target.authority);
  out.append(path);
  if (target.has_query) out.append("?").append(target.query);
  head.target = arena.copy(out);
}

void set_query(http::RequestHead& head, std::string_view query, base::Arena& arena) {
  const std::string_view before = head.target.substr(0, head.target.find('?'));
  std::string out(before);
  out.append("?").append(query);
  head.target = arena.copy(out);
}

void set_uri(http::RequestHead& head, std::string_view uri, base::Arena& arena) {
  head.target = arena.copy(uri);
}

void set_status(http::ResponseHead& head, unsigned status, std::string_view reason,
                base::Arena& arena) {
  head.status = static_cast<std::uint16_t>(status);
  head.reason = reason.empty() ? http::reason_phrase(status) : arena.copy(reason);
}

}  // namespace lua
