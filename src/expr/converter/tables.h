// The families of converters, one file each; listed here and in tables.cc and nowhere else.
#pragma once

#include <span>

#include "expr/keyword.h"

namespace expr::converter {

std::span<const ConverterRow> address_converters();
std::span<const ConverterRow> crypto_converters();
std::span<const ConverterRow> date_converters();
std::span<const ConverterRow> encode_converters();
std::span<const ConverterRow> hash_converters();
std::span<const ConverterRow> json_converters();
std::span<const ConverterRow> json_query_converters();
std::span<const ConverterRow> map_converters();
std::span<const ConverterRow> number_converters();
std::span<const ConverterRow> process_converters();
std::span<const ConverterRow> regsub_converters();
std::span<const ConverterRow> text_converters();
std::span<const ConverterRow> variable_converters();

void add_tables(Catalogue& catalogue);

}  // namespace expr::converter
