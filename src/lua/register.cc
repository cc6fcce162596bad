#include "lua/register.h"

#include <fmt/format.h>

#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

namespace {

Engine& engine_of(lua_State* L) { return State::of(L).engine(); }

std::string text_at(lua_State* L, int index) { return std::string(check_text(L, index)); }

std::uint16_t place_named(lua_State* L, std::string_view name) {
  if (name == "tcp-req") return rules::kTcpRequestContent | rules::kTcpConnection;
  if (name == "tcp-res") return rules::kTcpResponseContent;
  if (name == "http-req") return rules::kHttpRequest;
  if (name == "http-res") return rules::kHttpResponse;
  if (name == "http-after-res") return rules::kHttpAfterResponse;
  luaL_error(L,
             "Lua action environment '%s' is unknown. 'tcp-req', 'tcp-res', 'http-req', 'http-res' "
             "or 'http-after-res' are expected.",
             std::string(name).c_str());
  return 0;
}

// A list of texts at `index`.
std::vector<std::string> texts(lua_State* L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  std::vector<std::string> out;
  const lua_Integer count = luaL_len(L, index);
  for (lua_Integer i = 1; i <= count; ++i) {
    lua_geti(L, index, i);
    if (lua_type(L, -1) != LUA_TSTRING) luaL_argerror(L, index, "a table of strings is expected");
    out.emplace_back(to_text(L, -1));
    lua_pop(L, 1);
  }
  return out;
}

const char* registered_as(Kind kind) {
  switch (kind) {
    case Kind::fetch:
      return "sample-fetch";
    case Kind::command:
      return "CLI keyword";
    default:
      return name_of(kind);
  }
}

}  // namespace

void require_body(lua_State* L, const char* name) {
  if (!engine_of(L).loading()) luaL_error(L, "%s: not available outside of body context", name);
}

Function& keep_function(lua_State* L, int index, Kind kind, std::string name, std::string label,
                        bool& again, std::uint16_t places) {
  luaL_checktype(L, index, LUA_TFUNCTION);
  State& state = State::of(L);
  Engine& engine = state.engine();
  Function* found = nullptr;
  for (const auto& function : engine.functions())
    if (function->kind == kind && function->label == label && function->places == places &&
        function->per_thread == !state.shared())
      found = function.get();
  again = found != nullptr;
  const std::size_t slot = state.shared() ? 0 : state.index() - 1;
  if (found == nullptr) {
    engine.functions().push_back(std::make_unique<Function>(Function{
        engine, std::move(name), std::move(label), kind, !state.shared(), 0, places, {}, {}, {}}));
    found = engine.functions().back().get();
    found->references.assign(state.shared() ? 1 : rt::worker_count() + 1, LUA_NOREF);
  }
  if (found->references.size() <= slot) found->references.resize(slot + 1, LUA_NOREF);
  int& reference = found->references[slot];
  if (reference != LUA_NOREF) {
    obs::report(obs::Level::warning,
                fmt::format("config : Trying to register {} 'lua.{}' more than once. This will "
                            "become a hard error in version 2.5.",
                            registered_as(kind), found->name));
    luaL_unref(L, LUA_REGISTRYINDEX, reference);
  }
  lua_pushvalue(L, index);
  reference = luaL_ref(L, LUA_REGISTRYINDEX);
  return *found;
}

int register_fetches(lua_State* L) {
  check_count(L, 2, "register_fetches");
  require_body(L, "register_fetches");
  bool again = false;
  std::string name = text_at(L, 1);
  std::string label = fmt::format("Lua sample-fetch '{}'", name);
  Function& function = keep_function(L, 2, Kind::fetch, std::move(name), std::move(label), again);
  if (!again) add_fetch(engine_of(L), function);
  return 0;
}

int register_converters(lua_State* L) {
  check_count(L, 2, "register_converters");
  require_body(L, "register_converters");
  bool again = false;
  std::string name = text_at(L, 1);
  std::string label = fmt::format("Lua converter '{}'", name);
  Function& function =
      keep_function(L, 2, Kind::converter, std::move(name), std::move(label), again);
  if (!again) add_converter(engine_of(L), function);
  return 0;
}

int register_action(lua_State* L) {
  check_count(L, 3, 4, "register_action");
  require_body(L, "register_action");
  std::string name = text_at(L, 1);
  std::uint16_t places = 0;
  for (const std::string& place : texts(L, 2)) places |= place_named(L, place);
  const int arguments = static_cast<int>(luaL_optinteger(L, 4, 0));
  bool again = false;
  std::string label = fmt::format("Lua function '{}'", name);
  Function& function =
      keep_function(L, 3, Kind::action, std::move(name), std::move(label), again, places);
  function.arguments = arguments;
  if (!again) add_action(engine_of(L), function, places);
  return 0;
}

int register_service(lua_State* L) {
  check_count(L, 3, "register_service");
  require_body(L, "register_service");
  std::string name = text_at(L, 1);
  const std::string_view mode = check_text(L, 2);
  if (mode != "http" && mode != "tcp")
    luaL_error(L, "Lua service environment '%s' is unknown. 'tcp' or 'http' are expected.",
               std::string(mode).c_str());
  bool again = false;
  std::string label = fmt::format("Lua applet {} '<lua.{}>'", mode, name);
  Function& function = keep_function(L, 3, Kind::service, std::move(name), std::move(label), again);
  if (!again) add_service(engine_of(L), function, mode == "http");
  return 0;
}

int register_cli(lua_State* L) {
  check_count(L, 3, "register_cli");
  require_body(L, "register_cli");
  std::vector<std::string> words = texts(L, 1);
  if (words.empty()) luaL_argerror(L, 1, "at least one keyword is expected");
  std::string name;
  for (const std::string& word : words) name += "." + word;
  bool again = false;
  std::string label = fmt::format("Lua cli '<lua.cli{}>'", name);
  name.erase(0, 1);
  Function& function = keep_function(L, 3, Kind::command, std::move(name), std::move(label), again);
  if (!again) engine_of(L).commands().push_back({std::move(words), text_at(L, 2), &function});
  return 0;
}

}  // namespace lua
