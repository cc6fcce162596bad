#include "rules/action.h"
#include "rules/action/tables.h"
#include "rules/trace_filter.h"

namespace rules {

std::string_view name_of(Place place) {
  switch (place) {
    case kTcpConnection:
      return "tcp-request connection";
    case kTcpSession:
      return "tcp-request session";
    case kTcpRequestContent:
      return "tcp-request content";
    case kTcpResponseContent:
      return "tcp-response content";
    case kHttpRequest:
      return "http-request";
    case kHttpResponse:
      return "http-response";
    case kHttpAfterResponse:
      return "http-after-response";
    case kQuicInitial:
      return "quic-initial";
  }
  return "";
}

namespace {

bool is(const ActionRow& row, std::string_view word, Place place) {
  if (!(row.places & place)) return false;
  if (!row.prefix) return row.name == word;
  // "set-var" is written "set-var(…)"; "lua." and "track-sc" go on at once.
  if (!word.starts_with(row.name)) return false;
  std::string_view rest = word.substr(row.name.size());
  return row.name.ends_with('.') || row.name == "track-sc" || rest.empty() || rest[0] == '(';
}

}  // namespace

const ActionRow& Catalogue::add(ActionRow row) {
  row.name = names_.emplace_back(row.name);
  return own_.emplace_back(row);
}

const ServiceRow& Catalogue::add(ServiceRow row) {
  row.name = names_.emplace_back(row.name);
  return services_.emplace_back(row);
}

const FilterRow& Catalogue::add(FilterRow row) {
  row.name = names_.emplace_back(row.name);
  return filters_.emplace_back(row);
}

const FilterRow* Catalogue::find_filter(std::string_view name) const {
  for (const FilterRow& row : filters_)
    if (row.name == name) return &row;
  return nullptr;
}

const ServiceRow* Catalogue::find_service(std::string_view name, bool http) const {
  for (const ServiceRow& row : services_)
    if (row.name == name && row.http == http) return &row;
  return nullptr;
}

std::vector<const ServiceRow*> Catalogue::all_services() const {
  std::vector<const ServiceRow*> rows;
  for (const ServiceRow& row : services_) rows.push_back(&row);
  return rows;
}

const ActionRow* Catalogue::find(std::string_view word, Place place) const {
  for (std::span<const ActionRow> table : tables_)
    for (const ActionRow& row : table)
      if (is(row, word, place)) return &row;
  for (const ActionRow& row : own_)
    if (is(row, word, place)) return &row;
  return nullptr;
}

std::string_view Catalogue::nearest(std::string_view word, Place place) const {
  std::vector<std::string_view> names;
  for (const ActionRow* row : all())
    if (row->places & place) names.push_back(row->name);
  return base::nearest(word.substr(0, word.find('(')), names.data(), names.size());
}

std::vector<const ActionRow*> Catalogue::all() const {
  std::vector<const ActionRow*> rows;
  for (std::span<const ActionRow> table : tables_)
    for (const ActionRow& row : table) rows.push_back(&row);
  for (const ActionRow& row : own_) rows.push_back(&row);
  return rows;
}

void add_builtin(Catalogue& catalogue) {
  action::add_tables(catalogue);
  catalogue.add(trace_filter());
}

}  // namespace rules
