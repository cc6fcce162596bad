#include "txn/client_error.h"

namespace txn {

namespace {

struct Row {
  ClientError error;
  std::string_view name, text;
};
constexpr Row kRows[] = {
    {ClientError::none, "", "Success"},
    {ClientError::proxy_empty, "PRX_EMPTY",
     "Connection closed while waiting for PROXY protocol header"},
    {ClientError::proxy_abort, "PRX_ABORT",
     "Connection error while waiting for PROXY protocol header"},
    {ClientError::proxy_timeout, "PRX_TIMEOUT", "Timeout while waiting for PROXY protocol header"},
    {ClientError::proxy_truncated, "PRX_TRUNCATED", "Truncated PROXY protocol header received"},
    {ClientError::proxy_none, "PRX_NOT_HDR",
     "Received something which does not look like a PROXY protocol header"},
    {ClientError::proxy_bad, "PRX_BAD_HDR", "Received an invalid PROXY protocol header"},
    {ClientError::proxy_protocol, "PRX_BAD_PROTO",
     "Received an unhandled protocol in the PROXY protocol header"},
    {ClientError::netscaler_empty, "CIP_EMPTY",
     "Connection closed while waiting for NetScaler Client IP header"},
    {ClientError::netscaler_abort, "CIP_ABORT",
     "Connection error while waiting for NetScaler Client IP header"},
    {ClientError::netscaler_timeout, "CIP_TIMEOUT",
     "Timeout while waiting for a NetScaler Client IP header"},
    {ClientError::netscaler_truncated, "CIP_TRUNCATED",
     "Truncated NetScaler Client IP header received"},
    {ClientError::netscaler_magic, "CIP_BAD_MAGIC",
     "Received an invalid NetScaler Client IP magic number"},
    {ClientError::netscaler_protocol, "CIP_BAD_PROTO",
     "Received an unhandled protocol in the NetScaler Client IP header"},
};

const Row& row_of(ClientError error) {
  for (const Row& row : kRows)
    if (row.error == error) return row;
  return kRows[0];
}

}  // namespace

std::string_view name_of(ClientError error) { return row_of(error).name; }
std::string_view text_of(ClientError error) { return row_of(error).text; }

}  // namespace txn
