#include "http/uri.h"

#include "base/text.h"

namespace http {

namespace {

void split_path(std::string_view rest, Target& t) {
  std::size_t mark = rest.find('?');
  t.path = rest.substr(0, mark);
  if (mark == rest.npos) return;
  t.has_query = true;
  t.query = rest.substr(mark + 1);
}

// Where the port's colon stands; npos without one. Colons inside brackets are the address's.
std::size_t port_colon(std::string_view authority) {
  std::size_t colon = authority.rfind(':');
  if (colon == authority.npos) return colon;
  return authority.find(']', colon) == authority.npos ? colon : authority.npos;
}

}  // namespace

Target split_target(std::string_view target, bool connect_method) {
  Target t;
  if (connect_method) {
    t.form = Target::Form::authority;
    std::size_t slash = target.find('/');
    t.authority = target.substr(0, slash);
    if (slash != target.npos) split_path(target.substr(slash), t);
    return t;
  }
  if (target == "*") {
    t.form = Target::Form::asterisk;
    t.path = target;
    return t;
  }
  std::size_t mark;
  if (target.starts_with('/') || (mark = target.find("://")) == target.npos ||
      mark > target.find_first_of("/?#")) {
    split_path(target, t);
    return t;
  }
  t.form = Target::Form::absolute;
  t.scheme = target.substr(0, mark);
  std::string_view rest = target.substr(mark + 3);
  std::size_t end = rest.find_first_of("/?#");
  t.authority = rest.substr(0, end);
  if (end != rest.npos) split_path(rest.substr(end), t);
  return t;
}

std::string_view host_only(std::string_view authority) {
  return authority.substr(0, port_colon(authority));
}

std::string_view port_only(std::string_view authority) {
  std::size_t colon = port_colon(authority);
  return colon == authority.npos ? std::string_view() : authority.substr(colon + 1);
}

bool query_value(std::string_view query, std::string_view name, std::string_view& value,
                 char delimiter, bool ignore_case) {
  while (!query.empty()) {
    std::size_t end = query.find(delimiter);
    std::string_view pair = query.substr(0, end);
    std::size_t equals = pair.find('=');
    std::string_view key = pair.substr(0, equals);
    if (ignore_case ? base::iequals(key, name) : key == name) {
      value = equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
      return true;
    }
    if (end == query.npos) break;
    query.remove_prefix(end + 1);
  }
  return false;
}

}  // namespace http
