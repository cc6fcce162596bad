// One connection to the runtime socket: reads lines, runs their commands, ends each answer with an
// empty line. Runs in its own fiber until the client is done or idle for too long.
#pragma once

#include "admin/cli.h"

namespace admin {

// Owns `fd`, which is non-blocking.
void run_session(int fd, const CliSocket& socket, Environment& environment);

}  // namespace admin
