// FIX messages (Financial Information eXchange; manual section 7.3.1).
#include <fmt/format.h>

#include <array>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

constexpr char kEnd = '\x01';
constexpr std::int64_t kBeginString = 8, kBodyLength = 9, kCheckSum = 10, kMsgType = 35;

struct TagName {
  std::string_view name;
  std::int64_t id;
};
constexpr std::array<TagName, 6> kTags{{{"BeginString", kBeginString},
                                        {"BodyLength", kBodyLength},
                                        {"CheckSum", kCheckSum},
                                        {"MsgType", kMsgType},
                                        {"SenderCompID", 49},
                                        {"TargetCompID", 56}}};

struct Tag {
  std::int64_t id = 0;
  std::string_view value;
};

// What is known of bytes of which more may come.
enum class Known : std::uint8_t { valid, invalid, too_short };

// Takes "35=A" and its end from the front.
Known take_tag(std::string_view& in, Tag& out) {
  std::size_t equals = in.find('=');
  if (equals == std::string_view::npos) return Known::too_short;
  std::size_t end = in.find(kEnd, equals);
  if (end == std::string_view::npos) return Known::too_short;
  auto id = base::parse_int<std::uint32_t>(in.substr(0, equals));
  if (!id) return Known::invalid;
  std::string_view tag = in.substr(0, end);
  if (equals + 1 == tag.size()) return Known::invalid;
  out = {*id, tag.substr(equals + 1)};
  in.remove_prefix(end + 1);
  return Known::valid;
}

Known take_tag(std::string_view& in, std::int64_t id, Tag& out) {
  Known known = take_tag(in, out);
  return known == Known::valid && out.id != id ? Known::invalid : known;
}

bool is_version(std::string_view text) {
  for (std::string_view known : {"FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1"})
    if (text == known) return true;
  return false;
}

constexpr std::size_t kShortest = 26;  // "8=FIX.4.4|9=5|35=0|10=163|"

// Tags up to the checksum, which tells the end; what follows is another message.
Known check_message(std::string_view message) {
  if (message.size() < kShortest) return Known::too_short;
  std::string_view rest = message;
  Tag tag;
  if (Known known = take_tag(rest, kBeginString, tag); known != Known::valid) return known;
  if (!is_version(tag.value)) return Known::invalid;
  if (Known known = take_tag(rest, kBodyLength, tag); known != Known::valid) return known;
  const auto length = base::parse_int<std::uint32_t>(tag.value);
  if (!length) return Known::invalid;
  const std::size_t body = message.size() - rest.size();
  if (Known known = take_tag(rest, kMsgType, tag); known != Known::valid) return known;
  std::size_t end = body;  // of the body
  while (tag.id != kCheckSum) {
    end = message.size() - rest.size();
    if (Known known = take_tag(rest, tag); known != Known::valid) return known;
  }
  unsigned sum = 0;
  for (char c : message.substr(0, end)) sum += static_cast<unsigned char>(c);
  const auto expected = base::parse_int<unsigned>(tag.value);
  const bool good = end - body == *length && tag.value.size() == 3 && expected == sum % 256;
  return good ? Known::valid : Known::invalid;
}

bool is_valid(Args, Context& context, Value& value, const ConverterRow&) {
  Known known = check_message(value.text);
  if (known == Known::too_short) return false;
  context.incomplete = false;  // more bytes would not change the verdict
  return give_bool(value, known == Known::valid);
}

bool tag_value(Args args, Context&, Value& value, const ConverterRow&) {
  std::string_view rest = value.text;
  Tag tag;
  while (take_tag(rest, tag) == Known::valid)
    if (tag.id == args[0].integer()) return give_binary(value, tag.value);
  return false;
}

bool check_tag(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
               std::string& error) {
  const std::string text = args[0].text();
  for (const TagName& tag : kTags) {
    if (tag.name != text) continue;
    args[0].value = tag.id;
    return true;
  }
  auto id = base::parse_int<std::int64_t>(text);
  if (!id || *id <= 0) {
    error = fmt::format("Unknown FIX tag name '{}'", text);
    return false;
  }
  args[0].value = *id;
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"fix_is_valid", "", "Whether it is a whole and correct FIX message."},
     Type::binary,
     Type::boolean,
     is_valid},
    {{"fix_tag_value", "s", "The value of a tag of a FIX message."},
     Type::binary,
     Type::binary,
     tag_value,
     check_tag},
};

}  // namespace

std::span<const ConverterRow> fix_converters() { return kRows; }

}  // namespace expr::converter
