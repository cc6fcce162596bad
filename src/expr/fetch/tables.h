// The families of sample fetches, one file each; listed here and nowhere else.
#pragma once

#include <span>

#include "expr/keyword.h"

namespace expr::fetch {

std::span<const FetchRow> acl_fetches();
std::span<const FetchRow> body_fetches();
std::span<const FetchRow> capture_fetches();
std::span<const FetchRow> client_hello_fetches();
std::span<const FetchRow> connection_fetches();
std::span<const FetchRow> constant_fetches();
std::span<const FetchRow> cookie_fetches();
std::span<const FetchRow> cost_fetches();
std::span<const FetchRow> distcc_fetches();
std::span<const FetchRow> exchange_fetches();
std::span<const FetchRow> header_fetches();
std::span<const FetchRow> http_auth_fetches();
std::span<const FetchRow> internal_fetches();
std::span<const FetchRow> payload_fetches();
std::span<const FetchRow> process_fetches();
std::span<const FetchRow> proxy_fetches();
std::span<const FetchRow> query_fetches();
std::span<const FetchRow> request_fetches();
std::span<const FetchRow> server_fetches();
std::span<const FetchRow> stick_fetches();
std::span<const FetchRow> stream_fetches();
std::span<const FetchRow> tcp_info_fetches();
std::span<const FetchRow> timer_fetches();
std::span<const FetchRow> tls_fetches();
std::span<const FetchRow> unavailable_fetches();
std::span<const FetchRow> variable_fetches();
std::span<const AclRow> acl_keywords();

void add_tables(Catalogue& catalogue);

}  // namespace expr::fetch
