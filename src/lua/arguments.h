// Arguments that a script gives to a sample fetch or a converter, compiled as those written in a
// configuration and kept, since scripts repeat themselves.
#pragma once

#include <lua.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "expr/keyword.h"

namespace lua {

class Call;

class ArgumentCache {
 public:
  using Compiled = std::shared_ptr<std::vector<expr::Argument>>;
  // The values from `first` on; raises what is wrong with them. Good until the next call.
  expr::Args compile(lua_State* L, Call& call, const expr::FetchRow& row, int first);
  expr::Args compile(lua_State* L, Call& call, const expr::ConverterRow& row, int first);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  template <class Row>
  expr::Args find_or_parse(lua_State* L, Call& call, const Row& row, int first);
  static constexpr std::size_t kMost = 4096;
  std::unordered_map<std::string, Compiled, Hash, std::equal_to<>> cache_;
};

}  // namespace lua
