// The statistics of all proxies, listeners and servers as rows of about 120 columns (management
// manual, section 9.1), and their printed forms. Shared by "show stat" and the statistics page.
// Rows are made anew for each question from state/; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/field.h"
#include "state/registry.h"

namespace admin {

enum class Column : std::uint8_t {
#define COLUMN(name, tag, type, doc) name,
#include "admin/stat_columns.inc"
#undef COLUMN
  count_
};
inline constexpr std::size_t kColumns = static_cast<std::size_t>(Column::count_);

struct ColumnInfo {
  std::string_view name, tag, doc;
  FieldType type;
};
const ColumnInfo& info_of(Column column);

enum class RowKind : std::uint8_t { frontend = 0, backend = 1, server = 2, listener = 3 };

struct StatRow {
  RowKind kind = RowKind::frontend;
  const state::Proxy* proxy = nullptr;
  const state::Server* server = nullptr;           // of a server's row
  const state::ListenerState* listener = nullptr;  // of a listener's row
  std::array<Field, kColumns> fields;

  Field& operator[](Column c) { return fields[static_cast<std::size_t>(c)]; }
  const Field& operator[](Column c) const { return fields[static_cast<std::size_t>(c)]; }
  void set(Column c, std::uint64_t number);
  void set(Column c, std::string_view text);
};

// Facts that live above state/.
struct ProxyFacts {
  std::string cookie_name;
  bool socket_stats = false;     // "option socket-stats": listeners have rows
  std::uint32_t rate_limit = 0;  // rate-limit sessions
};

struct StatQuery {
  // Which rows: all when `proxy` is null and `proxy_id` -1.
  std::vector<std::string> scopes;  // names of proxies, empty: all
  std::string name_part;            // proxies whose name holds it
  std::int64_t proxy_id = -1;
  unsigned kinds = ~0u;  // 1 frontends, 2 backends, 4 servers, 8 listeners
  std::int64_t server_id = -1;
  bool up = false, no_maint = false;
  bool legends = true;  // address, cookie and algorithm columns
  std::function<ProxyFacts(const state::Proxy&)> facts;
};

// In the order of the configuration; a proxy's rows are frontend, listeners, servers, backend.
std::vector<StatRow> stat_rows(const state::Registry& registry, const StatQuery& query);

std::string csv(const std::vector<StatRow>& rows);
std::string typed(const std::vector<StatRow>& rows, bool with_docs);
std::string json(const std::vector<StatRow>& rows, bool with_docs);
std::string stat_schema();

}  // namespace admin
