// Sections that are not proxies: http-errors, userlist, log-profile, log-forward, healthcheck …
#pragma once

#include "app/sections/assembly.h"

namespace app {

void read_namespaces(const config::Section& section, Assembly& assembly);
// Once all rings are there.
void read_traces(const config::Section& section, Assembly& assembly);
std::span<const config::Keyword> trace_keywords();
void read_mailers(const config::Section& section, Assembly& assembly);
void read_http_errors(const config::Section& section, Assembly& assembly);
void read_health_check(const config::Section& section, Assembly& assembly);
void read_user_list(const config::Section& section, Assembly& assembly);
void read_log_profile(const config::Section& section, Assembly& assembly);

void read_log_forward(const config::Section& section, Assembly& assembly);
// Once all sections were read.
void complete_log_forwards(Assembly& assembly);
// Finds the log backends that targets name; reports unknown ones.
void link_log_backends(Assembly& assembly);

}  // namespace app
