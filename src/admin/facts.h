// What the statistics show of a proxy's settings.
#pragma once

#include "admin/stat_table.h"
#include "proxy/config.h"

namespace admin {

ProxyFacts facts_of(const proxy::Config& config, const state::Proxy& proxy);

}  // namespace admin
