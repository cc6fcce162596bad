// StickTable: what a stick table is, and what its entries hold. `Proxy.stktable` gives one.
#include "state/stick_table.h"

#include <array>

#include "expr/expression.h"
#include "lua/class/all.h"
#include "lua/class/server.h"
#include "lua/stack.h"
#include "lua/value.h"
#include "state/stick_filter.h"

namespace lua {

namespace {

using state::StickData;

state::StickTable& self(lua_State* L) {
  if (!State::of(L).is(L, 1, Class::stick_table))
    luaL_argerror(L, 1, "not an object of the class that this function belongs to");
  lua_rawgeti(L, 1, 1);
  auto* table =
      lua_islightuserdata(L, -1) ? static_cast<state::StickTable*>(lua_touserdata(L, -1)) : nullptr;
  lua_pop(L, 1);
  if (table == nullptr) luaL_argerror(L, 1, "the table is gone");
  return *table;
}

// What is stored, without the numbers' lock: arrays by their first element.
struct Snapshot {
  std::array<std::uint64_t, state::kStickDataTypes> numbers{};
  std::string_view server_key;
  std::uint32_t references = 0;
  std::int64_t expires_in = 0;

  void take(const state::StickRow& row, std::int64_t now) {
    for (std::size_t i = 0; i < numbers.size(); ++i)
      numbers[i] = row.get(static_cast<StickData>(i), 0, now).value_or(0);
    server_key = row.server_key();
    references = row.references();
    expires_in = row.expires_in(now);
  }

  // Adds its fields to the table on top.
  void push(lua_State* L, const state::StickSettings& settings) const {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (settings.columns[i].elements == 0) continue;
      const state::StickDataInfo& info = state::info_of(static_cast<StickData>(i));
      if (info.kind == state::StickKind::text)
        lua::push(L, server_key.empty() ? "-" : server_key);
      else
        lua_pushinteger(L, static_cast<lua_Integer>(numbers[i]));
      lua_setfield(L, -2, info.name.data());
    }
  }
};

int info(lua_State* L) {
  check_count(L, 1, "info");
  const state::StickTable& table = self(L);
  const state::StickSettings& settings = table.settings();
  lua_createtable(L, 0, 8);
  set_field(L, "type", state::key_type_name(settings.key));
  set_field(L, "length", lua_Integer{settings.key_size});
  set_field(L, "size", lua_Integer{settings.size});
  set_field(L, "used", lua_Integer{table.used()});
  set_flag(L, "nopurge", settings.nopurge);
  set_field(L, "expire", lua_Integer{settings.expire_ms});
  lua_newtable(L);
  for (std::size_t i = 0; i < settings.columns.size(); ++i) {
    const state::StickColumn& column = settings.columns[i];
    if (column.elements == 0) continue;
    const state::StickDataInfo& what = state::info_of(static_cast<StickData>(i));
    set_field(L, what.name.data(),
              what.kind == state::StickKind::rate ? lua_Integer{column.period_ms} : -1);
  }
  lua_setfield(L, -2, "data");
  return 1;
}

int lookup(lua_State* L) {
  state::StickTable& table = self(L);
  base::Arena arena;
  state::Value sample = state::Value::str(to_text(L, 2));
  Snapshot entry;
  const std::int64_t now = state::stick_clock_ms();
  const bool found = expr::cast(sample, table.settings().key, arena) &&
                     table.look(table.key_of(sample, arena), now,
                                [&](const state::StickRow& row) { entry.take(row, now); });
  if (!found) {
    lua_pushnil(L);
    return 1;
  }
  lua_createtable(L, 0, 8);
  set_field(L, "use", lua_Integer{entry.references});
  set_field(L, "expire", lua_Integer{entry.expires_in});
  entry.push(L, table.settings());
  return 1;
}

// { {"gpc0", "gt", 1}, … }; false for what is no such list.
bool read_filters(lua_State* L, int index, const state::StickTable& table,
                  std::vector<state::StickFilter>& filters) {
  if (lua_isnoneornil(L, index)) return true;
  if (!lua_istable(L, index)) return false;
  for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
    if (!lua_istable(L, -1) || filters.size() == state::kMostStickFilters) return false;
    const int entry = lua_gettop(L);
    lua_rawgeti(L, entry, 1);
    lua_rawgeti(L, entry, 2);
    lua_rawgeti(L, entry, 3);
    const auto data = state::find_stick_data(to_text(L, entry + 1));
    const auto comparison = state::find_stick_comparison(to_text(L, entry + 2));
    if (!data || !comparison || lua_isnil(L, -1) || table.settings().column(*data).elements == 0)
      return false;
    filters.push_back({*data, 0, *comparison, lua_tointeger(L, -1)});
    lua_settop(L, entry);
  }
  return true;
}

int dump(lua_State* L) {
  state::StickTable& table = self(L);
  const state::StickSettings& settings = table.settings();
  std::vector<state::StickFilter> filters;
  if (settings.key == state::Type::binary || !read_filters(L, 2, table, filters)) {
    lua_pushnil(L);
    return 1;
  }
  struct Entry {
    std::string key;
    Snapshot data;
  };
  std::vector<Entry> piece;
  base::Arena arena;
  const std::int64_t now = state::stick_clock_ms();
  const auto visit = [&](const state::StickRow& row) {
    for (const state::StickFilter& filter : filters)
      if (!filter.holds(row, now)) return false;
    state::Value key = row.key();
    if (!expr::cast(key, state::Type::string, arena)) return false;
    piece.push_back({std::string(key.text), {}});
    piece.back().data.take(row, now);
    return false;
  };
  lua_newtable(L);
  std::uint64_t place = 0;
  for (bool more = true; more;) {
    piece.clear();
    more = table.scan(place, now, visit);
    for (const Entry& entry : piece) {  // Lua may raise: no lock is held here
      lua_createtable(L, 0, 8);
      entry.data.push(L, settings);
      lua_setfield(L, -2, entry.key.c_str());
    }
    arena.reset();
  }
  return 1;
}

constexpr luaL_Reg kMethods[] = {{"info", info}, {"lookup", lookup}, {"dump", dump}};

}  // namespace

void push_stick_table(lua_State* L, const state::StickTable& table) {
  lua_createtable(L, 1, 0);
  lua_pushlightuserdata(L, const_cast<state::StickTable*>(&table));
  lua_rawseti(L, -2, 1);
  State::of(L).set_class(L, Class::stick_table);
}

void define_stick_table(lua_State* L) {
  State::of(L).define(L, {.id = Class::stick_table, .name = "StickTable", .methods = kMethods});
}

}  // namespace lua
