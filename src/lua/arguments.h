// Arguments that a script gives to a sample fetch or a converter, compiled as those written in a
// configuration and kept, since scripts repeat themselves.
#pragma once

#include <lua.hpp>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "expr/keyword.h"

namespace lua {

class Call;

class ArgumentCache {
 public:
  using Compiled = std::shared_ptr<std::vector<expr::Argument>>;
  // The values from `first` on; raises what is wrong with them.
  Compiled compile(lua_State* L, Call& call, const expr::FetchRow& row, int first);
  Compiled compile(lua_State* L, Call& call, const expr::ConverterRow& row, int first);

 private:
  template <class Row>
  Compiled find_or_parse(lua_State* L, Call& call, const Row& row, int first);
  static constexpr std::size_t kMost = 4096;
  std::unordered_map<std::string, Compiled> cache_;
};

}  // namespace lua
