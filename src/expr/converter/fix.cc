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

// Takes "35=A" and its end from the front.
bool take_tag(std::string_view& in, Tag& out) {
  std::size_t end = in.find(kEnd);
  if (end == std::string_view::npos) return false;
  std::string_view tag = in.substr(0, end);
  std::size_t equals = tag.find('=');
  if (equals == std::string_view::npos || equals + 1 == tag.size()) return false;
  auto id = base::parse_int<std::uint32_t>(tag.substr(0, equals));
  if (!id) return false;
  out = {*id, tag.substr(equals + 1)};
  in.remove_prefix(end + 1);
  return true;
}

bool is_version(std::string_view text) {
  for (std::string_view known : {"FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1"})
    if (text == known) return true;
  return false;
}

int check_message(std::string_view message) {
  std::string_view rest = message;
  Tag tag;
  if (!take_tag(rest, tag) || tag.id != kBeginString || !is_version(tag.value)) return 0;
  if (!take_tag(rest, tag) || tag.id != kBodyLength) return 0;
  auto length = base::parse_int<std::uint32_t>(tag.value);
  if (!length || *length > rest.size()) return 0;
  std::size_t body_end = message.size() - rest.size() + *length;
  bool first = true;
  while (message.size() - rest.size() < body_end) {
    if (!take_tag(rest, tag) || (first && tag.id != kMsgType)) return 0;
    first = false;
  }
  if (first || message.size() - rest.size() != body_end) return 0;
  unsigned sum = 0;
  for (char c : message.substr(0, body_end)) sum += static_cast<unsigned char>(c);
  if (!take_tag(rest, tag) || tag.id != kCheckSum || tag.value.size() != 3 || !rest.empty())
    return 0;
  auto expected = base::parse_int<unsigned>(tag.value);
  return expected && *expected == sum % 256;
}

bool is_valid(Args, Context&, Value& value, const ConverterRow&) {
  return give_bool(value, check_message(value.text) != 0);
}

bool tag_value(Args args, Context&, Value& value, const ConverterRow&) {
  std::string_view rest = value.text;
  Tag tag;
  while (take_tag(rest, tag))
    if (tag.id == args[0].integer()) return give_bytes(value, tag.value);
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
  auto id = base::parse_int<std::uint32_t>(text);
  if (!id) {
    error = fmt::format("Unknown FIX tag name '{}'", text);
    return false;
  }
  args[0].value = std::int64_t{*id};
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
