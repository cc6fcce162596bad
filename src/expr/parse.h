// Everything a parser of expressions needs to know about its surroundings.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/arguments.h"
#include "expr/keyword.h"
#include "state/patterns.h"
#include "state/registry.h"

namespace expr {

class Acl;
struct UserList;

// Where the expression stands: decides which samples are valid and how errors read.
struct ParseContext {
  const Catalogue& catalogue;
  state::Registry& registry;
  state::PatternSets& patterns;
  config::Diagnostics& diagnostics;
  // Proxies are named before they are all parsed: look-ups by name that fail now are tried again by
  // these, after every section was read. They report their own errors.
  std::vector<std::function<void()>>& deferred;
  state::Proxy* proxy = nullptr;  // whose section this is
  std::uint32_t available = ~0u;  // Where bits; see available_at()
  const char* place = "";         // place_name(), for messages
  // Named ACLs of the section, then inherited ones.
  std::map<std::string, std::shared_ptr<Acl>, std::less<>>* acls = nullptr;
  const std::map<std::string, std::shared_ptr<UserList>, std::less<>>* user_lists = nullptr;
};

}  // namespace expr
