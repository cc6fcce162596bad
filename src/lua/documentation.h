// What editors know of the API: the type and one line for each member, printed as definitions for
// lua-language-server. A test compares the rows with what scripts find. Constant data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "expr/keyword.h"

namespace lua {

// `type` begins with "(" for functions: their arguments without the object, and what they return.
struct Member {
  std::string_view owner, name, type, doc;
};

std::span<const Member> documented_members();
bool is_method_owner(std::string_view owner);  // its functions take the object first

// The text of share/lua/moongate.d.lua.
std::string definitions(const expr::Catalogue& samples);

}  // namespace lua
