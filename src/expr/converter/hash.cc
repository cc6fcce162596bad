// Hashes for spreading and statistics, not for security (manual section 7.3.1).
#include "base/hash.h"

#include <xxhash.h>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

template <std::uint32_t (*kHash)(std::string_view)>
bool hash(Args args, Context&, Value& value, const ConverterRow&) {
  std::uint32_t h = kHash(value.text);
  if (integer_or(args, 0, 0) != 0) h = base::avalanche(h);
  return give(value, h);
}

bool xxh32(Args args, Context&, Value& value, const ConverterRow&) {
  auto seed = static_cast<XXH32_hash_t>(integer_or(args, 0, 0));
  return give(value, XXH32(value.text.data(), value.text.size(), seed));
}
bool xxh64(Args args, Context&, Value& value, const ConverterRow&) {
  auto seed = static_cast<XXH64_hash_t>(integer_or(args, 0, 0));
  return give(value, static_cast<std::int64_t>(XXH64(value.text.data(), value.text.size(), seed)));
}
bool xxh3(Args args, Context&, Value& value, const ConverterRow&) {
  auto seed = static_cast<XXH64_hash_t>(integer_or(args, 0, 0));
  return give(value, static_cast<std::int64_t>(
                         XXH3_64bits_withSeed(value.text.data(), value.text.size(), seed)));
}

constexpr ConverterRow kRows[] = {
    {{"crc32", "[i", "CRC32 as of Ethernet and gzip; 1 mixes it further."},
     Type::binary,
     Type::integer,
     hash<base::hash_crc32>},
    {{"crc32c", "[i", "CRC32C (RFC 4960); 1 mixes it further."},
     Type::binary,
     Type::integer,
     hash<base::hash_crc32c>},
    {{"djb2", "[i", "The DJB2 hash; 1 mixes it further."},
     Type::binary,
     Type::integer,
     hash<base::hash_djb2>},
    {{"sdbm", "[i", "The SDBM hash; 1 mixes it further."},
     Type::binary,
     Type::integer,
     hash<base::hash_sdbm>},
    {{"wt6", "[i", "The WT6 hash; 1 mixes it further."},
     Type::binary,
     Type::integer,
     hash<base::hash_wt6>},
    {{"xxh3", "[i", "XXH3 of 64 bits with a seed."}, Type::binary, Type::integer, xxh3},
    {{"xxh32", "[i", "XXH32 with a seed."}, Type::binary, Type::integer, xxh32},
    {{"xxh64", "[i", "XXH64 with a seed."}, Type::binary, Type::integer, xxh64},
};

}  // namespace

std::span<const ConverterRow> hash_converters() { return kRows; }

}  // namespace expr::converter
