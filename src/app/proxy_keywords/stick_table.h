// "stick-table" of proxy sections, and its arguments for whoever declares tables elsewhere. Loading
// thread only.
#pragma once

#include "app/proxy_keywords/keyword.h"
#include "state/stick_table.h"

namespace app {

bool parse_stick_table(config::Arguments& args, state::StickSettings& table);
bool read_stick_table(ProxyContext& context);

}  // namespace app
