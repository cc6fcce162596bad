// The first packets of MQTT 3.1, 3.1.1 and 5.0: CONNECT and CONNACK (manual section 7.3.1).
#include <fmt/format.h>

#include <array>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

enum class Packet : std::uint8_t { connect = 1, connack = 2 };

enum class Field : std::uint8_t {
  flags,
  protocol_name,
  protocol_version,
  client_identifier,
  will_topic,
  will_payload,
  username,
  password,
  keepalive,
  reason_code,
  property
};
struct FieldName {
  Packet packet;
  std::string_view name;
  Field field;
};
constexpr std::array<FieldName, 12> kFields{
    {{Packet::connect, "flags", Field::flags},
     {Packet::connect, "protocol_name", Field::protocol_name},
     {Packet::connect, "protocol_version", Field::protocol_version},
     {Packet::connect, "client_identifier", Field::client_identifier},
     {Packet::connect, "will_topic", Field::will_topic},
     {Packet::connect, "will_payload", Field::will_payload},
     {Packet::connect, "username", Field::username},
     {Packet::connect, "password", Field::password},
     {Packet::connect, "keepalive", Field::keepalive},
     {Packet::connack, "flags", Field::flags},
     {Packet::connack, "protocol_version", Field::protocol_version},
     {Packet::connack, "reason_code", Field::reason_code}}};

// How the value of a property is written (MQTT 5.0 section 2.2.2.2).
enum class Coding : std::uint8_t { none, byte, two, four, variable, text, pair };
constexpr std::uint8_t kInConnect = 1, kInWill = 2, kInConnack = 4;
struct Property {
  std::uint8_t id;
  Coding coding;
  std::uint8_t where;
};
constexpr std::array<Property, 26> kProperties{
    {{1, Coding::byte, kInWill},
     {2, Coding::four, kInWill},
     {3, Coding::text, kInWill},
     {8, Coding::text, kInWill},
     {9, Coding::text, kInWill},
     {17, Coding::four, kInConnect | kInConnack},
     {18, Coding::text, kInConnack},
     {19, Coding::two, kInConnack},
     {21, Coding::text, kInConnect | kInConnack},
     {22, Coding::text, kInConnect | kInConnack},
     {23, Coding::byte, kInConnect},
     {24, Coding::four, kInWill},
     {25, Coding::byte, kInConnect},
     {26, Coding::text, kInConnack},
     {28, Coding::text, kInConnack},
     {31, Coding::text, kInConnack},
     {33, Coding::two, kInConnect | kInConnack},
     {34, Coding::two, kInConnect | kInConnack},
     {36, Coding::byte, kInConnack},
     {37, Coding::byte, kInConnack},
     {38, Coding::pair, kInConnect | kInWill | kInConnack},
     {39, Coding::four, kInConnect | kInConnack},
     {40, Coding::byte, kInConnack},
     {41, Coding::byte, kInConnack},
     {42, Coding::byte, kInConnack},
     {0, Coding::none, 0}}};

// Takes values from the front; `good` turns false when they are not there.
struct Reader {
  std::string_view in;
  bool good = true;

  std::uint32_t number(std::size_t size) {
    if (in.size() < size) return good = false, 0;
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < size; ++i) n = n << 8 | static_cast<unsigned char>(in[i]);
    in.remove_prefix(size);
    return n;
  }
  std::uint32_t variable() {
    std::uint32_t n = 0;
    for (unsigned shift = 0; shift < 28; shift += 7) {
      std::uint32_t byte = number(1);
      n |= (byte & 127) << shift;
      if (!good || byte < 128) return n;
    }
    return good = false, 0;
  }
  std::string_view bytes(std::size_t size) {
    if (in.size() < size) return good = false, std::string_view();
    std::string_view out = in.substr(0, size);
    in.remove_prefix(size);
    return out;
  }
  std::string_view text() { return bytes(number(2)); }
};

// What is looked for, and what was found on the way.
struct Search {
  Packet packet;
  Field field = Field::flags;
  std::uint32_t property = 0;
  std::string_view text{};
  std::int64_t number = 0;
  bool found_text = false, found_number = false;

  void offer(Field which, std::string_view value) {
    if (which == field) text = value, found_text = true;
  }
  void offer(Field which, std::uint32_t value) {
    if (which == field) number = value, found_number = true;
  }
  void offer_property(std::uint32_t id, std::string_view value) {
    if (field == Field::property && id == property && !found_text) text = value, found_text = true;
  }
  void offer_property(std::uint32_t id, std::uint32_t value) {
    if (field == Field::property && id == property && !found_number)
      number = value, found_number = true;
  }
};

const Property* find_property(std::uint32_t id, std::uint8_t where) {
  for (const Property& p : kProperties)
    if (p.id == id && (p.where & where) != 0) return &p;
  return nullptr;
}

void read_properties(Reader& packet, std::uint8_t where, Search& search) {
  std::uint32_t size = packet.variable();
  Reader in{packet.bytes(size)};
  while (packet.good && !in.in.empty()) {
    std::uint32_t id = in.number(1);
    const Property* property = find_property(id, where);
    switch (property == nullptr ? Coding::none : property->coding) {
      case Coding::byte:
        search.offer_property(id, in.number(1));
        break;
      case Coding::two:
        search.offer_property(id, in.number(2));
        break;
      case Coding::four:
        search.offer_property(id, in.number(4));
        break;
      case Coding::variable:
        search.offer_property(id, in.variable());
        break;
      case Coding::text:
        search.offer_property(id, in.text());
        break;
      case Coding::pair:
        in.text();
        in.text();
        break;
      case Coding::none:
        in.good = false;
        break;
    }
    packet.good = in.good;
  }
}

// MQTT 3.1.1 section 3.1, MQTT 5.0 section 3.1.
bool read_connect(Reader& in, Search& search) {
  std::string_view name = in.text();
  std::uint32_t version = in.number(1);
  bool known =
      (name == "MQIsdp" && version == 3) || (name == "MQTT" && (version == 4 || version == 5));
  if (!known) return false;
  search.offer(Field::protocol_name, name);
  search.offer(Field::protocol_version, version);
  std::uint32_t flags = in.number(1);
  if (flags & 1) return false;
  search.offer(Field::flags, flags);
  search.offer(Field::keepalive, in.number(2));
  if (version == 5) read_properties(in, kInConnect, search);
  search.offer(Field::client_identifier, in.text());
  if (flags & 4) {
    if (version == 5) read_properties(in, kInWill, search);
    search.offer(Field::will_topic, in.text());
    search.offer(Field::will_payload, in.text());
  }
  if (flags & 0x80) search.offer(Field::username, in.text());
  if (flags & 0x40) search.offer(Field::password, in.text());
  return in.good && in.in.empty();
}

// MQTT 5.0 adds properties; without them it is 3.1.1.
bool read_connack(Reader& in, Search& search) {
  std::uint32_t flags = in.number(1);
  if (flags & 0xfe) return false;
  search.offer(Field::flags, flags);
  search.offer(Field::reason_code, in.number(1));
  bool is_5 = !in.in.empty();
  search.offer(Field::protocol_version, std::uint32_t{is_5 ? 5u : 4u});
  if (is_5) read_properties(in, kInConnack, search);
  return in.good && in.in.empty();
}

// Whether the flags are those of the type (MQTT 5.0 section 2.1.3).
bool is_type(unsigned char first) {
  const unsigned type = first >> 4, flags = first & 15;
  if (type == 0) return false;
  if (type == 3) return true;
  return flags == (type == 6 || type == 8 || type == 10 ? 2u : 0u);
}

// Whether a packet may still become whole.
bool is_too_short(std::string_view bytes) {
  if (bytes.size() < 2) return true;
  if (!is_type(static_cast<unsigned char>(bytes[0]))) return false;
  Reader head{bytes};
  head.number(1);
  std::uint32_t size = head.variable();
  return head.good ? size > head.in.size() : bytes.size() < 5;
}

// False when it is none of the two packets, or broken.
bool read_packet(std::string_view bytes, Search& search) {
  Reader head{bytes};
  std::uint32_t first = head.number(1);
  std::uint32_t size = head.variable();
  if (!head.good || (first & 15) != 0 || size != head.in.size()) return false;
  Reader in{head.in};
  if (first >> 4 == 1) return search.packet == Packet::connect && read_connect(in, search);
  return first >> 4 == 2 && search.packet == Packet::connack && read_connack(in, search);
}

bool is_valid(Args, Context& context, Value& value, const ConverterRow&) {
  if (is_too_short(value.text)) return false;
  context.incomplete = false;  // more bytes would not change the verdict
  const bool answer = static_cast<unsigned char>(value.text[0]) >> 4 == 2;
  Search search{answer ? Packet::connack : Packet::connect};
  return give_bool(value, read_packet(value.text, search));
}

bool field_value(Args args, Context& context, Value& value, const ConverterRow&) {
  Search search{static_cast<Packet>(args[0].integer())};
  std::int64_t wanted = args[1].integer();
  if (wanted >= 256) {
    search.field = Field::property;
    search.property = static_cast<std::uint32_t>(wanted - 256);
  } else {
    search.field = static_cast<Field>(wanted);
  }
  if (!read_packet(value.text, search)) return false;
  if (search.found_number) {
    value = Value::of(search.number);
    return cast(value, Type::string, context.arena);
  }
  return search.found_text && give_text(value, search.text);
}

bool check_field(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                 std::string& error) {
  const std::string type = args[0].text();
  bool connect = base::iequals(type, "connect") || type == "1";
  if (!connect && !base::iequals(type, "connack") && type != "2") {
    error = fmt::format("Unknown MQTT type '{}'", type);
    return false;
  }
  Packet packet = connect ? Packet::connect : Packet::connack;
  const std::string name = args[1].text();
  std::optional<std::int64_t> wanted;
  for (const FieldName& f : kFields)
    if (f.packet == packet && base::iequals(f.name, name))
      wanted = static_cast<std::int64_t>(f.field);
  auto id = base::parse_int<std::uint32_t>(name);
  std::uint8_t where = connect ? kInConnect | kInWill : kInConnack;
  const Property* property = id ? find_property(*id, where) : nullptr;
  if (property != nullptr) wanted = 256 + std::int64_t{property->id};  // pairs give nothing
  if (!wanted) {
    error = fmt::format("Unknown MQTT field name '{}' for packet type '{}'", name, type);
    return false;
  }
  args[0].value = static_cast<std::int64_t>(packet);
  args[1].value = *wanted;
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"mqtt_field_value", "ss", "A field or property of an MQTT CONNECT or CONNACK packet."},
     Type::binary,
     Type::string,
     field_value,
     check_field},
    {{"mqtt_is_valid", "", "Whether it is a valid MQTT CONNECT or CONNACK packet."},
     Type::binary,
     Type::boolean,
     is_valid},
};

}  // namespace

std::span<const ConverterRow> mqtt_converters() { return kRows; }

}  // namespace expr::converter
