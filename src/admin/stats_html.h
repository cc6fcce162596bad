// The HTML of the statistics page: self-contained, readable in dark and light.
#pragma once

#include <string>

#include "admin/stat_table.h"
#include "admin/stats_page.h"

namespace admin {

struct HtmlPage {
  const proxy::Proxy& proxy;  // whose page it is
  const PageRequest& request;
  const PageProduct& product;
  const state::Registry& registry;
  bool admin = false;          // with the form
  std::int64_t refresh_s = 0;  // in force; 0: none
};

std::string html_head(const HtmlPage& page);
// The rows of one proxy as a table.
std::string html_proxy(const HtmlPage& page, const std::vector<StatRow>& rows);
std::string html_foot();

}  // namespace admin
