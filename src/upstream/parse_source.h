// "source <addr>[:<port>] [usesrc …] [interface <name>]", on its own line and on a server's.
#pragma once

#include "config/arguments.h"
#include "upstream/settings.h"

namespace upstream {

bool parse_source(config::Arguments& args, net::ConnectOptions& connect, SourceSettings& source,
                  bool ranges);

}  // namespace upstream
