// Files that hold a whole HTTP response ("errorfile"): read once, understood once, so that rules on
// responses and keep-alive work on them as on any other answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "txn/exchange.h"

namespace rules {

// `status` is for empty files; others have their own.
base::Result<std::shared_ptr<const txn::Reply>> load_error_file(const std::string& path,
                                                                std::uint16_t status = 0);
base::Result<std::shared_ptr<const txn::Reply>> parse_error_message(std::string_view bytes,
                                                                    std::uint16_t status = 0);
base::Result<std::string> read_file(const std::string& path);

// Statuses that error files may stand for (manual section 4.4, "return").
bool is_error_status(std::uint16_t status);

}  // namespace rules
