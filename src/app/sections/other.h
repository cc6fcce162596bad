// Sections that are not proxies: http-errors, userlist, log-profile.
#pragma once

#include "app/sections/assembly.h"

namespace app {

void read_http_errors(const config::Section& section, Assembly& assembly);
void read_user_list(const config::Section& section, Assembly& assembly);
void read_log_profile(const config::Section& section, Assembly& assembly);

}  // namespace app
