// The families of converters, one file each; listed here and in tables.cc and nowhere else.
#pragma once

#include <span>

#include "expr/keyword.h"

namespace expr::converter {

std::span<const ConverterRow> address_converters();
std::span<const ConverterRow> crypto_converters();
std::span<const ConverterRow> date_converters();
std::span<const ConverterRow> debug_converters();
std::span<const ConverterRow> encode_converters();
std::span<const ConverterRow> fix_converters();
std::span<const ConverterRow> forwarded_converters();
std::span<const ConverterRow> hash_converters();
std::span<const ConverterRow> json_converters();
std::span<const ConverterRow> json_query_converters();
std::span<const ConverterRow> jwe_converters();
std::span<const ConverterRow> jwt_converters();
std::span<const ConverterRow> language_converters();
std::span<const ConverterRow> map_converters();
std::span<const ConverterRow> mqtt_converters();
std::span<const ConverterRow> number_converters();
std::span<const ConverterRow> packet_converters();
std::span<const ConverterRow> process_converters();
std::span<const ConverterRow> protobuf_converters();
std::span<const ConverterRow> regsub_converters();
std::span<const ConverterRow> stick_converters();
std::span<const ConverterRow> text_converters();
std::span<const ConverterRow> unavailable_converters();
std::span<const ConverterRow> variable_converters();
std::span<const ConverterRow> x509_converters();

void add_tables(Catalogue& catalogue);

}  // namespace expr::converter
