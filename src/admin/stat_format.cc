#include <fmt/format.h>

#include <iterator>

#include "admin/stat_table.h"

namespace admin {
namespace {

constexpr std::array<ColumnInfo, kColumns> kInfos = {{
#define COLUMN(name, tag, type, doc) {#name, tag, doc, FieldType::type},
#include "admin/stat_columns.inc"
#undef COLUMN
}};

std::string_view tag_of(Column column, RowKind kind) {
  // Of a server these two are a state, of a backend a count.
  if (kind == RowKind::server && (column == Column::act || column == Column::bck)) return "SGPV";
  return info_of(column).tag;
}

char letter_of(RowKind kind) { return "FBSL"[static_cast<int>(kind)]; }

std::string_view word_of(RowKind kind) {
  constexpr std::string_view kWords[] = {"Frontend", "Backend", "Server", "Listener"};
  return kWords[static_cast<int>(kind)];
}

std::int64_t object_id(const StatRow& row) { return row[Column::sid].number; }

template <class F>
void each_present(const StatRow& row, F f) {
  for (std::size_t i = 0; i < kColumns; ++i)
    if (row.fields[i].present()) f(i, static_cast<Column>(i), row.fields[i]);
}

}  // namespace

const ColumnInfo& info_of(Column column) { return kInfos[static_cast<std::size_t>(column)]; }

std::string csv(const std::vector<StatRow>& rows) {
  std::string out = "# ";
  for (const ColumnInfo& info : kInfos) {
    out.append(info.name);
    out.push_back(',');
  }
  // A column "-" ends those that stand in a fixed order.
  out.append("-,\n");
  for (const StatRow& row : rows) {
    for (const Field& field : row.fields) {
      append_csv(out, field);
      out.push_back(',');
    }
    out.append("-,\n");
  }
  return out;
}

std::string typed(const std::vector<StatRow>& rows, bool with_docs) {
  std::string out;
  for (const StatRow& row : rows) {
    each_present(row, [&](std::size_t position, Column column, const Field& field) {
      fmt::format_to(std::back_inserter(out), "{}.{}.{}.{}.{}.1:", letter_of(row.kind),
                     row.proxy->id, object_id(row), position, info_of(column).name);
      append_typed(out, tag_of(column, row.kind), field);
      if (with_docs) fmt::format_to(std::back_inserter(out), ":\"{}\"", info_of(column).doc);
      out.push_back('\n');
    });
  }
  return out;
}

std::string json(const std::vector<StatRow>& rows, bool with_docs) {
  std::string out = "[";
  for (const StatRow& row : rows) {
    if (out.size() > 1) out.push_back(',');
    out.push_back('[');
    bool first = true;
    each_present(row, [&](std::size_t position, Column column, const Field& field) {
      if (!std::exchange(first, false)) out.push_back(',');
      fmt::format_to(std::back_inserter(out),
                     "{{\"objType\":\"{}\",\"proxyId\":{},\"id\":{},\"field\":{{\"pos\":{},"
                     "\"name\":\"{}\"}},\"processNum\":1,\"tags\":",
                     word_of(row.kind), row.proxy->id, object_id(row), position,
                     info_of(column).name);
      append_json_tags(out, tag_of(column, row.kind));
      if (with_docs)
        fmt::format_to(std::back_inserter(out), ",\"desc\":\"{}\"", info_of(column).doc);
      out.append(",\"value\":");
      append_json(out, field);
      out.push_back('}');
    });
    out.push_back(']');
  }
  out.append("]\n");
  return out;
}

}  // namespace admin
