#include "lua/inspect.h"

#include <fmt/format.h>

#include "lua/call.h"
#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

Findings inspect(Engine& engine, const std::string& file) {
  Findings findings{file, {}, {}, {}};
  const std::size_t before = engine.functions().size();
  auto loaded = engine.load(file, {}, false);
  if (!loaded) findings.error = loaded.error();
  for (std::size_t i = before; i < engine.functions().size(); ++i) {
    const Function& function = *engine.functions()[i];
    findings.registered.push_back(fmt::format("{} '{}'", name_of(function.kind), function.name));
  }
  lua_State* L = engine.shared()->main();
  if (luaL_loadfile(L, file.c_str()) == LUA_OK) findings.globals = find_global_writes(L);
  lua_settop(L, 0);
  return findings;
}

}  // namespace lua
