// "stick-table": the table of a section (manual section 11.1).
#include "app/proxy_keywords/stick_table.h"

#include <fmt/format.h>

#include <vector>

#include "base/text.h"

namespace app {

namespace {

using state::StickData;
using state::StickSettings;

constexpr std::uint32_t kDefaultLength = 32;
constexpr std::int64_t kLargestArray = 100;

class TableParser {
 public:
  TableParser(config::Arguments& args, StickSettings& table) : args_(args), table_(table) {}

  bool parse() {
    while (!args_.done()) {
      const std::string word(args_.next());
      if (!parse_word(word)) return false;
    }
    if (table_.key == state::Type::any) return fail("missing type");
    if (table_.size == 0) return fail("missing size");
    return check_overlaps();
  }

 private:
  bool fail(std::string_view text) {
    return args_.error_at_previous(fmt::format("stick-table: {}.", text));
  }

  bool parse_word(std::string_view word) {
    if (word == "type") return type();
    if (word == "size") return size();
    if (word == "expire") return expire();
    if (word == "store") return store();
    if (word == "srvkey") return server_key();
    if (word == "brates-factor") return factor();
    if (word == "write-to") return write_to();
    if (word == "peers") return peers();
    if (word == "nopurge") return table_.nopurge = true;
    if (word == "recv-only") return table_.receive_only = true;
    return fail(fmt::format("unknown argument '{}'", word));
  }

  bool missing(std::string_view after) {
    return args_.done() && !fail(fmt::format("missing argument after '{}'", after));
  }

  bool type() {
    if (missing("type")) return false;
    const std::string_view name = args_.next();
    struct Known {
      std::string_view name;
      state::Type type;
      std::uint32_t size;
    };
    static constexpr Known kTypes[] = {
        {"ip", state::Type::ipv4, 4},
        {"ipv4", state::Type::ipv4, 4},
        {"ipv6", state::Type::ipv6, 16},
        {"integer", state::Type::integer, 4},
        {"string", state::Type::string, kDefaultLength},
        {"binary", state::Type::binary, kDefaultLength},
    };
    const Known* known = nullptr;
    for (const Known& k : kTypes)
      if (k.name == name) known = &k;
    if (known == nullptr) return fail(fmt::format("unknown type '{}'", name));
    table_.key = known->type;
    table_.key_size = known->size;
    const bool sized = table_.key == state::Type::string || table_.key == state::Type::binary;
    if (!sized || !args_.accept("len")) return true;
    auto length = base::parse_int<std::uint32_t>(args_.peek());
    if (!length || *length == 0 || *length > 65535)
      return args_.error("'len' expects a positive integer argument.");
    args_.next();
    table_.key_size = *length;
    return true;
  }

  bool size() {
    if (missing("size")) return false;
    auto size = config::parse_size(args_.next());
    if (!size) return fail(fmt::format("{} in argument of 'size'", size.error()));
    if (*size > INT32_MAX) return fail("'size' is too large");
    table_.size = static_cast<std::uint32_t>(*size);
    return true;
  }

  bool expire() {
    if (missing("expire")) return false;
    auto time = config::parse_time(args_.next(), config::TimeUnit::ms, config::TimeUnit::ms);
    if (!time) return fail(fmt::format("{} in argument of 'expire'", time.error()));
    table_.expire_ms = *time;
    return true;
  }

  bool server_key() {
    const std::string_view kind = args_.next();
    if (kind != "name" && kind != "addr")
      return args_.error_at_previous(
          fmt::format("stick-table : unknown server key type '{}'.", kind));
    table_.server_by_address = kind == "addr";
    return true;
  }

  bool factor() {
    if (missing("brates-factor")) return false;
    auto factor = base::parse_int<std::uint32_t>(args_.next());
    if (!factor || *factor == 0 || *factor > 1024)
      return fail("argument 'brates-factor' must be greater than 0 and lower or equal than 1024");
    table_.byte_factor = *factor;
    return true;
  }

  bool write_to() {
    if (args_.done()) return args_.error_at_previous("stick-table : write-to requires table name.");
    table_.write_to = args_.next();
    return true;
  }

  bool peers() {
    if (missing("peers")) return false;
    return args_.error(
        "stick-table: 'peers' is not supported yet: tables are not shared with "
        "other processes.");
  }

  // "gpc0,conn_rate(10s)": split at commas outside of parentheses.
  bool store() {
    if (args_.done()) return true;
    std::string_view rest = args_.next();
    while (!rest.empty()) {
      std::size_t end = 0;
      for (int depth = 0; end < rest.size() && (depth > 0 || rest[end] != ','); ++end)
        depth += rest[end] == '(' ? 1 : rest[end] == ')' ? -1 : 0;
      if (!store_one(rest.substr(0, end))) return false;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return true;
  }

  bool store_one(std::string_view text) {
    const std::size_t open = text.find('(');
    const std::string_view name = text.substr(0, open);
    auto data = state::find_stick_data(name);
    if (!data) return fail(fmt::format("unknown store option '{}'", name));
    std::string_view inside;
    if (open != text.npos) {
      if (!text.ends_with(')'))
        return fail(fmt::format("missing closing parenthesis after store option '{}'", name));
      inside = text.substr(open + 1, text.size() - open - 2);
    }
    state::StickColumn& column = table_.column(*data);
    if (column.elements != 0) {
      args_.diagnostics().warning(
          args_.previous(),
          fmt::format("stick-table: store option '{}' already enabled, ignored.", name));
      return true;
    }
    const state::StickDataInfo& info = state::info_of(*data);
    const bool rate = info.kind == state::StickKind::rate;
    if (!info.is_array && !rate) {
      column.elements = 1;
      return open == text.npos ||
             fail(fmt::format("unexpected argument to store option '{}'", name));
    }
    if (open == text.npos) return fail(fmt::format("missing argument to store option '{}'", name));
    return sized(name, inside, info.is_array, rate, column);
  }

  bool sized(std::string_view name, std::string_view inside, bool array, bool rate,
             state::StickColumn& column) {
    std::string_view first = inside;
    column.elements = 1;
    if (array) {
      const std::size_t comma = inside.find(',');
      if (rate && comma == inside.npos)
        return fail(fmt::format("missing argument to store option '{}'", name));
      first = rate ? inside.substr(0, comma) : inside;
      auto elements = base::parse_int<std::int64_t>(first);
      if (!elements) return fail(fmt::format("error when processing store option '{}'", name));
      if (*elements < 1 || *elements > kLargestArray)
        return fail(fmt::format("array size is out of allowed range (1-{}) for store option '{}'",
                                kLargestArray, name));
      column.elements = static_cast<std::uint32_t>(*elements);
      inside = rate ? inside.substr(comma + 1) : std::string_view();
    }
    if (!rate) return true;
    auto period = config::parse_time(inside, config::TimeUnit::ms, config::TimeUnit::ms);
    if (!period) return fail(fmt::format("error when processing store option '{}'", name));
    column.period_ms = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(*period));
    return true;
  }

  bool both(StickData a, StickData b) const {
    return table_.column(a).elements != 0 && table_.column(b).elements != 0;
  }
  bool check_overlaps() {
    const auto refuse = [this](std::string_view array, std::string_view single) {
      return fail(
          fmt::format("simultaneous usage of '{0}' and '{1}' in a same table is not "
                      "permitted as '{0}' overrides '{1}'",
                      array, single));
    };
    if (both(StickData::gpc, StickData::gpc0) || both(StickData::gpc, StickData::gpc1))
      return refuse("gpc", "gpc[0/1]");
    if (both(StickData::gpc_rate, StickData::gpc0_rate) ||
        both(StickData::gpc_rate, StickData::gpc1_rate))
      return refuse("gpc_rate", "gpc[0/1]_rate");
    if (both(StickData::gpt, StickData::gpt0)) return refuse("gpt", "gpt0");
    return true;
  }

  config::Arguments& args_;
  StickSettings& table_;
};

// "write-to" matters to tables that peers feed; it is checked as if it did.
void check_target(const state::StickTable& table, const state::Registry& registry,
                  std::string_view owner, config::Position at, config::Diagnostics& diagnostics) {
  const StickSettings& from = table.settings();
  if (from.write_to.empty()) return;
  const auto complain = [&](std::string_view text) {
    diagnostics.alert(at, fmt::format("Proxy '{}': failed to initialize stick-table: write-to: {}.",
                                      owner, text));
  };
  const state::StickTable* to = registry.tables().find(from.write_to);
  if (to == nullptr) return complain(fmt::format("table '{}' doesn't exist", from.write_to));
  if (to == &table)
    return complain(
        fmt::format("cannot use the same table '{}' as source and target", from.write_to));
  if (to->settings().key != from.key || to->settings().key_size != from.key_size)
    complain(fmt::format("cannot use table '{}' whose keys are of another type or length",
                         from.write_to));
}

}  // namespace

bool parse_stick_table(config::Arguments& args, state::StickSettings& table) {
  return TableParser(args, table).parse();
}

bool read_stick_table(ProxyContext& context) {
  state::Registry& registry = context.assembly.generation.registry;
  const config::Position at = context.args.line().at();
  state::StickSettings settings;
  settings.name = context.draft.name;
  settings.declared_at = fmt::format("{}:{}", at.file->name, at.line);
  if (const state::StickTable* other = registry.tables().find(settings.name)) {
    context.diagnostics().alert(
        at, fmt::format("stick-table name '{}' conflicts with table declared in proxy '{}' at {}.",
                        settings.name, settings.name, other->settings().declared_at));
    return false;
  }
  if (!parse_stick_table(context.args, settings)) return false;
  const state::StickTable& table = registry.tables().add(std::move(settings));
  context.assembly.deferred.push_back(
      [&table, &registry, at, owner = context.draft.name, &diagnostics = context.diagnostics()] {
        check_target(table, registry, owner, at, diagnostics);
      });
  return true;
}

}  // namespace app
