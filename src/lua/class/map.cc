// Map: look-ups in maps that a script loads while the configuration is read.
#include "base/arena.h"
#include "expr/expression.h"
#include "expr/match.h"
#include "lua/box.h"
#include "lua/class/all.h"
#include "lua/engine.h"

namespace lua {

namespace {

using Index = std::shared_ptr<expr::PatternIndex>;

// Numbers of the methods, as scripts of the reference know them.
struct Method {
  const char* name;
  expr::MatchMethod method;
};
constexpr Method kMethods[] = {
    {"_found", expr::MatchMethod::found},   {"_bool", expr::MatchMethod::boolean},
    {"_int", expr::MatchMethod::integer},   {"_ip", expr::MatchMethod::ip},
    {"_bin", expr::MatchMethod::binary},    {"_len", expr::MatchMethod::length},
    {"_str", expr::MatchMethod::string},    {"_beg", expr::MatchMethod::prefix},
    {"_sub", expr::MatchMethod::substring}, {"_dir", expr::MatchMethod::directory},
    {"_dom", expr::MatchMethod::domain},    {"_end", expr::MatchMethod::suffix},
    {"_reg", expr::MatchMethod::regex},     {"_regm", expr::MatchMethod::regex_multi}};

int map_new(lua_State* L) {
  const int count = lua_gettop(L);
  if (count < 1 || count > 2) luaL_error(L, "'new' needs at least 1 argument.");
  Engine& engine = State::of(L).engine();
  if (!engine.loading()) luaL_error(L, "'new': map: cannot load map at runtime.");
  const std::string name(check_text(L, 1));
  const lua_Integer number = luaL_optinteger(L, 2, 6);
  if (number < 0 || number >= static_cast<lua_Integer>(std::size(kMethods)))
    luaL_error(L, "'new' needs a valid match method.");
  auto set = engine.environment().patterns.open(name, true);
  if (!set) luaL_error(L, "'new': %s.", set.error().c_str());
  expr::IndexOptions options;
  options.method = kMethods[number].method;
  auto index = expr::PatternIndex::build(**set, options);
  if (!index) luaL_error(L, "'new': %s.", index.error().c_str());
  push_boxed<Index>(L, Class::map, std::move(*index));
  return 1;
}

int lookup(lua_State* L, bool always_text) {
  check_count(L, 2, always_text ? "slookup" : "lookup");
  const Index& index = check_boxed<Index>(L, 1, Class::map);
  base::Arena arena;
  state::Value key;
  if (lua_isinteger(L, 2))
    key = state::Value::of(std::int64_t{lua_tointeger(L, 2)});
  else
    key = state::Value::str(check_text(L, 2));
  expr::MatchResult result;
  const state::Type wanted = expr::match_input(index->options().method, key.type);
  const bool found = expr::cast(key, wanted, arena) && index->match(key, arena, &result);
  if (found)
    push(L, result.value);
  else if (always_text)
    lua_pushliteral(L, "");
  else
    lua_pushnil(L);
  return 1;
}

int map_lookup(lua_State* L) { return lookup(L, false); }
int map_slookup(lua_State* L) { return lookup(L, true); }

constexpr luaL_Reg kFunctions[] = {{"lookup", map_lookup}, {"slookup", map_slookup}};

}  // namespace

void define_map(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::map, .name = "Map", .methods = kFunctions});
  lua_newtable(L);
  for (std::size_t i = 0; i < std::size(kMethods); ++i) {
    set_field(L, kMethods[i].name, static_cast<lua_Integer>(i));
    set_field(L, kMethods[i].name + 1, static_cast<lua_Integer>(i));
  }
  lua_pushcfunction(L, &map_new);
  lua_setfield(L, -2, "new");
  state.set_class(L, Class::map);
  lua_setglobal(L, "Map");
}

}  // namespace lua
