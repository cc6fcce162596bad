#include "expr/dump.h"

#include <fmt/format.h>

#include <algorithm>

namespace expr {
namespace {

// The columns of a sample's matrix: where a rule stands, and what can be had there.
struct Column {
  std::string_view name;
  std::uint32_t available;
};

std::vector<Column> columns() {
  using txn::Point;
  constexpr auto front = state::kFrontend, back = state::kBackend;
  return {
      {"frontend tcp-request connection rule", available_at(Point::connection, true, front)},
      {"frontend tcp-request session rule", available_at(Point::session, true, front)},
      {"frontend tcp-request content rule", available_at(Point::request_content, true, front)},
      {"frontend http-request header rule", available_at(Point::http_request, true, front)},
      {"frontend http-request body rule", available_at(Point::http_request, true, front)},
      {"frontend use-backend rule", available_at(Point::http_request, true, front)},
      {"backend tcp-request content rule", available_at(Point::request_content, true, back)},
      {"backend http-request header rule", available_at(Point::http_request, true, back)},
      {"backend http-request body rule", available_at(Point::http_request, true, back)},
      {"backend use-server, balance or stick-match rule", available_at(Point::balance, true, back)},
      {"server source selection", available_at(Point::server_connect, true, back)},
      {"backend tcp-response content rule", available_at(Point::response_content, true, back)},
      {"backend http-response header rule", available_at(Point::http_response, true, back)},
      {"backend http-response body rule", available_at(Point::http_response, true, back)},
      {"backend stick-store rule", available_at(Point::http_response, true, back)},
      {"frontend tcp-response content rule", available_at(Point::response_content, true, front)},
      {"frontend http-response header rule", available_at(Point::http_response, true, front)},
      {"frontend http-response body rule", available_at(Point::http_response, true, front)},
      {"logs", available_at(Point::log, true, front)},
      {"backend tcp-check rule", available_at(Point::check, true, back)},
      {"configuration parser", kAvailableInConfig},
      {"CLI parser", kAvailableInCli},
  };
}

// Names over a staircase that leads to their columns.
void append_legend(const std::vector<Column>& list, std::string& out) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    std::string line = "#";
    line.append(list.size() - i, ' ');
    for (std::size_t stair = 0; stair < i; ++stair) line += "/ ";
    line.append(i == 0 ? "  _." : "_.");
    line.append(list.size() - i, '-');
    out += fmt::format("{} {}\n", line, list[i].name);
  }
  out += "#";
  for (std::size_t i = 0; i < list.size(); ++i) out += " |";
  out += '\n';
}

}  // namespace

std::string dump_samples(const Catalogue& catalogue) {
  std::string out = "# List of registered sample fetch functions:\n";
  const std::vector<Column> list = columns();
  append_legend(list, out);
  for (const FetchRow* row : catalogue.all_fetches()) {
    out += "[ ";
    for (const Column& column : list) out += row->where & column.available ? "Y " : ". ";
    out += fmt::format("] {}{}: {}\n", row->name, describe_signature(row->arguments),
                       state::name_of(row->out));
  }
  return out;
}

// The reference writes what comes out before what goes in.
std::string dump_converters(const Catalogue& catalogue) {
  std::string out = "# List of registered sample converter functions:\n";
  for (const ConverterRow* row : catalogue.all_converters())
    out += fmt::format("{}{}: {} => {}\n", row->name, describe_signature(row->arguments),
                       row->same_type ? "same" : state::name_of(row->out), state::name_of(row->in));
  return out;
}

std::string dump_acls(const Catalogue& catalogue) {
  std::string out = "# List of registered ACL keywords:\n";
  for (const AclRow* row : catalogue.all_acls())
    out += fmt::format("{} = {} -m {}\n", row->name, row->fetch, row->match);
  return out;
}

}  // namespace expr
