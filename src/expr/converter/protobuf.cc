// Fields of protocol buffers, alone or behind the header of a gRPC message (manual section 7.3.1).
#include <fmt/format.h>

#include <array>
#include <bit>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
enum class As : std::uint8_t { raw, number, zigzag, truth, signed32, real32, real64 };

struct FieldType {
  std::string_view name;
  Wire wire;
  As as;
};
constexpr std::array<FieldType, 14> kTypes{{{"int32", Wire::varint, As::number},
                                            {"int64", Wire::varint, As::number},
                                            {"uint32", Wire::varint, As::number},
                                            {"uint64", Wire::varint, As::number},
                                            {"sint32", Wire::varint, As::zigzag},
                                            {"sint64", Wire::varint, As::zigzag},
                                            {"bool", Wire::varint, As::truth},
                                            {"enum", Wire::varint, As::number},
                                            {"fixed64", Wire::fixed64, As::number},
                                            {"sfixed64", Wire::fixed64, As::number},
                                            {"double", Wire::fixed64, As::real64},
                                            {"fixed32", Wire::fixed32, As::number},
                                            {"sfixed32", Wire::fixed32, As::signed32},
                                            {"float", Wire::fixed32, As::real32}}};

struct Query {
  std::vector<std::uint64_t> path;
  const FieldType* type = nullptr;  // null: as bytes
};

bool read_varint(std::string_view& in, std::uint64_t& out) {
  out = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    out |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

// Takes the field at the front; `data` is its raw value.
bool read_field(std::string_view& in, std::uint64_t& number, Wire& wire, std::string_view& data) {
  std::uint64_t key;
  if (!read_varint(in, key)) return false;
  number = key >> 3;
  wire = static_cast<Wire>(key & 7);
  std::string_view before = in;
  std::uint64_t size = 0;
  switch (wire) {
    case Wire::varint:
      if (!read_varint(in, size)) return false;
      data = before.substr(0, before.size() - in.size());
      return true;
    case Wire::fixed64:
      size = 8;
      break;
    case Wire::fixed32:
      size = 4;
      break;
    case Wire::bytes:
      if (!read_varint(in, size)) return false;
      break;
    default:
      return false;
  }
  if (size > in.size()) return false;
  data = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t n = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) n = n << 8 | static_cast<unsigned char>(bytes[i]);
  return n;
}

bool give_field(const FieldType& type, std::string_view data, Value& value) {
  std::uint64_t n = 0;
  if (type.wire == Wire::varint) {
    if (!read_varint(data, n)) return false;
  } else {
    n = little_endian(data);
  }
  switch (type.as) {
    case As::truth:
      return give_bool(value, n != 0);
    case As::zigzag:
      return give(value, static_cast<std::int64_t>(n >> 1 ^ (0 - (n & 1))));
    case As::signed32:
      return give(value, static_cast<std::int32_t>(n));
    case As::real32:
      return give(value,
                  static_cast<std::int64_t>(std::bit_cast<float>(static_cast<std::uint32_t>(n))));
    case As::real64:
      return give(value, static_cast<std::int64_t>(std::bit_cast<double>(n)));
    default:
      return give(value, static_cast<std::int64_t>(n));
  }
}

// The first field at each level of the path.
bool extract(const Query& query, std::string_view message, Value& value) {
  for (std::size_t level = 0; level < query.path.size(); ++level) {
    std::uint64_t number;
    Wire wire;
    std::string_view data;
    do {
      if (!read_field(message, number, wire, data)) return false;
    } while (number != query.path[level]);
    if (level + 1 < query.path.size()) {
      if (wire != Wire::bytes) return false;
      message = data;
      continue;
    }
    if (query.type == nullptr) return give_binary(value, data);
    return wire == query.type->wire && give_field(*query.type, data, value);
  }
  return false;
}

bool protobuf(Args args, Context&, Value& value, const ConverterRow&) {
  return extract(*args[0].object<Query>(), value.text, value);
}

// Messages follow each other, each behind a flag and four bytes of length.
bool ungrpc(Args args, Context&, Value& value, const ConverterRow&) {
  std::string_view in = value.text;
  while (in.size() > 5) {
    std::size_t size = 0;
    for (int i = 1; i < 5; ++i)
      size = size << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
    in.remove_prefix(5);
    if (size > in.size()) return false;
    if (extract(*args[0].object<Query>(), in.substr(0, size), value)) return true;
    in.remove_prefix(size);
  }
  return false;
}

bool check_query(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                 std::string& error) {
  auto query = std::make_shared<Query>();
  std::string_view path = args[0].text();
  while (!path.empty()) {
    std::size_t dot = std::min(path.find('.'), path.size());
    auto number = base::parse_int<std::uint64_t>(path.substr(0, dot));
    if (!number) {
      error = fmt::format("'{}' is not a field number", path.substr(0, dot));
      return false;
    }
    query->path.push_back(*number);
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  if (args.size() > 1) {
    for (const FieldType& type : kTypes)
      if (type.name == args[1].text()) query->type = &type;
    if (query->type == nullptr) {
      error = fmt::format("Wrong protocol buffer type '{}'", args[1].text());
      return false;
    }
  }
  args[0].value = std::static_pointer_cast<void>(query);
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"protobuf", "P[s", "A field of a protocol buffers message, as bytes or by its type."},
     Type::binary,
     Type::binary,
     protobuf,
     check_query},
    {{"ungrpc", "P[s", "A field of a gRPC message, as bytes or by its type."},
     Type::binary,
     Type::binary,
     ungrpc,
     check_query},
};

}  // namespace

std::span<const ConverterRow> protobuf_converters() { return kRows; }

}  // namespace expr::converter
