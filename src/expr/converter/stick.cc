// Look-ups in stick tables by the sample: in_table, table_* (manual section 7.3.1).
#include "expr/stick.h"

#include <fmt/format.h>

#include <deque>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

// Null in the global section, where no table is known yet.
state::StickTable* table_or_none(Args args, std::size_t i) {
  return has(args, i) ? args[i].table() : nullptr;
}

bool in_table(Args args, Context& context, Value& value, const ConverterRow&) {
  state::StickTable* table = table_or_none(args, 0);
  std::string_view key;
  if (table == nullptr) return false;
  return give_bool(value, stick_key(context, value, *table, key) &&
                              table->look(key, state::stick_clock_ms(), [](const auto&) {}));
}

bool table_measure(Args args, Context& context, Value& value, const ConverterRow& row) {
  const auto& what = *static_cast<const StickMeasure*>(row.data);
  state::StickTable* table = table_or_none(args, what.indexed ? 1 : 0);
  const unsigned index = what.indexed ? static_cast<unsigned>(args[0].integer()) : 0;
  std::string_view key;
  if (table == nullptr) return false;
  if (!stick_key(context, value, *table, key)) return give(value, 0);
  return measure(*table, key, what, index, value);
}

// Something else that an entry knows of itself; `otherwise` where there is none.
template <class F>
bool of_entry(Args args, Context& context, Value& value, F look, const Argument* otherwise) {
  state::StickTable* table = table_or_none(args, 0);
  std::string_view key;
  std::optional<std::int64_t> number;
  const std::int64_t now = state::stick_clock_ms();
  bool found = table != nullptr && stick_key(context, value, *table, key) &&
               table->look(key, now, [&](const state::StickRow& row) { number = look(row, now); });
  if (!found && otherwise != nullptr && otherwise->present()) number = otherwise->integer();
  return number && give(value, *number);
}

constexpr Argument kZero{std::int64_t{0}};
const Argument* second(Args args) { return args.size() > 1 ? &args[1] : nullptr; }

bool table_expire(Args args, Context& context, Value& value, const ConverterRow&) {
  auto look = [](const state::StickRow& row, std::int64_t now) { return row.expires_in(now); };
  return of_entry(args, context, value, look, second(args));
}
bool table_idle(Args args, Context& context, Value& value, const ConverterRow&) {
  auto look = [](const state::StickRow& row, std::int64_t now) { return row.idle(now); };
  return of_entry(args, context, value, look, second(args));
}
bool table_trackers(Args args, Context& context, Value& value, const ConverterRow&) {
  auto look = [](const state::StickRow& row, std::int64_t) {
    return std::int64_t{row.references()};
  };
  return of_entry(args, context, value, look, &kZero);
}
bool table_server_id(Args args, Context& context, Value& value, const ConverterRow&) {
  auto look = [](const state::StickRow& row, std::int64_t now) -> std::optional<std::int64_t> {
    auto id = row.get(state::StickData::server_id, 0, now);
    return id ? std::optional(static_cast<std::int64_t>(*id)) : std::nullopt;
  };
  return of_entry(args, context, value, look, &kZero);
}

struct Rows {
  std::vector<ConverterRow> rows;
  std::deque<std::string> texts;

  Rows() {
    for (const StickMeasure& m : stick_measures()) {
      ConverterRow& row = rows.emplace_back();
      row.name = texts.emplace_back(fmt::format("table_{}", m.by_key));
      row.arguments = m.indexed ? "iT" : "T";
      row.doc = texts.emplace_back(fmt::format("The {} of the sample's entry in a table.", m.what));
      row.out = Type::integer;
      row.convert = table_measure;
      row.data = const_cast<StickMeasure*>(&m);
    }
    rows.push_back({{"in_table", "T", "Whether a table has an entry for the sample."},
                    Type::any,
                    Type::boolean,
                    in_table});
    rows.push_back({{"table_expire", "T[i", "When the sample's entry in a table expires."},
                    Type::any,
                    Type::integer,
                    table_expire});
    rows.push_back({{"table_idle", "T[i", "How long nothing touched the sample's entry."},
                    Type::any,
                    Type::integer,
                    table_idle});
    rows.push_back({{"table_server_id", "T", "The server that the sample's entry sticks to."},
                    Type::any,
                    Type::integer,
                    table_server_id});
    rows.push_back({{"table_trackers", "T", "How many track the sample's entry."},
                    Type::any,
                    Type::integer,
                    table_trackers});
  }
};

}  // namespace

std::span<const ConverterRow> stick_converters() {
  static const Rows rows;
  return rows.rows;
}

}  // namespace expr::converter
