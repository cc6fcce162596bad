// What is wrong with what a proxy before us has to send first on a client connection. The numbers
// are those of "fc_err" (manual, section 7.3.3).
#pragma once

#include <cstdint>
#include <string_view>

namespace txn {

enum class ClientError : std::uint8_t {
  none = 0,
  proxy_empty = 11,
  proxy_abort = 12,
  proxy_timeout = 13,
  proxy_truncated = 14,
  proxy_none = 15,
  proxy_bad = 16,
  proxy_protocol = 17,
  netscaler_empty = 18,
  netscaler_abort = 19,
  netscaler_timeout = 20,
  netscaler_truncated = 21,
  netscaler_magic = 22,
  netscaler_protocol = 23,
};
std::string_view name_of(ClientError error);  // "PRX_EMPTY"; empty for none
std::string_view text_of(ClientError error);  // as fc_err_str gives it

}  // namespace txn
