// HTTPClient: one request and its answer, each on a connection of its own.
#include "base/text.h"
#include "http/h1.h"
#include "lua/box.h"
#include "lua/class/all.h"
#include "lua/destination.h"
#include "lua/http_exchange.h"
#include "lua/stack.h"

namespace lua {

namespace {

constexpr std::int64_t kDefaultTimeoutMs = 60'000;

// Has no state of its own: each request makes a connection.
struct HttpClient {};

// The headers of the table on top of the stack: by name a list, counted from zero or one.
void append_headers(lua_State* L, OutboundRequest& request) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (lua_type(L, -2) != LUA_TSTRING) raise(L, "'headers' must be indexed by name");
    const std::string name(to_text(L, -2));
    if (!lua_istable(L, -1))
      luaL_error(L, "'headers': a list of values is expected for '%s'", name.c_str());
    const int values = lua_gettop(L);
    for (lua_Integer i = lua_rawgeti(L, values, 0) == LUA_TNIL ? 1 : 0;; ++i) {
      lua_settop(L, values);
      if (lua_rawgeti(L, values, i) == LUA_TNIL) break;
      request.add_header(name, check_text(L, -1));
    }
    lua_settop(L, values);
    lua_pop(L, 1);
  }
}

OutboundRequest read_request(lua_State* L, http::Method method, const char* name) {
  OutboundRequest request;
  request.method = method;
  if (lua_gettop(L) < 2 || !lua_istable(L, 2))
    luaL_error(L, "'%s' needs a table as argument", name);
  if (lua_getfield(L, 2, "url") != LUA_TSTRING) luaL_error(L, "'%s' need a 'url' argument", name);
  const std::string url(to_text(L, -1));
  if (const char* error = request.set_url(url); error != nullptr)
    luaL_error(L, "'%s': %s", name, error);
  if (lua_getfield(L, 2, "dst") != LUA_TNIL) {
    const std::string text(check_text(L, -1));
    auto destination = Destination::parse(text, -1);
    if (!destination) luaL_error(L, "'%s': %s", name, destination.error().c_str());
    request.destination = std::move(*destination);
  } else if (auto destination = Destination::parse(request.host, request.port); destination) {
    request.destination = std::move(*destination);
  } else {
    luaL_error(L, "'%s': %s", name, destination.error().c_str());
  }
  if (lua_getfield(L, 2, "body") != LUA_TNIL) request.body = check_text(L, -1);
  request.timeout_ms = kDefaultTimeoutMs;
  if (lua_getfield(L, 2, "timeout") != LUA_TNIL) request.timeout_ms = check_milliseconds(L, -1);
  if (lua_getfield(L, 2, "headers") == LUA_TTABLE) append_headers(L, request);
  return request;
}

void push_response(lua_State* L, const InboundResponse& response) {
  lua_createtable(L, 0, 4);
  set_field(L, "status", response.status);
  set_field(L, "reason", response.reason);
  lua_createtable(L, 0, static_cast<int>(response.headers.size()));
  for (const auto& [name, value] : response.headers) {
    push(L, name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TTABLE) {
      push(L, value);
      lua_rawseti(L, -2, static_cast<lua_Integer>(lua_rawlen(L, -2)) + 1);
      lua_pop(L, 2);
      continue;
    }
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    push(L, value);
    lua_rawseti(L, -2, 0);
    lua_rawset(L, -3);
  }
  lua_setfield(L, -2, "headers");
  set_field(L, "body", response.body);
}

int send(lua_State* L, http::Method method, const char* name) {
  check_boxed<HttpClient>(L, 1, Class::http_client);
  Call& call = current_call(L, name);
  if (rt::current() == nullptr) luaL_error(L, "%s: not available before the proxy runs", name);
  const OutboundRequest request = read_request(L, method, name);
  InboundResponse response;
  {
    const Unlocked unlocked;
    response = exchange(request);
  }
  call.check_cancelled(L);
  push_response(L, response);
  return 1;
}

int client_get(lua_State* L) { return send(L, http::Method::get, "get"); }
int client_head(lua_State* L) { return send(L, http::Method::head, "head"); }
int client_put(lua_State* L) { return send(L, http::Method::put, "put"); }
int client_post(lua_State* L) { return send(L, http::Method::post, "post"); }
int client_delete(lua_State* L) { return send(L, http::Method::delete_, "delete"); }

constexpr luaL_Reg kMethods[] = {{"get", client_get},
                                 {"head", client_head},
                                 {"put", client_put},
                                 {"post", client_post},
                                 {"delete", client_delete}};

}  // namespace

int core_httpclient(lua_State* L) {
  check_count(L, 0, "httpclient");
  push_boxed<HttpClient>(L, Class::http_client);
  return 1;
}

void define_http_client(lua_State* L) {
  State::of(L).define(L, {.id = Class::http_client, .name = "HTTPClient", .methods = kMethods});
}

}  // namespace lua
