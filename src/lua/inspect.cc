#include "lua/inspect.h"

#include <fmt/format.h>

#include "lua/call.h"
#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

namespace {

// "task (function at line 7)". A task's function is the first of what it is kept with.
std::string describe(lua_State* L, const char* kind, int reference) {
  lua_settop(L, 0);
  if (lua_rawgeti(L, LUA_REGISTRYINDEX, reference) == LUA_TTABLE) lua_rawgeti(L, 1, 1);
  lua_Debug function{};
  lua_getinfo(L, ">S", &function);
  lua_settop(L, 0);
  return fmt::format("{} (function at line {})", kind, function.linedefined);
}

}  // namespace

Findings inspect(Engine& engine, const std::string& file) {
  Findings findings{file, {}, {}, {}};
  const std::size_t before = engine.functions().size();
  const std::size_t tasks = engine.waiting_tasks().size(), inits = engine.waiting_inits().size();
  auto loaded = engine.load(file, {}, false);
  if (!loaded) findings.error = loaded.error();
  for (std::size_t i = before; i < engine.functions().size(); ++i) {
    const Function& function = *engine.functions()[i];
    findings.registered.push_back(fmt::format("{} '{}'", name_of(function.kind), function.name));
  }
  lua_State* L = engine.shared()->main();
  for (std::size_t i = tasks; i < engine.waiting_tasks().size(); ++i)
    findings.registered.push_back(describe(L, "task", engine.waiting_tasks()[i].reference));
  for (std::size_t i = inits; i < engine.waiting_inits().size(); ++i)
    findings.registered.push_back(describe(L, "init", engine.waiting_inits()[i].reference));
  if (luaL_loadfile(L, file.c_str()) == LUA_OK) findings.globals = find_global_writes(L);
  lua_settop(L, 0);
  return findings;
}

}  // namespace lua
