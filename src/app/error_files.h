// Files with a whole HTTP response, as "errorfile" names them, made into replies.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "txn/exchange.h"

namespace app {

// Statuses the proxy itself answers with and that may be replaced.
bool is_replaceable_status(std::int64_t status);

// The response in `text`: status line, headers, empty line, body. An empty text closes silently.
base::Result<std::shared_ptr<const txn::Reply>> parse_error_reply(std::string_view text,
                                                                  std::uint16_t status);
base::Result<std::string> read_whole_file(const std::string& path);

}  // namespace app
