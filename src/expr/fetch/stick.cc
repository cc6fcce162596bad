// Samples of stick tables: sc_*, sc0_* to sc2_* of what is tracked, src_* of the client's address,
// table_* of a table as a whole (manual sections 7.3.2 and 7.3.3).
#include "expr/stick.h"

#include <fmt/format.h>

#include <deque>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "txn/tracking.h"

namespace expr::fetch {
namespace {

constexpr int kFromArgument = -1;

// What a row asks: of which tracked number, unless that is an argument.
struct Asked {
  const StickMeasure* measure = nullptr;
  int number = kFromArgument;
};
const Asked& asked(const FetchRow& row) { return *static_cast<const Asked*>(row.data); }

// Null where none was named, and in the global section, where none is known yet.
state::StickTable* table_or_none(Args args, std::size_t i) {
  return has(args, i) ? args[i].table() : nullptr;
}

// The arguments of the sc_ family: [index,] [number,] [table].
struct Tracked {
  const state::StickRef* entry = nullptr;
  state::StickTable* other = nullptr;  // the same key there is meant
  unsigned index = 0;
};
Tracked tracked(Args args, Context& context, const FetchRow& row, bool indexed) {
  Tracked t;
  std::size_t at = 0;
  if (indexed) t.index = static_cast<unsigned>(args[at++].integer());
  std::int64_t number = asked(row).number;
  if (number == kFromArgument) number = args[at++].integer();
  t.other = table_or_none(args, at);
  if (number < 0 || number > UINT32_MAX) return t;
  t.entry = txn::tracked(context.session, context.exchange, static_cast<unsigned>(number));
  if (t.entry != nullptr && t.other == &t.entry->table()) t.other = nullptr;
  return t;
}

bool key_in(const Tracked& t, Context& context, std::string_view& key) {
  if (t.other->settings().key != t.entry->table().settings().key) return false;
  return stick_key(context, t.entry->key(), *t.other, key);
}

bool sc(Args args, Context& context, Value& out, const FetchRow& row) {
  const StickMeasure& what = *asked(row).measure;
  const Tracked t = tracked(args, context, row, what.indexed);
  if (t.entry == nullptr) return false;
  if (t.other == nullptr) return measure(*t.entry, what, t.index, out);
  std::string_view key;
  return key_in(t, context, key) && measure(*t.other, key, what, t.index, out);
}

bool sc_key(Args args, Context& context, Value& out, const FetchRow& row) {
  const Tracked t = tracked(args, context, row, false);
  if (t.entry == nullptr) return false;
  out = t.entry->key();
  return true;
}

bool sc_tracked(Args args, Context& context, Value& out, const FetchRow& row) {
  const Tracked t = tracked(args, context, row, false);
  if (t.entry == nullptr || t.other == nullptr) return give_bool(out, t.entry != nullptr);
  std::string_view key;
  return give_bool(out, key_in(t, context, key) &&
                            t.other->look(key, state::stick_clock_ms(), [](const auto&) {}));
}

bool sc_trackers(Args args, Context& context, Value& out, const FetchRow& row) {
  const Tracked t = tracked(args, context, row, false);
  if (t.entry == nullptr) return false;
  if (t.other == nullptr) return give(out, t.entry->references());
  std::string_view key;
  if (!key_in(t, context, key)) return false;
  std::int64_t trackers = 0;
  t.other->look(key, state::stick_clock_ms(),
                [&](const state::StickRow& found) { trackers = found.references(); });
  return give(out, trackers);
}

bool source_key(Context& context, const state::StickTable& table, std::string_view& key) {
  if (context.session == nullptr) return false;
  const Value source = Value::of(context.session->source.ip());
  return source && stick_key(context, source, table, key);
}

bool src(Args args, Context& context, Value& out, const FetchRow& row) {
  const StickMeasure& what = *asked(row).measure;
  state::StickTable* table = table_or_none(args, what.indexed ? 1 : 0);
  const unsigned index = what.indexed ? static_cast<unsigned>(args[0].integer()) : 0;
  std::string_view key;
  return table != nullptr && source_key(context, *table, key) &&
         measure(*table, key, what, index, out);
}

bool src_updt_conn_cnt(Args args, Context& context, Value& out, const FetchRow&) {
  state::StickTable* table = table_or_none(args, 0);
  std::string_view key;
  if (table == nullptr || table->settings().column(state::StickData::conn_cnt).elements == 0 ||
      !source_key(context, *table, key))
    return false;
  const std::int64_t now = state::stick_clock_ms();
  const state::StickRef entry = table->open(key, now);
  if (!entry) return false;
  constexpr auto kCount = state::StickData::conn_cnt;  // alone: it is no connection that is tracked
  const auto count = entry.increase(kCount, kCount, 0, 1, now);
  return count && give(out, static_cast<std::int64_t>(*count));
}

bool table_avl(Args args, Context&, Value& out, const FetchRow&) {
  const state::StickTable* table = table_or_none(args, 0);
  return table != nullptr && give(out, std::int64_t{table->settings().size} - table->used());
}
bool table_cnt(Args args, Context&, Value& out, const FetchRow&) {
  const state::StickTable* table = table_or_none(args, 0);
  return table != nullptr && give(out, table->used());
}

struct Rows {
  std::vector<FetchRow> rows;
  std::deque<std::string> texts;
  std::deque<Asked> asked;

  void add(std::string name, std::string_view arguments, std::string doc, Type out,
           std::uint32_t where, FetchFunction fetch, Asked what) {
    FetchRow& row = rows.emplace_back();
    row.name = texts.emplace_back(std::move(name));
    row.arguments = arguments;
    row.doc = texts.emplace_back(std::move(doc));
    row.out = out;
    row.where = where;
    row.fetch = fetch;
    row.data = &asked.emplace_back(what);
  }

  // The same under "sc_" and, with the number in the name, under "sc0_" to "sc2_".
  void add_numbered(std::string_view name, bool takes_table, std::string_view what, Type out,
                    std::uint32_t where, FetchFunction fetch, const StickMeasure* measure) {
    const bool indexed = measure != nullptr && measure->indexed;
    std::string_view of_any = indexed ? "ii[T" : takes_table ? "i[T" : "i";
    std::string doc = fmt::format("The {} of a tracked entry.", what);
    add(fmt::format("sc_{}", name), of_any, doc, out, where, fetch, {measure, kFromArgument});
    for (int n = 0; n < 3; ++n) {
      // Arrays came when numbers were arguments already, but for one name that scripts may know.
      if (indexed && !(n == 1 && name == "clr_gpc")) continue;
      std::string_view of_one = indexed ? "i[T" : takes_table ? "[T" : "";
      add(fmt::format("sc{}_{}", n, name), of_one,
          fmt::format("The {} of the entry tracked by number {}.", what, n), out, where, fetch,
          {measure, n});
    }
  }

  Rows() {
    for (const StickMeasure& m : stick_measures()) {
      const std::uint32_t where = m.act == StickAct::read_kilobytes ? kClientL4 : kInternal;
      add_numbered(m.name, true, m.what, Type::integer, where, sc, &m);
      add(fmt::format("src_{}", m.name), m.indexed ? "iT" : "T",
          fmt::format("The {} of the client's address in a table.", m.what), Type::integer,
          kClientL4, src, {&m});
    }
    add_numbered("key", false, "key", Type::any, kInternal, sc_key, nullptr);
    add_numbered("tracked", true, "presence", Type::boolean, kInternal, sc_tracked, nullptr);
    add_numbered("trackers", true, "number of trackers", Type::integer, kInternal, sc_trackers,
                 nullptr);
    add("src_updt_conn_cnt", "T",
        "The number of connections of the client's address in a table, with one more counted now.",
        Type::integer, kClientL4, src_updt_conn_cnt, {});
    add("table_avl", "T", "How many entries a table has room for.", Type::integer, kInternal,
        table_avl, {});
    add("table_cnt", "T", "How many entries a table has.", Type::integer, kInternal, table_cnt, {});
  }
};

}  // namespace

std::span<const FetchRow> stick_fetches() {
  static const Rows rows;
  return rows.rows;
}

}  // namespace expr::fetch
