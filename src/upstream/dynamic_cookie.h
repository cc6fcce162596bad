// "cookie … dynamic": a server's cookie from its address and the secret of the backend, so that
// several proxies with the same secret agree without naming cookies.
#pragma once

#include "upstream/backend.h"

namespace upstream {

// Sets the cookie of a server that has none of its own; nothing when the backend does not ask for
// it.
void set_dynamic_cookie(Server& server);

}  // namespace upstream
