#include "lua/library.h"

#include "lua/call.h"
#include "lua/stack.h"

namespace lua {

namespace {

// Resumes `coroutine` with the `count` values on top of L; how many results are there now, -1 with
// the error on top. As the library's own, except that this thread's slices follow.
int resume(lua_State* L, lua_State* coroutine, int count) {
  if (State::is_slot_at_rest(coroutine)) {
    lua_pushliteral(L, "cannot resume dead coroutine");
    return -1;
  }
  if (lua_checkstack(coroutine, count) == 0) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, coroutine, count);
  lua_State* const outer = slice::present.thread;
  if (outer != nullptr) slice::present.thread = coroutine;
  int results = 0;
  const int status = lua_resume(coroutine, L, count, &results);
  if (outer != nullptr) slice::present.thread = outer;
  Call* call = State::of(L).current;
  if (call != nullptr && call->ending() != Ending::none) call->end(L, call->ending());
  if (status == LUA_OK || status == LUA_YIELD) {
    if (lua_checkstack(L, results + 1) == 0) {
      lua_pop(coroutine, results);
      lua_pushliteral(L, "too many results to resume");
      return -1;
    }
    lua_xmove(coroutine, L, results);
    return results;
  }
  lua_xmove(coroutine, L, 1);
  return -1;
}

int coroutine_resume(lua_State* L) {
  lua_State* coroutine = lua_tothread(L, 1);
  luaL_argexpected(L, coroutine != nullptr, 1, "coroutine");
  const int results = resume(L, coroutine, lua_gettop(L) - 1);
  lua_pushboolean(L, results >= 0);
  lua_insert(L, results < 0 ? -2 : -(results + 1));
  return results < 0 ? 2 : results + 1;
}

int wrapped(lua_State* L) {
  lua_State* coroutine = lua_tothread(L, lua_upvalueindex(1));
  const int results = resume(L, coroutine, lua_gettop(L));
  if (results >= 0) return results;
  const int status = lua_status(coroutine);
  // Closes its variables; the error is on L already.
  if (status != LUA_OK && status != LUA_YIELD) lua_resetthread(coroutine);
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

int coroutine_wrap(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State* coroutine = lua_newthread(L);
  slice::set_usual_hook(coroutine, 0);
  lua_pushvalue(L, 1);
  lua_xmove(L, coroutine, 1);
  lua_pushcclosure(L, &wrapped, 1);
  return 1;
}

int coroutine_close(lua_State* L) {
  lua_State* coroutine = lua_tothread(L, 1);
  if (coroutine == nullptr || !State::is_slot_at_rest(coroutine))
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
  lua_pushboolean(L, 1);  // as any that is dead
  return 1;
}

}  // namespace

void replace_library_functions(lua_State* L) {
  lua_getglobal(L, LUA_COLIBNAME);
  lua_getfield(L, -1, "close");
  lua_pushcclosure(L, &coroutine_close, 1);
  lua_setfield(L, -2, "close");
  lua_pushcfunction(L, &coroutine_resume);
  lua_setfield(L, -2, "resume");
  lua_pushcfunction(L, &coroutine_wrap);
  lua_setfield(L, -2, "wrap");
  lua_pop(L, 1);
  replace_blocking_functions(L);
}

}  // namespace lua
