// HTTPMessage: a request or a response on its way through a filter: its head, and the body's bytes
// that wait for this filter.
#include <fmt/format.h>

#include "lua/class/all.h"
#include "lua/class/bytes.h"
#include "lua/message.h"
#include "rules/filter.h"

namespace lua {

namespace {

struct Message {
  Call& call;
  txn::Exchange& exchange;
  bool response;
  http::Headers& headers() const {
    return response ? exchange.response.headers : exchange.request.headers;
  }
  rules::FilterChannel& channel() const {
    return response ? call.filter->response : call.filter->request;
  }
};

Message self(lua_State* L) {
  unsigned bit = 0;
  Call& call = check_call(L, 1, Class::http_message, bit);
  if (call.exchange() == nullptr || call.filter == nullptr) raise(L, "not within a filter");
  return {call, *call.exchange(), bit != 0};
}

Bytes body(lua_State* L) {
  const Message message = self(L);
  return bytes_of(message.call, message.response);
}

Message request(lua_State* L) {
  const Message message = self(L);
  if (message.response) raise(L, "the HTTP message must be the request");
  return message;
}

int add_header(lua_State* L) {
  check_count(L, 3, "add_header");
  const Message message = self(L);
  base::Arena& arena = message.exchange.arena;
  const std::string_view name = check_text(L, 2), value = check_text(L, 3);
  message.headers().add(arena.copy(name), arena.copy(value), arena);
  return 0;
}

int set_header(lua_State* L) {
  check_count(L, 3, "set_header");
  const Message message = self(L);
  base::Arena& arena = message.exchange.arena;
  const std::string_view name = check_text(L, 2), value = check_text(L, 3);
  message.headers().set(arena.copy(name), arena.copy(value), arena);
  return 0;
}

int del_header(lua_State* L) {
  check_count(L, 2, "del_header");
  self(L).headers().remove(check_text(L, 2));
  return 0;
}

int get_headers(lua_State* L) {
  check_count(L, 1, "get_headers");
  push_headers(L, self(L).headers());
  return 1;
}

template <bool each_value>
int replace(lua_State* L) {
  check_count(L, 4, each_value ? "rep_value" : "rep_header");
  const Message message = self(L);
  const std::string_view name = check_text(L, 2), with = check_text(L, 4);
  const auto regex = check_regex(L, 3);
  replace_in_headers(message.headers(), name, *regex, with, each_value, message.exchange.arena);
  return 0;
}

void set_version(lua_State* L, http::Version version) {
  set_field(L, "version", fmt::format("HTTP/{}.{}", version.major, version.minor));
}

int get_stline(lua_State* L) {
  check_count(L, 1, "get_stline");
  const Message message = self(L);
  lua_createtable(L, 0, 3);
  if (message.response) {
    const http::ResponseHead& head = message.exchange.response;
    set_version(L, head.version);
    set_field(L, "code", std::to_string(head.status));
    set_field(L, "reason", head.reason);
  } else {
    const http::RequestHead& head = message.exchange.request;
    set_field(L, "method", head.method_text);
    set_field(L, "uri", head.target);
    set_version(L, head.version);
  }
  return 1;
}

template <void (*change)(http::RequestHead&, std::string_view, base::Arena&)>
int set_request(lua_State* L) {
  lua_settop(L, 2);
  const Message message = request(L);
  change(message.exchange.request, check_text(L, 2), message.exchange.arena);
  lua_pushboolean(L, 1);
  return 1;
}

int message_set_status(lua_State* L) {
  check_count(L, 2, 3, "set_status");
  const Message message = self(L);
  if (!message.response) raise(L, "the HTTP message must be the response");
  const lua_Integer status = luaL_checkinteger(L, 2);
  if (status < 100 || status > 999) luaL_argerror(L, 2, "an HTTP status is expected");
  set_status(message.exchange.response, static_cast<unsigned>(status),
             lua_isnoneornil(L, 3) ? std::string_view() : check_text(L, 3), message.exchange.arena);
  lua_pushboolean(L, 1);
  return 1;
}

// Some messages have no body whatever their head says (RFC 9112 section 6.3).
bool never_has_body(const Message& message) {
  const txn::Exchange& e = message.exchange;
  return message.response && (e.request.method == http::Method::head || e.response.status < 200 ||
                              e.response.status == 204 || e.response.status == 304);
}

int set_body_len(lua_State* L) {
  check_count(L, 2, "set_body_len");
  const Message message = self(L);
  const bool chunked = lua_type(L, 2) == LUA_TSTRING && to_text(L, 2) == "chunked";
  if (!chunked && (lua_type(L, 2) != LUA_TNUMBER || lua_tointeger(L, 2) < 0))
    fail_plainly(L,
                 "The 'set_body_len' function expects a positive integer or the string 'chunked' "
                 "as argument.");
  const auto length = static_cast<std::uint64_t>(chunked ? 0 : lua_tointeger(L, 2));
  base::Arena& arena = message.exchange.arena;
  http::Headers& headers = message.headers();
  headers.remove(http::HeaderId::content_length);
  headers.remove(http::HeaderId::transfer_encoding);
  if (chunked)
    headers.add("transfer-encoding", "chunked", arena);
  else
    headers.add("content-length", arena.copy(std::to_string(length)), arena);
  if (!never_has_body(message)) {
    const auto framing = chunked ? http::Framing::chunked : http::Framing::length;
    (message.response ? message.exchange.response.framing : message.exchange.request.framing) =
        framing;
    (message.response ? message.exchange.response.content_length
                      : message.exchange.request.content_length) = length;
  }
  lua_pushboolean(L, 1);
  return 1;
}

int eom(lua_State* L) {
  lua_pushboolean(L, self(L).channel().ends());
  return 1;
}

template <bool ends>
int set_eom(lua_State* L) {
  self(L).channel().set_end(ends);
  return 0;
}

using Body = ByteMethods<body, body>;

constexpr luaL_Reg kMethods[] = {{"add_header", add_header},
                                 {"append", Body::append},
                                 {"body", Body::data},
                                 {"del_header", del_header},
                                 {"eom", eom},
                                 {"forward", Body::forward},
                                 {"get_headers", get_headers},
                                 {"get_stline", get_stline},
                                 {"input", Body::input},
                                 {"insert", Body::insert},
                                 {"is_full", Body::is_full},
                                 {"is_resp", Body::is_resp},
                                 {"may_recv", Body::may_recv},
                                 {"output", Body::output},
                                 {"prepend", Body::prepend},
                                 {"remove", Body::remove},
                                 {"rep_header", replace<false>},
                                 {"rep_value", replace<true>},
                                 {"send", Body::send},
                                 {"set", Body::set},
                                 {"set_body_len", set_body_len},
                                 {"set_eom", set_eom<true>},
                                 {"set_header", set_header},
                                 {"set_method", set_request<set_method>},
                                 {"set_path", set_request<set_path>},
                                 {"set_query", set_request<set_query>},
                                 {"set_status", message_set_status},
                                 {"set_uri", set_request<set_uri>},
                                 {"unset_eom", set_eom<false>}};

}  // namespace

void push_http_message(lua_State* L, Call& call, bool response) {
  push_object(L, call, Class::http_message, response ? 1 : 0);
  push_object(L, call, Class::channel, response ? 1 : 0);
  lua_setfield(L, -2, "channel");
}

void define_http_message(lua_State* L) {
  State::of(L).define(L, {.id = Class::http_message, .name = "HTTPMessage", .methods = kMethods});
}

}  // namespace lua
