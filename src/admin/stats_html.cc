#include "admin/stats_html.h"

#include <fmt/format.h>
#include <unistd.h>

#include "admin/clock.h"
#include "admin/server_action.h"
#include "admin/stats_style.h"
#include "rt/worker.h"

namespace admin {
namespace {

using C = Column;

std::string escape(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string value(const StatRow& row, C column) {
  std::string out;
  append(out, row[column]);
  return out;
}

// 1234567 -> "1 234 567", with blanks that do not break.
std::string grouped(const StatRow& row, C column) {
  std::string digits = value(row, column), out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i != 0 && (digits.size() - i) % 3 == 0) out += "&#8239;";
    out.push_back(digits[i]);
  }
  return out;
}

// "3d4h", "12m5s"
std::string duration(std::int64_t seconds) {
  if (seconds < 0) return "";
  if (seconds >= 86400) return fmt::format("{}d{}h", seconds / 86400, seconds / 3600 % 24);
  if (seconds >= 3600) return fmt::format("{}h{}m", seconds / 3600, seconds / 60 % 60);
  if (seconds >= 60) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  return fmt::format("{}s", seconds);
}

std::string bytes(const StatRow& row, C column) {
  if (!row[column].present()) return "";
  double n = static_cast<double>(row[column].number);
  const char* unit = "B";
  for (const char* next : {"kB", "MB", "GB", "TB", "PB"}) {
    if (n < 10000) break;
    n /= 1000;
    unit = next;
  }
  return fmt::format("<span title=\"{} B\">{:.0f}&#8239;{}</span>", row[column].number, n, unit);
}

// The class of a row: its colour.
std::string_view tone(const StatRow& row) {
  std::string_view status = row[C::status].text;
  if (row.kind != RowKind::server) {
    if (status.starts_with("DOWN") || status == "FULL") return "down";
    return status == "STOP" || status == "PAUSED" ? "off" : "sum";
  }
  if (status.starts_with("MAINT")) return "off";
  if (status.starts_with("DRAIN") || status.starts_with("NOLB")) return "drain";
  if (status.starts_with("no check")) return "plain";
  // "UP 1/3" is on its way down, "DOWN 1/2" on its way up.
  bool moving = status.find('/') != status.npos;
  if (status.starts_with("UP")) return moving ? "sinking" : "up";
  return moving ? "rising" : "down";
}

std::string cell(std::string text, std::string_view title = {}) {
  if (title.empty()) return fmt::format("<td>{}</td>", text);
  return fmt::format("<td title=\"{}\">{}</td>", escape(title), text);
}

std::string responses_title(const StatRow& row) {
  if (!row[C::hrsp_2xx].present()) return "";
  return fmt::format("1xx {}, 2xx {}, 3xx {}, 4xx {}, 5xx {}, other {}", row[C::hrsp_1xx].number,
                     row[C::hrsp_2xx].number, row[C::hrsp_3xx].number, row[C::hrsp_4xx].number,
                     row[C::hrsp_5xx].number, row[C::hrsp_other].number);
}

std::string times_title(const StatRow& row) {
  if (!row[C::ttime].present()) return "";
  return fmt::format("average ms: queue {}, connect {}, response {}, total {}",
                     row[C::qtime].number, row[C::ctime].number, row[C::rtime].number,
                     row[C::ttime].number);
}

std::string session_cells(const StatRow& row) {
  std::string title = responses_title(row), times = times_title(row);
  if (!title.empty() && !times.empty()) title += "; ";
  std::string last = row[C::lastsess].present() ? duration(row[C::lastsess].number) : "";
  return cell(grouped(row, C::scur)) + cell(grouped(row, C::smax)) + cell(grouped(row, C::slim)) +
         cell(grouped(row, C::stot), title + times) + cell(grouped(row, C::lbtot)) + cell(last);
}

std::string status_cell(const StatRow& row) {
  std::string text = escape(row[C::status].text);
  if (row[C::lastchg].present()) text += " <small>" + duration(row[C::lastchg].number) + "</small>";
  return "<td class=t>" + text + "</td>";
}

std::string check_cell(const StatRow& row) {
  if (!row[C::check_status].present()) return "<td></td>";
  std::string text = escape(row[C::check_status].text);
  if (row[C::check_code].present()) text += "/" + value(row, C::check_code);
  if (row[C::check_duration].present())
    text += " <small>" + value(row, C::check_duration) + " ms</small>";
  std::string title = row[C::check_desc].text;
  if (!row[C::last_chk].text.empty()) title += ": " + row[C::last_chk].text;
  return fmt::format("<td class=t title=\"{}\">{}</td>", escape(title), text);
}

std::string health_cells(const StatRow& row) {
  bool counted = row.kind == RowKind::server || row.kind == RowKind::backend;
  std::string role = row.kind == RowKind::server ? (row[C::bck].number != 0 ? "backup" : "active")
                     : counted ? fmt::format("{}/{}", row[C::act].number, row[C::bck].number)
                               : "";
  std::string down = row[C::downtime].present() ? duration(row[C::downtime].number) : "";
  return status_cell(row) + check_cell(row) + cell(value(row, C::weight)) + cell(role) +
         cell(grouped(row, C::chkfail)) + cell(grouped(row, C::chkdown)) + cell(down);
}

std::string name_cell(const StatRow& row, const HtmlPage& page) {
  std::string name = escape(row[C::svname].text);
  std::string title;
  if (row[C::addr].present()) title = row[C::addr].text;
  if (row[C::cookie].present())
    title += (title.empty() ? "cookie: " : ", cookie: ") + row[C::cookie].text;
  if (row[C::algo].present())
    title += (title.empty() ? "balance: " : ", balance: ") + row[C::algo].text;
  std::string box;
  if (page.admin && row.kind == RowKind::server)
    box = fmt::format("<input type=checkbox name=s value=\"{}\" aria-label=\"{}\"> ", name, name);
  return fmt::format("<th scope=row title=\"{}\">{}{}</th>", escape(title), box, name);
}

std::string table_row(const StatRow& row, const HtmlPage& page) {
  auto limit_of_rate = row.kind == RowKind::frontend ? grouped(row, C::rate_lim) : std::string();
  return fmt::format("<tr class={}>", tone(row)) + name_cell(row, page) +
         cell(grouped(row, C::qcur)) + cell(grouped(row, C::qmax)) + cell(grouped(row, C::qlimit)) +
         cell(grouped(row, C::rate)) + cell(grouped(row, C::rate_max)) + cell(limit_of_rate) +
         session_cells(row) + cell(bytes(row, C::bin)) + cell(bytes(row, C::bout)) +
         cell(grouped(row, C::dreq)) + cell(grouped(row, C::dresp)) + cell(grouped(row, C::ereq)) +
         cell(grouped(row, C::econ)) + cell(grouped(row, C::eresp)) + cell(grouped(row, C::wretr)) +
         cell(grouped(row, C::wredis)) + health_cells(row) + "</tr>\n";
}

std::string admin_form_end(const StatRow& row) {
  std::string out = fmt::format(
      "<p class=act><input type=hidden name=b value=\"#{}\"><label><input type=checkbox "
      "onclick=\"for(const c of this.form.querySelectorAll('[name=s]'))c.checked=this.checked\"> "
      "all"
      "</label> <select name=action><option value=\"\">choose an action</option>",
      row.proxy->id);
  for (const ServerAction& action : server_actions())
    out += fmt::format("<option value=\"{}\">{}</option>", action.name, action.label);
  return out + "</select> <button>apply</button></p></form>\n";
}

std::string_view result_text(std::string_view code) {
  struct Text {
    std::string_view code, text;
  };
  constexpr Text kTexts[] = {{"DONE", "Action processed successfully."},
                             {"NONE", "Nothing has changed."},
                             {"PART", "Action partially processed."},
                             {"ERRP", "Action not processed because of invalid parameters."},
                             {"EXCD", "Action not processed: the form is too large."},
                             {"DENY", "Access denied."}};
  for (const Text& row : kTexts)
    if (row.code == code) return row.text;
  return code.empty() ? "" : "Unexpected result.";
}

// The address of this page with other switches.
std::string link(const HtmlPage& page, bool up, bool no_refresh, std::string_view more) {
  std::string out = escape(page.proxy.stats.uri);
  if (up) out += ";up";
  if (no_refresh) out += ";norefresh";
  out += more;
  if (!page.request.scope.empty())
    out +=
        fmt::format("{}scope={}", page.proxy.stats.uri.find('?') == std::string::npos ? "?" : ";",
                    escape(page.request.scope));
  return out;
}

std::string links(const HtmlPage& page) {
  const PageRequest& r = page.request;
  std::string out = fmt::format("<nav><a href=\"{}\">{}</a> ", link(page, !r.up, r.no_refresh, ""),
                                r.up ? "show all servers" : "hide servers that are down");
  if (page.proxy.stats.refresh_s != 0)
    out += fmt::format("<a href=\"{}\">{}</a> ", link(page, r.up, !r.no_refresh, ""),
                       r.no_refresh ? "refresh by itself" : "stop refreshing");
  return out +
         fmt::format(
             "<a href=\"{}\">refresh</a> <a href=\"{}\">CSV</a> <a href=\"{}\">JSON</a></nav>",
             link(page, r.up, r.no_refresh, ""), link(page, false, true, ";csv"),
             link(page, false, true, ";json"));
}

std::string facts(const HtmlPage& page) {
  state::Process& process = const_cast<state::Registry&>(page.registry).process();
  std::int64_t up = std::max<std::int64_t>(0, wall_us() / 1000 - process.start_wall_ms) / 1000;
  std::uint64_t rate = 0;
  process.counters.each([&](const state::ProcessCounters& c) {
    rate += c.connection_rate.per_second(obs::rate_clock_ms());
  });
  return fmt::format(
      "<dl><div><dt>process</dt><dd>{}</dd></div><div><dt>up</dt><dd>{}</dd></div>"
      "<div><dt>workers</dt><dd>{}</dd></div><div><dt>connections</dt><dd>{} of {}</dd></div>"
      "<div><dt>connections a second</dt><dd>{}</dd></div></dl>",
      ::getpid(), duration(up), rt::worker_count(), process.connections.load(),
      process.maximum_connections.load(), rate);
}

constexpr std::string_view kTableHead =
    "<thead><tr><th rowspan=2></th><th colspan=3>Queue</th><th colspan=3>Session rate</th>"
    "<th colspan=6>Sessions</th><th colspan=2>Bytes</th><th colspan=2>Denied</th><th "
    "colspan=3>Errors</th>"
    "<th colspan=2>Warnings</th><th colspan=7>State</th></tr>"
    "<tr><th>cur</th><th>max</th><th>limit</th><th>cur</th><th>max</th><th>limit</th><th>cur</th>"
    "<th>max</th><th>limit</th><th>total</th><th>chosen</th><th>last</th><th>in</th><th>out</"
    "th><th>req</th>"
    "<th>resp</th><th>req</th><th>conn</th><th>resp</th><th>retr</th><th>redis</th><th>status</th>"
    "<th>last check</th><th>weight</th><th>act/bck</th><th>failed</th><th>downs</th><th>down "
    "for</th></tr>"
    "</thead>\n";

}  // namespace

std::string html_head(const HtmlPage& page) {
  const proxy::StatsSettings& settings = page.proxy.stats;
  std::string title = "Statistics";
  if (settings.show_node) {
    const std::string& node = settings.node.empty()
                                  ? const_cast<state::Registry&>(page.registry).process().node
                                  : settings.node;
    title += " on " + escape(node);
  }
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>{}</title>"
      "<meta name=viewport content=\"width=device-width\"><link rel=icon href=\"data:,\">\n"
      "<style>{}</style></head>\n<body><header><h1>{}</h1> <span>{}{}</span>",
      title, kStatsStyle, title, escape(page.product.name),
      settings.hide_version ? "" : " " + escape(page.product.version));
  if (!settings.description.empty()) out += fmt::format("<p>{}</p>", escape(settings.description));
  out += facts(page) + links(page);
  out += fmt::format(
      "<form method=get action=\"{0}\"><input name=scope value=\"{1}\" placeholder=\"part of a "
      "name\" "
      "aria-label=\"show only proxies whose name holds this\"> <button>filter</button></form>",
      escape(settings.uri), escape(page.request.scope));
  std::string_view result = result_text(page.request.result);
  if (!result.empty()) out += fmt::format("<p class=result>{}</p>", result);
  return out + "</header>\n";
}

std::string html_proxy(const HtmlPage& page, const std::vector<StatRow>& rows) {
  const StatRow& first = rows.front();
  bool form =
      page.admin && (first.proxy->capabilities & state::kBackend) && !first.proxy->servers.empty();
  std::string name = escape(first.proxy->name);
  std::string out =
      fmt::format("<section id=\"{0}\"><h2><a href=\"#{0}\">{0}</a> <small>{1}</small></h2>\n",
                  name, state::name_of(first.proxy->mode));
  if (!first.proxy->description.empty())
    out += fmt::format("<p>{}</p>", escape(first.proxy->description));
  if (form)
    out += fmt::format("<form method=post action=\"{}\">",
                       link(page, page.request.up, page.request.no_refresh, ""));
  out += "<div class=wide><table>";
  out += kTableHead;
  for (const StatRow& row : rows) out += table_row(row, page);
  out += "</table></div>";
  if (form) out += admin_form_end(first);
  return out + "</section>\n";
}

std::string html_foot() { return "</body></html>\n"; }

}  // namespace admin
