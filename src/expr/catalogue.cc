#include <algorithm>

#include "expr/keyword.h"

namespace expr {
namespace {

template <class Row>
const Row* find_in(const std::vector<std::span<const Row>>& tables, std::string_view name) {
  for (std::span<const Row> table : tables)
    if (const Row* row = config::find(table, name)) return row;
  return nullptr;
}

template <class Row>
const Row* find_own(const std::deque<Row>& own, std::string_view name) {
  for (const Row& row : own)
    if (row.name == name) return &row;
  return nullptr;
}

template <class Row>
std::vector<const Row*> all_of(const std::vector<std::span<const Row>>& tables) {
  std::vector<const Row*> rows;
  for (std::span<const Row> table : tables)
    for (const Row& row : table) rows.push_back(&row);
  return rows;
}

template <class Row>
void sort_by_name(std::vector<const Row*>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Row* a, const Row* b) { return a->name < b->name; });
}

template <class Row>
std::string_view nearest_of(const std::vector<const Row*>& rows, std::string_view word) {
  std::vector<std::string_view> names;
  names.reserve(rows.size());
  for (const Row* row : rows) names.push_back(row->name);
  return base::nearest(word, names.data(), names.size());
}

}  // namespace

const FetchRow& Catalogue::add(FetchRow row) {
  row.name = names_.emplace_back(row.name);
  return own_fetches_.emplace_back(row);
}

const ConverterRow& Catalogue::add(ConverterRow row) {
  row.name = names_.emplace_back(row.name);
  return own_converters_.emplace_back(row);
}

const FetchRow* Catalogue::fetch(std::string_view name) const {
  const FetchRow* row = find_in(fetches_, name);
  return row != nullptr ? row : find_own(own_fetches_, name);
}

const ConverterRow* Catalogue::converter(std::string_view name) const {
  const ConverterRow* row = find_in(converters_, name);
  return row != nullptr ? row : find_own(own_converters_, name);
}

const AclRow* Catalogue::acl(std::string_view name) const { return find_in(acls_, name); }

std::vector<const FetchRow*> Catalogue::all_fetches() const {
  auto rows = all_of(fetches_);
  for (const FetchRow& row : own_fetches_) rows.push_back(&row);
  sort_by_name(rows);
  return rows;
}

std::vector<const ConverterRow*> Catalogue::all_converters() const {
  auto rows = all_of(converters_);
  for (const ConverterRow& row : own_converters_) rows.push_back(&row);
  sort_by_name(rows);
  return rows;
}

std::vector<const AclRow*> Catalogue::all_acls() const {
  auto rows = all_of(acls_);
  sort_by_name(rows);
  return rows;
}

std::string_view Catalogue::nearest_fetch(std::string_view word) const {
  return nearest_of(all_fetches(), word);
}
std::string_view Catalogue::nearest_converter(std::string_view word) const {
  return nearest_of(all_converters(), word);
}

}  // namespace expr
