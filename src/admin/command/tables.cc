// Stick tables: show, set, clear (management guide, section 9.3).
#include <fmt/format.h>

#include <algorithm>

#include "admin/command/families.h"
#include "base/text.h"
#include "expr/stick.h"
#include "state/registry.h"
#include "state/stick_filter.h"

namespace admin {
namespace {

using state::StickData;

// Blanks and what separates fields are escaped, bytes that cannot be shown as \xHH.
void append_escaped(std::string_view text, std::string& out) {
  for (char c : text) {
    switch (c) {
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\033':
        out += "\\e";
        break;
      case '\\':
      case ' ':
      case '=':
        out += '\\';
        out += c;
        break;
      default:
        if (c > ' ' && c < 127)
          out += c;
        else
          out += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    }
  }
}

void append_key(const state::StickRow& row, std::string& out) {
  const state::Value key = row.key();
  switch (key.type) {
    case state::Type::ipv4:
      out += net::Ip::from(key.v4).text();
      break;
    case state::Type::ipv6:
      out += net::Ip::from(key.v6).text();
      break;
    case state::Type::integer:
      out += std::to_string(key.integer);
      break;
    case state::Type::binary:
      for (char c : key.text) out += fmt::format("{:02X}", static_cast<unsigned char>(c));
      break;
    default:
      append_escaped(key.text, out);
  }
}

// " gpc0=1" or, of an array, " gpc0=1 gpc1=0".
void append_column(const state::StickRow& row, StickData data, const state::StickColumn& column,
                   std::int64_t now, std::string& out) {
  const state::StickDataInfo& info = state::info_of(data);
  const bool rate = info.kind == state::StickKind::rate;
  const std::string_view stem = rate && info.is_array ? "gpc" : info.name;
  for (std::uint32_t i = 0; i < column.elements; ++i) {
    out += ' ';
    out += stem;
    if (info.is_array) out += std::to_string(i);
    if (rate && info.is_array) out += "_rate";
    if (rate) out += fmt::format("({})", column.period_ms);
    if (info.kind == state::StickKind::text) {
      const std::string_view text = row.server_key();
      out += text.empty() ? std::string("=-") : fmt::format("={}", text);
    } else {
      out += fmt::format("={}", row.get(data, i, now).value_or(0));
    }
  }
}

void append_entry(const state::StickRow& row, std::int64_t now, std::string& out) {
  out += fmt::format("{}: key=", row.address());
  append_key(row, out);
  out += fmt::format(" use={} exp={} shard=0", row.references(), row.expires_in(now));
  const auto& columns = row.table().settings().columns;
  for (std::size_t i = 0; i < columns.size(); ++i)
    append_column(row, static_cast<StickData>(i), columns[i], now, out);
  out += '\n';
}

std::string heading(const state::StickTable& table) {
  const state::StickSettings& settings = table.settings();
  return fmt::format("# table: {}, type: {}, size:{}, used:{}\n", settings.name,
                     state::key_type_name(settings.key), settings.size, table.used());
}

// --- which entries ------------------------------------------------------------------------------

struct Selection {
  enum class Kind : std::uint8_t { all, filter, key, pointer } kind = Kind::all;
  std::vector<state::StickFilter> filters;
  std::string key;
  std::uintptr_t pointer = 0;

  bool holds(const state::StickRow& row, std::int64_t now) const {
    if (kind == Kind::pointer) return reinterpret_cast<std::uintptr_t>(row.address()) == pointer;
    return std::all_of(filters.begin(), filters.end(),
                       [&](const state::StickFilter& filter) { return filter.holds(row, now); });
  }
};

// A name with a place in an array: "gpt[1]".
bool parse_data(std::string_view text, StickData& data, unsigned& index) {
  const std::size_t open = text.find('[');
  auto known = state::find_stick_data(text.substr(0, open));
  if (!known) return false;
  data = *known;
  index = 0;
  if (open == text.npos) return true;
  auto number = text.ends_with(']')
                    ? base::parse_int<unsigned>(text.substr(open + 1, text.size() - open - 2))
                    : std::nullopt;
  if (!number || !state::info_of(data).is_array) return false;
  index = *number;
  return true;
}

bool take_filters(Call& call, const state::StickTable& table, Selection& selection) {
  std::size_t at = 1;
  const auto refuse = [&](std::string_view text) {
    call.error(fmt::format("Filter entry #{}: {}", selection.filters.size() + 1, text));
    return false;
  };
  while (call.arg(at).starts_with("data.")) {
    if (selection.filters.size() == state::kMostStickFilters) break;
    state::StickFilter filter;
    if (!parse_data(call.arg(at).substr(5), filter.data, filter.index))
      return refuse("Unknown data type");
    if (table.settings().column(filter.data).elements == 0)
      return refuse("Data type not stored in this table");
    auto comparison = state::find_stick_comparison(call.arg(at + 1));
    if (!comparison)
      return refuse("Require and operator among \"eq\", \"ne\", \"le\", \"ge\", \"lt\", \"gt\"");
    auto number = base::parse_int<std::int64_t>(call.arg(at + 2));
    if (!number) return refuse("Require a valid integer value to compare against");
    filter.comparison = *comparison;
    filter.number = *number;
    selection.filters.push_back(filter);
    at += 3;
  }
  if (call.arg(at).empty()) return true;
  call.error(fmt::format("Detected extra data in filter, {}{} word of input, after '{}'", at + 3,
                         "th", call.arg(at - 1)));
  return false;
}

bool take_key(Call& call, const state::StickTable& table, std::string& key) {
  const std::string_view word = call.arg(2);
  if (word.empty()) {
    call.error("Key value expected");
    return false;
  }
  base::Arena arena;
  expr::Context context{call.env.registry, arena};
  std::string_view bytes;
  state::Value sample = state::Value::str(word);
  if (table.settings().key == state::Type::integer) {
    // As much of the word as is a number.
    std::size_t digits = 0;
    while (digits < word.size() && base::is_digit(word[digits])) ++digits;
    sample = state::Value::of(base::parse_int<std::int64_t>(word.substr(0, digits)).value_or(0));
  } else if (table.settings().key == state::Type::ipv6) {
    sample = state::Value::of(net::Ip::parse(word));
  }
  if (!sample || !expr::stick_key(context, sample, table, bytes)) {
    call.error("Invalid key");
    return false;
  }
  key = bytes;
  return true;
}

bool take_pointer(Call& call, std::uintptr_t& pointer) {
  const std::string_view word = call.arg(2);
  auto number =
      word.starts_with("0x") ? base::parse_int<std::uintptr_t>(word.substr(2), 16) : std::nullopt;
  if (!number) call.error("Pointer expected (0xffff notation)");
  pointer = number.value_or(0);
  return number.has_value();
}

// False with the refusal printed.
bool select(Call& call, const state::StickTable& table, Selection& selection,
            std::string_view usage) {
  const std::string_view word = call.arg(1);
  if (word.empty()) return true;
  if (word == "key") {
    selection.kind = Selection::Kind::key;
    return take_key(call, table, selection.key);
  }
  if (word == "ptr") {
    selection.kind = Selection::Kind::pointer;
    return take_pointer(call, selection.pointer);
  }
  if (word.starts_with("data.")) {
    selection.kind = Selection::Kind::filter;
    return take_filters(call, table, selection);
  }
  call.error(usage);
  return false;
}

state::StickTable* find_table(Call& call) {
  state::StickTable* table = call.env.registry.tables().find(call.arg(0));
  if (table == nullptr) call.error("No such table");
  return table;
}

// --- commands
// -------------------------------------------------------------------------------------

void show(Call& call) {
  const std::int64_t now = state::stick_clock_ms();
  if (call.args.empty()) {
    std::string out;
    const auto& tables = call.env.registry.tables().all();
    for (auto table = tables.rbegin(); table != tables.rend(); ++table) {
      (*table)->sweep(now);
      out += heading(**table);
    }
    call.print(out);
    return;
  }
  state::StickTable* table = find_table(call);
  Selection selection;
  if (table == nullptr ||
      !select(
          call, *table, selection,
          "Optional argument only supports \"data.<store_data_type>\" <operator> <value> or key "
          "<key> or ptr <ptr>"))
    return;
  table->sweep(now);
  std::string out = heading(*table);
  if (selection.kind == Selection::Kind::key) {
    if (table->look(selection.key, now,
                    [&](const state::StickRow& row) { append_entry(row, now, out); }))
      call.print(out);
    return;
  }
  bool found = false;
  std::uint64_t place = 0;
  const auto visit = [&](const state::StickRow& row) {
    if (selection.holds(row, now)) {
      found = true;
      append_entry(row, now, out);
    }
    return false;
  };
  for (bool more = true; more;) {
    more = table->scan(place, now, visit);
    if (selection.kind == Selection::Kind::pointer || out.size() < 8192) continue;
    if (!call.print(out)) return;
    out.clear();
  }
  if (selection.kind == Selection::Kind::pointer && !found)
    return call.error("No entry can be found matching ptr.");
  call.print(out);
}

// The key of the entry at that address, or nothing.
std::optional<std::string> key_at(state::StickTable& table, const Selection& selection) {
  std::optional<std::string> key;
  const std::int64_t now = state::stick_clock_ms();
  std::uint64_t place = 0;
  const auto visit = [&](const state::StickRow& row) {
    if (selection.holds(row, now)) key = row.key_bytes();
    return false;
  };
  while (!key && table.scan(place, now, visit)) {
  }
  return key;
}

void clear(Call& call) {
  constexpr std::string_view kUsage =
      "Required arguments: <table> \"data.<store_data_type>\" <operator> <value> or <table> key "
      "<key> or <table> ptr <ptr>";
  if (call.args.empty()) return call.error(kUsage);
  state::StickTable* table = find_table(call);
  Selection selection;
  if (table == nullptr || !select(call, *table, selection, kUsage)) return;
  if (selection.kind == Selection::Kind::pointer) {
    auto key = key_at(*table, selection);
    if (!key) return call.error("No entry can be found matching ptr.");
    selection.key = std::move(*key);
  }
  if (selection.kind == Selection::Kind::key || selection.kind == Selection::Kind::pointer) {
    if (table->remove(selection.key) == state::StickTable::Removal::tracked)
      call.error("Entry currently in use, cannot remove");
    return;
  }
  const std::int64_t now = state::stick_clock_ms();
  std::uint64_t place = 0;
  while (table->scan(place, now,
                     [&](const state::StickRow& row) { return selection.holds(row, now); })) {
  }
}

// "data.gpc0 1 data.gpt[2] 3" on the entry; false with the refusal printed.
bool assign(Call& call, const state::StickRow& row, std::int64_t now) {
  for (std::size_t at = 3; at < call.args.size(); at += 2) {
    const auto refuse = [&call](std::string_view text) {
      call.error(text);
      return false;
    };
    if (!call.arg(at).starts_with("data."))
      return refuse("\"data.<type>\" followed by a value expected");
    StickData data;
    unsigned index = 0;
    if (!parse_data(call.arg(at).substr(5), data, index)) return refuse("Unknown data type");
    const state::StickColumn& column = row.table().settings().column(data);
    if (column.elements == 0) return refuse("Data type not stored in this table");
    if (index >= column.elements) return refuse("index out of range in this data array");
    auto number = base::parse_int<std::int64_t>(call.arg(at + 1));
    if (!number || state::info_of(data).kind == state::StickKind::text)
      return refuse("Require a valid integer value to store");
    row.set(data, index, static_cast<std::uint64_t>(*number), now);
  }
  return true;
}

void set(Call& call) {
  constexpr std::string_view kUsage =
      "Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr "
      "<ptr> [data.<store_data_type> <value>]*";
  if (call.args.empty()) return call.error(kUsage);
  state::StickTable* table = find_table(call);
  if (table == nullptr) return;
  if (call.arg(1).empty()) return;
  Selection selection;
  if (call.arg(1) != "key" && call.arg(1) != "ptr") return call.error(kUsage);
  if (!select(call, *table, selection, kUsage)) return;
  const std::int64_t now = state::stick_clock_ms();
  if (selection.kind == Selection::Kind::pointer) {
    auto key = key_at(*table, selection);
    if (!key) return call.error("No entry can be found matching ptr.");
    selection.key = std::move(*key);
  } else if (table->settings().key == state::Type::binary) {
    return call.error(
        "Inserting keys into tables of type other than ip, ipv6, string and integer is not "
        "supported");
  }
  const state::StickRef entry = table->open(selection.key, now);
  if (!entry) return call.error("Unable to allocate a new entry");
  assign(call, entry, now);
}

constexpr Command kCommands[] = {
    {{"show table", "[<table> [<filter>]*]",
      "list stick tables or the entries of one (filter: data, key or ptr)"},
     Access::user,
     show},
    {{"set table", "<table> [<e>] [data.* <v>]*",
      "update or create the entry of a stick table (key or ptr)"},
     Access::admin,
     set},
    {{"clear table", "<table> [<filter>]*",
      "remove entries of a stick table (filter: data, key or ptr)"},
     Access::admin,
     clear},
};

}  // namespace

std::span<const Command> table_commands() { return kCommands; }

}  // namespace admin
