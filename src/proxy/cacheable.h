// "option checkcache": whether a response that sets a cookie could be kept by a cache and given to
// somebody else (manual section 4.2; RFC 9111 section 3).
#pragma once

#include "http/message.h"

namespace proxy {

bool sets_cacheable_cookie(http::Method method, const http::ResponseHead& response);

}  // namespace proxy
