// What this program is, what it is compatible with, and what it was built with: the answers of -v,
// -vv and of conditions like feature(LUA).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "config/load.h"

namespace app {

inline constexpr std::string_view kName = "Moongate";
inline constexpr std::string_view kVersion = "0.1.0";
// The release whose language, commands and Lua interface are offered.
inline constexpr std::string_view kCompatibleVersion = "3.5-dev5";
inline constexpr std::string_view kCompatibleBranch = "3.5";
inline constexpr std::string_view kCompatibleDate = "2026/08/21";

struct Feature {
  std::string_view name;
  bool present;
};

// Features that command line options turn off.
struct Switches {
  bool splice = true, getaddrinfo = true, reuse_port = true, fast_forward = true;
  bool verify_servers = true;
};

config::Predicates make_predicates(const Switches& switches);

// "2.5-dev0", "3.5", "3.5-dev3": negative, zero or positive as `a` is older, equal or newer.
int compare_versions(std::string_view a, std::string_view b);

std::string version_text();  // -v
std::string build_text();    // -vv

}  // namespace app
