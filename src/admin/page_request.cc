#include "admin/page_request.h"

#include <algorithm>

#include "base/text.h"

namespace admin {
namespace {

// The value of "name=" where it begins a parameter, up to the next separator.
std::string_view parameter(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
    if (at != 0 && text[at - 1] != ';' && text[at - 1] != '?' && text[at - 1] != '&') continue;
    std::string_view value = text.substr(at + name.size());
    return value.substr(0, value.find_first_of(";&?"));
  }
  return {};
}

}  // namespace

std::string decode_form(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && base::hex_digit(text[i + 1]) >= 0 &&
        base::hex_digit(text[i + 2]) >= 0) {
      out.push_back(
          static_cast<char>(base::hex_digit(text[i + 1]) * 16 + base::hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

PageRequest parse_page_request(std::string_view target, std::string_view uri) {
  PageRequest request;
  std::size_t at = target.find(uri);
  std::string_view rest = at == target.npos ? target : target.substr(at + uri.size());
  request.scope = parameter(rest, "scope=");
  request.result = parameter(rest, "st=");
  while (!rest.empty()) {
    std::size_t mark = rest.find(';');
    if (mark == rest.npos) break;
    rest.remove_prefix(mark + 1);
    std::string_view word = rest.substr(0, rest.find_first_of(";?&"));
    using Kind = PageRequest::Kind;
    if (word == "csv") request.kind = Kind::csv;
    if (word == "typed") request.kind = Kind::typed;
    if (word == "json") request.kind = Kind::json;
    if (word == "json-schema") request.kind = Kind::json_schema;
    if (word == "up") request.up = true;
    if (word == "no-maint") request.no_maint = true;
    if (word == "norefresh") request.no_refresh = true;
  }
  return request;
}

PageForm parse_form(std::string_view body) {
  PageForm form;
  while (!body.empty()) {
    std::size_t end = std::min(body.find('&'), body.size());
    std::string_view pair = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    std::size_t equals = pair.find('=');
    if (equals == pair.npos) continue;
    std::string name = decode_form(pair.substr(0, equals)),
                value = decode_form(pair.substr(equals + 1));
    if (name == "s") form.servers.push_back(value);
    if (name == "b") form.backend = value;
    if (name == "action") form.action = value;
  }
  return form;
}

}  // namespace admin
