// Regex: the proxy's own regular expressions for scripts.
#include "expr/regex.h"

#include "lua/box.h"
#include "lua/class/all.h"

namespace lua {

namespace {

constexpr std::size_t kMostGroups = 20;

using Compiled = std::shared_ptr<const expr::Regex>;

int regex_new(lua_State* L) {
  check_count(L, 2, "new");
  auto compiled = expr::Regex::compile(check_text(L, 1), lua_toboolean(L, 2) == 0);
  lua_pushboolean(L, compiled.has_value());
  if (compiled)
    push_boxed<Compiled>(L, Class::regex, std::move(*compiled));
  else
    push(L, compiled.error());
  return 2;
}

int regex_exec(lua_State* L) {
  check_count(L, 2, "exec");
  const Compiled& regex = check_boxed<Compiled>(L, 1, Class::regex);
  lua_pushboolean(L, regex->matches(check_text(L, 2)));
  return 1;
}

int regex_match(lua_State* L) {
  check_count(L, 2, "match");
  const Compiled& regex = check_boxed<Compiled>(L, 1, Class::regex);
  const std::string_view subject = check_text(L, 2);
  expr::Regex::Group groups[kMostGroups];
  const std::size_t count = regex->match(subject, 0, groups);
  lua_pushboolean(L, count != 0);
  lua_createtable(L, static_cast<int>(count), 0);
  for (std::size_t i = 0; i < count; ++i) {
    if (groups[i].from == expr::Regex::kUnset)
      lua_pushliteral(L, "");
    else
      push(L, subject.substr(groups[i].from, groups[i].to - groups[i].from));
    lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  return 2;
}

constexpr luaL_Reg kMethods[] = {{"exec", regex_exec}, {"match", regex_match}};

}  // namespace

void define_regex(lua_State* L) {
  State& state = State::of(L);
  state.define(L, {.id = Class::regex,
                   .name = "Regex",
                   .methods = kMethods,
                   .collect = &Box<Compiled>::collect_object});
  lua_newtable(L);
  lua_pushcfunction(L, &regex_new);
  lua_setfield(L, -2, "new");
  state.set_class(L, Class::regex);
  lua_setglobal(L, "Regex");
}

}  // namespace lua
