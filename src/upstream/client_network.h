// The network namespace that a client connection is associated with (manual, "namespace").
#pragma once

#include <string_view>

#include "txn/session.h"

namespace upstream {

// What an accepted PROXY header tells when the configuration names it, else that of the connection.
// Empty: the process's own. The view lives as long as the session.
std::string_view network_of_client(const txn::Session& session);

}  // namespace upstream
