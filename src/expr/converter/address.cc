// Addresses and host names with ports (manual section 7.3.1).
#include <cstring>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"
#include "http/uri.h"

namespace expr::converter {
namespace {

bool ipmask(Args args, Context& context, Value& value, const ConverterRow&) {
  Value v4 = value;
  if (cast(v4, Type::ipv4, context.arena)) {
    v4.v4.s_addr &= args[0].ip().v4.s_addr;
    value = v4;
    return true;
  }
  if (!has(args, 1)) return false;
  const in6_addr& mask = args[1].ip().v6;
  for (int i = 0; i < 16; ++i)
    value.v6.s6_addr[i] = static_cast<unsigned char>(value.v6.s6_addr[i] & mask.s6_addr[i]);
  return true;
}

bool host_only(Args, Context& context, Value& value, const ConverterRow&) {
  std::string_view host = http::host_only(value.text);
  Text out(context.arena, host.size());
  for (char c : host) out.add(base::lower(c));
  return give_text(value, out.view());
}

bool port_only(Args, Context&, Value& value, const ConverterRow&) {
  auto port = base::parse_int<std::int64_t>(http::port_only(value.text));
  return give(value, port ? *port : 0);
}

constexpr ConverterRow kRows[] = {
    {{"host_only", "", "A Host header without its port, in lower case."},
     Type::string,
     Type::string,
     host_only},
    {{"ipmask", "n[N", "The address under a mask."}, Type::address, Type::address, ipmask},
    {{"port_only", "", "The port of a Host header, or 0."}, Type::string, Type::integer, port_only},
};

}  // namespace

std::span<const ConverterRow> address_converters() { return kRows; }

}  // namespace expr::converter
