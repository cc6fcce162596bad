// What a request to the statistics page asks for: its address and the form of an administrator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace admin {

// What stands behind the page's address in a request.
struct PageRequest {
  enum class Kind : std::uint8_t { html, csv, typed, json, json_schema } kind = Kind::html;
  bool up = false, no_maint = false, no_refresh = false;
  std::string_view scope;   // part of the names of proxies to show
  std::string_view result;  // "DONE", "PART" … of an action before
};
PageRequest parse_page_request(std::string_view target, std::string_view uri);

// A decoded form: s=<server>… b=<backend> action=<what>
struct PageForm {
  std::vector<std::string> servers;
  std::string backend, action;
};
PageForm parse_form(std::string_view body);

// application/x-www-form-urlencoded
std::string decode_form(std::string_view text);

}  // namespace admin
