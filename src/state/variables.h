// Named values of one scope (process, session, transaction, request, response, check). Names are
// numbers after parsing; a scope holds few, so it is searched in line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/value.h"

namespace state {

enum class Scope : std::uint8_t { process, session, transaction, request, response, check };

// A variable as the configuration names it: "txn.user" is {transaction, id of "user"}.
struct VariableName {
  Scope scope = Scope::transaction;
  std::uint32_t id =
      0;  // 0: never set (psess, ptxn, preq and pres, where there is no parent stream)
};

// Interns names for the whole process; any thread (locks on unknown names only).
std::uint32_t variable_id(std::string_view name);
// Whether somebody has named it, without making it known.
bool is_known_variable(std::string_view name);
std::string_view variable_text(std::uint32_t id);
// "txn.user"; nothing when the scope is unknown or the name has characters other than A-Za-z0-9_.-
std::optional<VariableName> parse_variable(std::string_view text);
// Why parse_variable() gave nothing.
std::string variable_error(std::string_view text);
std::string_view name_of(Scope scope);  // "txn"

class Variables {
 public:
  const OwnedValue* get(std::uint32_t id) const;
  void set(std::uint32_t id, const Value& value);
  bool unset(std::uint32_t id);
  void clear() { entries_.clear(); }
  bool empty() const { return entries_.empty(); }

  struct Entry {
    std::uint32_t id;
    OwnedValue value;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace state
