#include "app/sections/section.h"

namespace app {

namespace {

constexpr std::string_view kNames[] = {
    "global",      "defaults",    "listen",         "frontend",   "backend",     "userlist",
    "peers",       "mailers",     "namespace_list", "traces",     "resolvers",   "ring",
    "log-forward", "log-profile", "http-errors",    "crt-store",  "cache",       "fcgi-app",
    "acme",        "healthcheck", "spoe-agent",     "spoe-group", "spoe-message"};

}  // namespace

std::span<const std::string_view> section_names() { return kNames; }

}  // namespace app
