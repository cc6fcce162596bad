// Parsing of "option …chk", "http-check …", "tcp-check …" and "external-check …" into a CheckDraft.
#pragma once

#include "upstream/parse.h"

namespace upstream {

bool parse_http_check(BackendParse& parse);
bool parse_tcp_check(BackendParse& parse);
bool parse_external_check(BackendParse& parse);
bool parse_option_external_check(BackendParse& parse);
bool parse_option_httpchk(BackendParse& parse);
bool parse_option_ldap_check(BackendParse& parse);
bool parse_option_mysql_check(BackendParse& parse);
bool parse_option_pgsql_check(BackendParse& parse);
bool parse_option_redis_check(BackendParse& parse);
bool parse_option_smtpchk(BackendParse& parse);
bool parse_option_spop_check(BackendParse& parse);
bool parse_option_ssl_hello_chk(BackendParse& parse);
bool parse_option_tcp_check(BackendParse& parse);
// Whether the rules begin with a connect that names a port.
bool check_names_port(const CheckDraft* draft);

}  // namespace upstream
