// A keyword is a row of data with its one line of documentation. Each room has tables of its own
// row type, all beginning with these fields; -dK, the reference pages, completion and "did you
// mean" read them.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace config {

struct Keyword {
  std::string_view name;       // "set-header"; a trailing '*' or '(' marks a prefix match as in -dK
  std::string_view arguments;  // "<name> <fmt>", as the manual writes it
  std::string_view doc;        // one sentence
};

// Row types derive from Keyword.
template <class Row>
const Row* find(std::span<const Row> table, std::string_view name) {
  for (const Row& row : table)
    if (row.name == name) return &row;
  return nullptr;
}

template <class Row>
std::string_view nearest(std::span<const Row> table, std::string_view word) {
  std::vector<std::string_view> names;
  for (const Row& row : table) names.push_back(row.name);
  return base::nearest(word, names.data(), names.size());
}

}  // namespace config
