// What fetches (sc_*, src_*), converters (table_*) and actions have in common about stick tables:
// keys from samples, and one list of what can be asked of an entry, from which all their rows are
// made.
#pragma once

#include <span>
#include <string_view>

#include "expr/keyword.h"
#include "state/stick_table.h"

namespace expr {

enum class StickAct : std::uint8_t { read, read_kilobytes, increase, clear };

struct StickMeasure {
  std::string_view name;    // behind "sc_", "sc0_" and "src_": "get_gpc0"
  std::string_view by_key;  // behind "table_": "gpc0"
  std::string_view what;    // for the rows' sentences: "first general purpose counter"
  StickAct act;
  bool indexed;  // the first argument is a place in an array
  state::StickData data;
  state::StickData rate = state::StickData::count_;  // goes up with `data`
};
std::span<const StickMeasure> stick_measures();

// The bytes by which `table` knows the sample; false when its type cannot become the table's.
bool stick_key(Context& context, Value sample, const state::StickTable& table,
               std::string_view& key);

// Of an entry that stands for itself. False where the table does not store it, except that what
// cannot be increased stays 0.
bool measure(const state::StickRow& row, const StickMeasure& what, unsigned index, Value& out);
// Of the entry with that key: 0 where there is none; one is made to be increased or cleared.
bool measure(state::StickTable& table, std::string_view key, const StickMeasure& what,
             unsigned index, Value& out);

}  // namespace expr
