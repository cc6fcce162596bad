// Converters that need parts which are not there yet: refused by name, with what is missing.
#include <fmt/format.h>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

bool never(Args, Context&, Value&, const ConverterRow&) { return false; }

bool refuse(std::vector<Argument>&, ParseContext&, const config::Keyword& row, std::string& error) {
  error = fmt::format("'{}' is not supported yet", row.name);
  return false;
}

constexpr ConverterRow token(std::string_view name, std::string_view arguments, Type out) {
  return {
      {name, arguments, "JSON web tokens; not supported yet."}, Type::binary, out, never, refuse};
}
constexpr ConverterRow table(std::string_view name, std::string_view arguments = "T") {
  return {{name, arguments, "A value of a stick table's entry; not supported yet."},
          Type::any,
          Type::integer,
          never,
          refuse};
}

constexpr ConverterRow kRows[] = {
    token("jwt_decrypt_cert", "s", Type::binary),
    token("jwt_decrypt_jwk", "s", Type::binary),
    token("jwt_decrypt_secret", "s", Type::binary),
    token("jwt_header_query", "[ss", Type::any),
    token("jwt_payload_query", "[ss", Type::any),
    token("jwt_verify", "ss", Type::integer),
    token("jwt_verify_cert", "ss", Type::integer),
    {{"in_table", "T", "Whether a stick table has the entry; not supported yet."},
     Type::any,
     Type::boolean,
     never,
     refuse},
    table("table_bytes_in_rate"),
    table("table_bytes_out_rate"),
    table("table_clr_gpc", "iT"),
    table("table_clr_gpc0"),
    table("table_clr_gpc1"),
    table("table_conn_cnt"),
    table("table_conn_cur"),
    table("table_conn_rate"),
    table("table_expire", "T[i"),
    table("table_glitch_cnt"),
    table("table_glitch_rate"),
    table("table_gpc", "iT"),
    table("table_gpc0"),
    table("table_gpc0_rate"),
    table("table_gpc1"),
    table("table_gpc1_rate"),
    table("table_gpc_rate", "iT"),
    table("table_gpt", "iT"),
    table("table_gpt0"),
    table("table_http_err_cnt"),
    table("table_http_err_rate"),
    table("table_http_fail_cnt"),
    table("table_http_fail_rate"),
    table("table_http_req_cnt"),
    table("table_http_req_rate"),
    table("table_idle", "T[i"),
    table("table_inc_gpc", "iT"),
    table("table_inc_gpc0"),
    table("table_inc_gpc1"),
    table("table_kbytes_in"),
    table("table_kbytes_out"),
    table("table_server_id"),
    table("table_sess_cnt"),
    table("table_sess_rate"),
    table("table_trackers"),
};

}  // namespace

std::span<const ConverterRow> unavailable_converters() { return kRows; }

}  // namespace expr::converter
