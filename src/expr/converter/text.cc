// Texts cut, joined and changed (manual section 7.3.1).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

template <char (*kChange)(char)>
bool change_case(Args, Context& context, Value& value, const ConverterRow&) {
  Text out(context.arena, value.text.size());
  for (char c : value.text) out.add(kChange(c));
  return give_text(value, out.view());
}
char to_lower(char c) { return base::lower(c); }
char to_upper(char c) { return base::upper(c); }

bool length(Args, Context&, Value& value, const ConverterRow&) {
  return give(value, static_cast<std::int64_t>(value.text.size()));
}

bool reverse(Args, Context& context, Value& value, const ConverterRow&) {
  Text out(context.arena, value.text.size());
  std::for_each(value.text.rbegin(), value.text.rend(), [&](char c) { out.add(c); });
  return give_text(value, out.view());
}

bool reverse_labels(Args, Context& context, Value& value, const ConverterRow&) {
  std::string_view name = value.text;
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty()) return false;
  Text out(context.arena, name.size());
  for (std::size_t end = name.size();;) {
    std::size_t dot = name.rfind('.', end - 1);
    std::size_t from = dot == std::string_view::npos ? 0 : dot + 1;
    if (end == 0 || from == end) return false;  // an empty label
    out.add(name.substr(from, end - from));
    if (dot == std::string_view::npos) break;
    if (dot == 0) return false;
    out.add('.');
    end = dot;
  }
  return give_text(value, out.view());
}

bool cut_crlf(Args, Context&, Value& value, const ConverterRow&) {
  return give_text(value, value.text.substr(0, value.text.find_first_of("\r\n")));
}

bool trim_left(Args args, Context&, Value& value, const ConverterRow&) {
  std::size_t from = value.text.find_first_not_of(args[0].text());
  return give_text(value, from == std::string_view::npos ? value.text.substr(value.text.size())
                                                         : value.text.substr(from));
}
bool trim_right(Args args, Context&, Value& value, const ConverterRow&) {
  std::size_t last = value.text.find_last_not_of(args[0].text());
  return give_text(value, value.text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

bool concat(Args args, Context& context, Value& value, const ConverterRow&) {
  std::string_view start = text_or(args, 0, "");
  std::string_view middle;
  if (has(args, 1)) variable_text(args[1].variable(), context, middle);
  std::string_view end = text_or(args, 2, "");
  Text out(context.arena, value.text.size() + start.size() + middle.size() + end.size());
  out.add(value.text);
  out.add(start);
  out.add(middle);
  out.add(end);
  return give_text(value, out.view());
}

bool add_item(Args args, Context& context, Value& value, const ConverterRow&) {
  std::string_view delimiter = args[0].text();
  std::string_view item;
  if (has(args, 1)) variable_text(args[1].variable(), context, item);
  std::string_view suffix = text_or(args, 2, "");
  Text out(context.arena, value.text.size() + delimiter.size() + item.size() + suffix.size());
  out.add(value.text);
  if (!value.text.empty() && (!item.empty() || !suffix.empty())) out.add(delimiter);
  out.add(item);
  out.add(suffix);
  return give_text(value, out.view());
}

bool check_concat(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  return args.size() < 2 || to_variable(args[1], error);
}
bool check_add_item(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                    std::string& error) {
  if (args.size() > 1 && !to_variable(args[1], error)) return false;
  const bool has_suffix = args.size() > 2 && !args[2].text().empty();
  if (args.size() > 1 && (args[1].present() || has_suffix)) return true;
  error = "one of the optional arguments has to be nonempty";
  return false;
}

// Where fields begin and end. Words are fields with the empty ones left out.
struct Cut {
  std::string_view text, delimiters;
  bool words;
  bool is_delimiter(char c) const { return delimiters.find(c) != std::string_view::npos; }

  // The field that begins at or behind `from`; false at the end.
  bool next(std::size_t from, std::size_t& begin, std::size_t& end) const {
    if (words) {
      while (from < text.size() && is_delimiter(text[from])) ++from;
      if (from == text.size()) return false;
    }
    if (from > text.size()) return false;
    begin = end = from;
    while (end < text.size() && !is_delimiter(text[end])) ++end;
    return true;
  }
  // The field that ends at or before `to`.
  bool previous(std::ptrdiff_t to, std::size_t& begin, std::size_t& end) const {
    if (words) {
      while (to > 0 && is_delimiter(text[static_cast<std::size_t>(to - 1)])) --to;
      if (to == 0) return false;
    }
    if (to < 0) return false;
    begin = end = static_cast<std::size_t>(to);
    while (begin > 0 && !is_delimiter(text[begin - 1])) --begin;
    return true;
  }

  bool from_front(std::int64_t index, std::int64_t count, std::string_view& out) const {
    std::size_t begin = 0, end = 0, at = 0;
    for (std::int64_t i = 1;; ++i, at = end + 1) {
      if (!next(at, begin, end)) return false;
      if (i == index) break;
    }
    std::size_t first = begin;
    if (count <= 0) end = text.size();
    for (std::int64_t i = 1; i < count; ++i)
      if (std::size_t unused; !next(end + 1, unused, end)) {
        end = text.size();
        break;
      }
    out = text.substr(first, end - first);
    return true;
  }
  bool from_back(std::int64_t index, std::int64_t count, std::string_view& out) const {
    std::size_t begin = 0, end = 0;
    auto at = static_cast<std::ptrdiff_t>(text.size());
    for (std::int64_t i = -1;; --i, at = static_cast<std::ptrdiff_t>(begin) - 1) {
      if (!previous(at, begin, end)) return false;
      if (i == index) break;
    }
    std::size_t last = end;
    if (count <= 0) begin = 0;
    for (std::int64_t i = 1; i < count; ++i)
      if (std::size_t unused; !previous(static_cast<std::ptrdiff_t>(begin) - 1, begin, unused)) {
        begin = 0;
        break;
      }
    out = text.substr(begin, last - begin);
    return true;
  }
};

template <bool kWords>
bool cut(Args args, Context&, Value& value, const ConverterRow&) {
  Cut how{value.text, args[1].text(), kWords};
  std::int64_t index = args[0].integer();
  std::int64_t count = integer_or(args, 2, 1);
  std::string_view out;
  bool found = index > 0 ? how.from_front(index, count, out) : how.from_back(index, count, out);
  return found && give_text(value, out);
}

bool check_cut(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
               std::string& error) {
  if (args[0].integer() == 0)
    error = "Unexpected value 0 for index";
  else if (args[1].text().empty())
    error = "Empty separators list";
  return error.empty();
}

bool bytes(Args args, Context& context, Value& value, const ConverterRow&) {
  std::int64_t offset;
  std::int64_t count = std::numeric_limits<std::int64_t>::max();
  if (!number_of(args[0], context, offset)) return false;
  if (has(args, 1) && !number_of(args[1], context, count)) return false;
  if (offset < 0 || count < 0) return false;
  std::size_t from = std::min(static_cast<std::size_t>(offset), value.text.size());
  return give_binary(value, value.text.substr(from, static_cast<std::size_t>(count)));
}
bool check_bytes(std::vector<Argument>& args, ParseContext& context, const config::Keyword& row,
                 std::string& error) {
  if (!check_number(args, context, row, error)) return false;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (args[i].is_variable() || !args[i].present()) continue;
    if (args[i].integer() < 0)
      error = "expects a non-negative integer";
    else if (i == 1 && args[i].integer() == 0)
      error = "expects a positive integer";
  }
  return error.empty();
}

bool compare(Args args, Context& context, Value& value, const ConverterRow&) {
  std::string_view other;
  if (!variable_text(args[0].variable(), context, other)) return false;
  std::size_t common = std::min(value.text.size(), other.size());
  for (std::size_t i = 0; i < common; ++i) {
    int difference =
        static_cast<unsigned char>(value.text[i]) - static_cast<unsigned char>(other[i]);
    if (difference != 0) return give(value, difference);
  }
  return give(value, value.text.size() == other.size()  ? 0
                     : value.text.size() < other.size() ? -1
                                                        : 1);
}
bool check_variable(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                    std::string& error) {
  if (!args[0].text().empty()) return to_variable(args[0], error);
  error = "missing variable name";
  return false;
}

bool param(Args args, Context&, Value& value, const ConverterRow&) {
  std::string_view name = args[0].text();
  char delimiter = static_cast<char>(integer_or(args, 1, '&'));
  std::string_view rest = value.text;
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find(delimiter), rest.size());
    std::string_view part = rest.substr(0, end);
    if (part.starts_with(name)) {
      part.remove_prefix(name.size());
      if (part.empty()) return give_text(value, part);
      if (part.front() == '=') return give_text(value, part.substr(1));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}
bool check_param(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                 std::string& error) {
  if (args.size() < 2) return true;
  std::string_view text = args[1].text();
  if (text.size() == 1) {
    args[1].value = std::int64_t{static_cast<unsigned char>(text[0])};
    return true;
  }
  auto code = base::parse_int<std::uint8_t>(
      text.starts_with("0x") && text.size() == 4 ? text.substr(2) : "", 16);
  if (!code) {
    error = "Delimiter must be either exactly 1 character, or 0xHH for an ASCII code .";
    return false;
  }
  args[1].value = std::int64_t{*code};
  return true;
}

constexpr std::int64_t kControlButTab = 0x1fffffdff;
bool has_control(Args args, Context&, Value& value, const ConverterRow&) {
  auto mask = static_cast<std::uint64_t>(integer_or(args, 0, kControlButTab));
  for (char c : value.text) {
    auto byte = static_cast<unsigned char>(c);
    if ((byte < 32 && (mask >> byte & 1) != 0) || (byte == 127 && (mask >> 32 & 1) != 0))
      return give_bool(value, true);
  }
  return give_bool(value, false);
}
bool check_mask(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                std::string& error) {
  if (args.empty()) return true;
  std::string_view text = args[0].text();
  std::optional<std::int64_t> mask;
  if (text.empty())
    mask = kControlButTab;
  else if (text == "any")
    mask = 0x1ffffffff;
  else if (text == "http")
    mask = 0x2401;
  else if (text.starts_with("0x") || text.starts_with("0X"))
    mask = base::parse_int<std::int64_t>(text.substr(2), 16);
  else
    mask = base::parse_int<std::int64_t>(text);
  if (!mask || *mask < 0 || *mask > 0x1ffffffff) {
    error = fmt::format("'{}' is not a mask of 33 bits, 'any' or 'http'", text);
    return false;
  }
  args[0].value = *mask;
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"add_item", "ss[s",
      "Appends a delimiter, a variable and a text, the delimiter only between texts."},
     Type::string,
     Type::string,
     add_item,
     check_add_item},
    {{"bytes", "a[a", "Bytes from an offset on, at most so many."},
     Type::binary,
     Type::binary,
     bytes,
     check_bytes},
    {{"concat", "s[ss", "Appends a text, a variable and a text."},
     Type::string,
     Type::string,
     concat,
     check_concat},
    {{"cut_crlf", "", "Ends the text at the first carriage return or newline."},
     Type::string,
     Type::string,
     cut_crlf},
    {{"field", "is[i", "The field of that index, from the front or (negative) from the back."},
     Type::string,
     Type::string,
     cut<false>,
     check_cut},
    {{"has_ctl", "[s", "True when there is a control character of the mask."},
     Type::binary,
     Type::boolean,
     has_control,
     check_mask},
    {{"length", "", "The length of the text."}, Type::string, Type::integer, length},
    {{"lower", "", "The text in lower case."}, Type::string, Type::string, change_case<to_lower>},
    {{"ltrim", "s", "Without these characters at the front."},
     Type::string,
     Type::string,
     trim_left},
    {{"param", "s[s", "The value of a parameter of a query or form."},
     Type::string,
     Type::string,
     param,
     check_param},
    {{"reverse", "", "The text backwards, byte by byte."}, Type::string, Type::string, reverse},
    {{"reverse_dom", "", "A host name with its labels in reverse order."},
     Type::string,
     Type::string,
     reverse_labels},
    {{"rtrim", "s", "Without these characters at the end."},
     Type::string,
     Type::string,
     trim_right},
    {{"strcmp", "s", "Compares with a variable: below zero, zero, above zero."},
     Type::string,
     Type::integer,
     compare,
     check_variable},
    {{"upper", "", "The text in upper case."}, Type::string, Type::string, change_case<to_upper>},
    {{"word", "is[i", "The word of that index, from the front or (negative) from the back."},
     Type::string,
     Type::string,
     cut<true>,
     check_cut},
};

}  // namespace

std::span<const ConverterRow> text_converters() { return kRows; }

}  // namespace expr::converter
