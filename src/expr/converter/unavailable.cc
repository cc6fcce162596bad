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
  return {{name, arguments, "Needs a store of certificates; not supported yet."},
          Type::binary,
          out,
          never,
          refuse};
}

constexpr ConverterRow kRows[] = {
    token("jwt_decrypt_cert", "s", Type::binary),
    token("jwt_verify_cert", "ss", Type::integer),
};

}  // namespace

std::span<const ConverterRow> unavailable_converters() { return kRows; }

}  // namespace expr::converter
