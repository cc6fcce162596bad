// Fetches: every sample fetch as a method ("req.hdr" is req_hdr), of TXN and the applets. Two
// classes: results as they are (f) and as strings (sf).
#include "lua/class/all.h"
#include "lua/class/samples.h"
#include "lua/engine.h"
#include "lua/value.h"

namespace lua {

namespace {

constexpr std::size_t kPlain = 4;

// Arguments that are read from the stack: results may refer to them.
struct Plain {
  expr::Argument values[kPlain];
  std::size_t count = 0;
};

// Arguments that need no check are read from the stack; false when the row wants more.
bool read_plain(lua_State* L, const expr::FetchRow& row, Plain& out) {
  if (row.check != nullptr || row.check_in_context != nullptr) return false;
  int index = 2;
  const int last = lua_gettop(L);
  for (const char letter : row.arguments) {
    if (letter == '[') {
      if (index > last) break;
      continue;
    }
    if (out.count == kPlain || index > last) return index > last;
    if (letter == 's' && lua_type(L, index) == LUA_TSTRING) {
      std::size_t size = 0;
      const char* text = lua_tolstring(L, index, &size);
      out.values[out.count].value.emplace<std::string>(text, size);
    } else if (letter == 'i' && lua_isinteger(L, index)) {
      out.values[out.count].value = std::int64_t{lua_tointeger(L, index)};
    } else {
      return false;
    }
    ++out.count;
    ++index;
  }
  return index > last;
}

bool missing_arguments(const expr::FetchRow& row, std::size_t count) {
  return count < std::min(row.arguments.find('['), row.arguments.size());
}

bool fetch(lua_State* L, Call& call, const expr::FetchRow& row, Plain& plain, state::Value& out) {
  expr::Context& context = *call.context();
  // Commands have no transaction.
  if (context.exchange == nullptr && (row.where & expr::kInternal) == 0) return false;
  const bool final = context.final, incomplete = context.incomplete;
  context.final = true;
  bool found = false;
  if (read_plain(L, row, plain) && !missing_arguments(row, plain.count))
    found = row.fetch(expr::Args(plain.values, plain.count), context, out, row);
  else
    found = row.fetch(call.state().arguments.compile(L, call, row, 2), context, out, row);
  context.final = final;
  context.incomplete = incomplete;
  return found;
}

template <Class kind>
int call_fetch(lua_State* L) {
  const auto& row = *static_cast<const expr::FetchRow*>(lua_touserdata(L, lua_upvalueindex(1)));
  Call& call = check_call(L, 1, kind);
  Plain plain;
  state::Value value;
  const bool found = fetch(L, call, row, plain, value);
  if constexpr (kind == Class::string_fetches)
    push_value_text(L, found ? value : state::Value{});
  else
    push_value(L, found ? value : state::Value{});
  return 1;
}

}  // namespace

void define_fetches(lua_State* L) {
  const auto rows = State::of(L).engine().environment().samples.all_fetches();
  define_samples(L, Class::fetches, "Fetches", rows, &call_fetch<Class::fetches>);
  define_samples(L, Class::string_fetches, "Fetches", rows, &call_fetch<Class::string_fetches>);
}

}  // namespace lua
