// HTTP: the heads of the transaction's request and response.
#include "lua/class/all.h"
#include "lua/message.h"
#include "lua/stack.h"

namespace lua {

namespace {

struct Heads {
  txn::Exchange& exchange;
  base::Arena& arena;
};

Heads self(lua_State* L) {
  Call& call = check_call(L, 1, Class::http);
  if (call.exchange() == nullptr) raise(L, "no HTTP transaction");
  return {*call.exchange(), call.exchange()->arena};
}

// Request functions do nothing harmful later on, response functions nothing before there is one.
http::Headers& headers_of(lua_State* L, const Heads& heads, bool response) {
  if (response && !heads.exchange.response_valid) raise(L, "the response is not available here");
  if (!response && !heads.exchange.request_valid) raise(L, "the request is not available here");
  return response ? heads.exchange.response.headers : heads.exchange.request.headers;
}

template <bool response>
int get_headers(lua_State* L) {
  check_count(L, 1, response ? "res_get_headers" : "req_get_headers");
  const Heads heads = self(L);
  push_headers(L, headers_of(L, heads, response));
  return 1;
}

template <bool response>
int add_header(lua_State* L) {
  check_count(L, 3, response ? "res_add_header" : "req_add_header");
  const Heads heads = self(L);
  const std::string_view name = check_text(L, 2), value = check_text(L, 3);
  headers_of(L, heads, response).add(heads.arena.copy(name), heads.arena.copy(value), heads.arena);
  return 0;
}

template <bool response>
int del_header(lua_State* L) {
  check_count(L, 2, response ? "res_del_header" : "req_del_header");
  const Heads heads = self(L);
  headers_of(L, heads, response).remove(check_text(L, 2));
  return 0;
}

template <bool response>
int set_header(lua_State* L) {
  check_count(L, 3, response ? "res_set_header" : "req_set_header");
  const Heads heads = self(L);
  const std::string_view name = check_text(L, 2), value = check_text(L, 3);
  headers_of(L, heads, response).set(heads.arena.copy(name), heads.arena.copy(value), heads.arena);
  return 0;
}

template <bool response, bool each_value>
int replace(lua_State* L) {
  check_count(L, 4,
              response ? (each_value ? "res_rep_value" : "res_rep_header")
                       : (each_value ? "req_rep_value" : "req_rep_header"));
  const Heads heads = self(L);
  const std::string_view name = check_text(L, 2), with = check_text(L, 4);
  const auto regex = check_regex(L, 3);
  replace_in_headers(headers_of(L, heads, response), name, *regex, with, each_value, heads.arena);
  return 0;
}

template <void (*change)(http::RequestHead&, std::string_view, base::Arena&)>
int set_request(lua_State* L) {
  lua_settop(L, 2);
  const Heads heads = self(L);
  headers_of(L, heads, false);
  change(heads.exchange.request, check_text(L, 2), heads.arena);
  lua_pushboolean(L, 1);
  return 1;
}

int res_set_status(lua_State* L) {
  check_count(L, 2, 3, "res_set_status");
  const Heads heads = self(L);
  const lua_Integer status = luaL_checkinteger(L, 2);
  if (status < 100 || status > 999) luaL_argerror(L, 2, "an HTTP status is expected");
  headers_of(L, heads, true);
  set_status(heads.exchange.response, static_cast<unsigned>(status),
             lua_isnoneornil(L, 3) ? std::string_view() : check_text(L, 3), heads.arena);
  return 0;
}

constexpr luaL_Reg kMethods[] = {
    {"req_get_headers", get_headers<false>},     {"req_add_header", add_header<false>},
    {"req_del_header", del_header<false>},       {"req_rep_header", replace<false, false>},
    {"req_rep_value", replace<false, true>},     {"req_set_header", set_header<false>},
    {"req_set_method", set_request<set_method>}, {"req_set_path", set_request<set_path>},
    {"req_set_query", set_request<set_query>},   {"req_set_uri", set_request<set_uri>},
    {"res_get_headers", get_headers<true>},      {"res_add_header", add_header<true>},
    {"res_del_header", del_header<true>},        {"res_rep_header", replace<true, false>},
    {"res_rep_value", replace<true, true>},      {"res_set_header", set_header<true>},
    {"res_set_status", res_set_status}};

}  // namespace

void define_http(lua_State* L) {
  State::of(L).define(L, {.id = Class::http, .name = "HTTP", .methods = kMethods});
}

}  // namespace lua
