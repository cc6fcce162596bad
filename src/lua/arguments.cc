#include "lua/arguments.h"

#include <fmt/format.h>

#include <cstring>

#include "expr/signature.h"
#include "lua/call.h"
#include "lua/engine.h"
#include "lua/stack.h"

namespace lua {

namespace {

// A row's address and what it is given.
using Key = fmt::basic_memory_buffer<char, 200>;

// The values from `first` on as a configuration would have them: ("a","b").
void append_arguments(lua_State* L, int first, Key& out) {
  const int last = lua_gettop(L);
  if (last < first) return;
  out.push_back('(');
  for (int i = first; i <= last; ++i) {
    if (i != first) out.push_back(',');
    switch (lua_type(L, i)) {
      case LUA_TNIL:
        continue;
      case LUA_TBOOLEAN:
        out.push_back(lua_toboolean(L, i) != 0 ? '1' : '0');
        continue;
      case LUA_TNUMBER:
      case LUA_TSTRING:
        break;
      default:
        luaL_argerror(L, i, "a string or a number is expected");
    }
    out.push_back('"');
    for (const char c : to_text(L, i)) {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
    out.push_back('"');
  }
  out.push_back(')');
}

bool check(const expr::FetchRow& row, std::vector<expr::Argument>& args,
           expr::ParseContext& context, std::string& error) {
  if (row.check_in_context != nullptr) return row.check_in_context(args, context, row, error);
  return row.check == nullptr || row.check(args, error);
}
bool check(const expr::ConverterRow& row, std::vector<expr::Argument>& args,
           expr::ParseContext& context, std::string& error) {
  return row.check == nullptr || row.check(args, context, row, error);
}

// Empty when it could be compiled.
template <class Row>
std::string parse(Call& call, const Row& row, std::string_view text,
                  const ArgumentCache::Compiled& out) {
  const Environment& environment = call.state().engine().environment();
  config::Diagnostics diagnostics;
  std::vector<std::function<void()>> deferred;
  expr::ParseContext context{environment.samples, environment.registry, environment.patterns,
                             diagnostics, deferred};
  context.proxy = call.context()->proxy;
  context.place = "Lua script";
  std::string error;
  unsigned index = 0;
  const expr::ArgumentOwner owner{std::string(row.name), {}};
  if (!expr::parse_arguments(text, row.arguments, context, owner, out, error, index)) return error;
  for (const auto& resolve : deferred) resolve();
  if (diagnostics.failed()) return diagnostics.messages().front().text;
  if (!check(row, *out, context, error)) return error;
  return {};
}

}  // namespace

template <class Row>
expr::Args ArgumentCache::find_or_parse(lua_State* L, Call& call, const Row& row, int first) {
  Key key;
  const void* address = &row;
  key.resize(sizeof address);
  std::memcpy(key.data(), &address, sizeof address);
  append_arguments(L, first, key);
  const std::string_view text(key.data(), key.size());
  if (const auto found = cache_.find(text); found != cache_.end()) return *found->second;
  auto compiled = std::make_shared<std::vector<expr::Argument>>();
  const std::string error = parse(call, row, text.substr(sizeof address), compiled);
  if (!error.empty()) luaL_argerror(L, first, error.c_str());
  if (cache_.size() >= kMost) cache_.clear();
  return *cache_.emplace(text, std::move(compiled)).first->second;
}

expr::Args ArgumentCache::compile(lua_State* L, Call& call, const expr::FetchRow& row, int first) {
  return find_or_parse(L, call, row, first);
}

expr::Args ArgumentCache::compile(lua_State* L, Call& call, const expr::ConverterRow& row,
                                  int first) {
  return find_or_parse(L, call, row, first);
}

}  // namespace lua
