// Bytes as texts and back: hexadecimal, base64, URL encoding, decimal chunks (manual
// section 7.3.1).
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "expr/converter/base64.h"
#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

constexpr char kHex[] = "0123456789ABCDEF";

bool hex(Args, Context& context, Value& value, const ConverterRow&) {
  Text out(context.arena, value.text.size() * 2);
  for (char c : value.text) {
    out.add(kHex[static_cast<unsigned char>(c) >> 4]);
    out.add(kHex[c & 15]);
  }
  return give_text(value, out.view());
}

bool hex_to_integer(Args, Context&, Value& value, const ConverterRow&) {
  std::uint64_t n = 0;
  for (char c : value.text) {
    int digit = base::hex_digit(c);
    if (digit < 0) return false;
    n = n << 4 | static_cast<unsigned>(digit);
  }
  return give(value, static_cast<std::int64_t>(n));
}

bool bits(Args, Context& context, Value& value, const ConverterRow&) {
  Text out(context.arena, value.text.size() * 8);
  for (char c : value.text)
    for (int bit = 7; bit >= 0; --bit) out.add(c >> bit & 1 ? '1' : '0');
  return give_text(value, out.view());
}

// be2hex, be2dec and le2dec: a separator between chunks of so many bytes.
struct Chunks {
  std::string_view separator;
  std::size_t size;
  bool whole_only;
  template <class F>
  void each(std::string_view bytes, F f) const {
    for (std::size_t at = 0; at < bytes.size(); at += size) {
      std::string_view chunk = bytes.substr(at, size);
      if (chunk.size() < size && whole_only) return;
      f(at, chunk);
    }
  }
};

bool be2hex(Args args, Context& context, Value& value, const ConverterRow&) {
  const std::int64_t size = std::max<std::int64_t>(integer_or(args, 1, 1), 1);
  Chunks chunks{text_or(args, 0, ""), static_cast<std::size_t>(size), integer_or(args, 2, 0) != 0};
  Text out(context.arena, value.text.size() * (2 + chunks.separator.size()));
  chunks.each(value.text, [&](std::size_t at, std::string_view chunk) {
    if (at != 0) out.add(chunks.separator);
    for (char c : chunk) {
      out.add(kHex[static_cast<unsigned char>(c) >> 4]);
      out.add(kHex[c & 15]);
    }
  });
  return give_text(value, out.view());
}

template <bool kLittle>
bool decimal(Args args, Context& context, Value& value, const ConverterRow&) {
  Chunks chunks{args[0].text(), static_cast<std::size_t>(args[1].integer()),
                integer_or(args, 2, 0) != 0};
  std::size_t count = value.text.size() / chunks.size + 1;
  Text out(context.arena, count * (20 + chunks.separator.size()));
  chunks.each(value.text, [&](std::size_t at, std::string_view chunk) {
    if (at != 0) out.add(chunks.separator);
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < chunk.size(); ++i)
      n = n << 8 | static_cast<unsigned char>(chunk[kLittle ? chunk.size() - 1 - i : i]);
    char digits[24];
    auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
    out.add({digits, static_cast<std::size_t>(end - digits)});
  });
  return give_text(value, out.view());
}

bool check_chunks(std::vector<Argument>& args, std::int64_t most, std::string& error) {
  if (std::int64_t cut = integer_or(args, 2, 0); cut != 0 && cut != 1) {
    error = fmt::format("Unsupported truncate value ({})", cut);
    return false;
  }
  std::int64_t size = integer_or(args, 1, 0);
  if (most == 0) {
    if (size <= 0) error = fmt::format("chunk_size needs to be positive ({})", size);
  } else if (size <= 0 || size > most) {
    error = fmt::format("chunk_size out of [1..{}] range ({})", most, size);
  }
  return error.empty();
}
bool check_be2hex(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  // Without a separator the size of chunks shows only where the last one is cut.
  if (args.empty() || (args[0].text().empty() && integer_or(args, 2, 0) == 0)) return true;
  return check_chunks(args, 0, error);
}
bool check_decimal(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                   std::string& error) {
  if (args.size() > 1) return check_chunks(args, 8, error);
  error = "chunk_size out of [1..8] range (0)";
  return false;
}

template <bool kUrl>
bool encode64(Args, Context& context, Value& value, const ConverterRow&) {
  return give_text(value, base64_encode(value.text, kUrl, context.arena));
}
template <bool kUrl>
bool decode64(Args, Context& context, Value& value, const ConverterRow&) {
  std::string_view out;
  return base64_decode(value.text, kUrl, context.arena, out) && give_binary(value, out);
}

bool url_decode(Args args, Context& context, Value& value, const ConverterRow&) {
  bool in_query = integer_or(args, 0, 0) != 0;
  Text out(context.arena, value.text.size());
  std::string_view s = value.text;
  for (std::size_t i = 0; i < s.size(); ++i) {
    char c = s[i];
    if (c == '+' && in_query) c = ' ';
    if (c == '?') in_query = true;
    if (c == '%') {
      int high = i + 2 < s.size() ? base::hex_digit(s[i + 1]) : -1;
      int low = i + 2 < s.size() ? base::hex_digit(s[i + 2]) : -1;
      if (high < 0 || low < 0) return false;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    out.add(c);
  }
  return give_text(value, out.view());
}

bool is_unreserved(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
bool url_encode(Args, Context& context, Value& value, const ConverterRow&) {
  Text out(context.arena, value.text.size() * 3);
  for (char c : value.text) {
    if (is_unreserved(c)) {
      out.add(c);
      continue;
    }
    out.add('%');
    out.add(kHex[static_cast<unsigned char>(c) >> 4]);
    out.add(kHex[c & 15]);
  }
  return give_text(value, out.view());
}
bool check_url_encode(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                      std::string& error) {
  if (args.empty() || args[0].text().empty() || args[0].text() == "query") return true;
  error = "Unexpected encode type. Allowed value is 'query'";
  return false;
}

constexpr ConverterRow kRows[] = {
    {{"b64dec", "", "Decodes base64."}, Type::string, Type::binary, decode64<false>},
    {{"base2", "", "Eight binary digits a byte."}, Type::binary, Type::string, bits},
    {{"base64", "", "Encodes as base64."}, Type::binary, Type::string, encode64<false>},
    {{"be2dec", "s[ii", "Big-endian chunks as decimal numbers with a separator between."},
     Type::binary,
     Type::string,
     decimal<false>,
     check_decimal},
    {{"be2hex", "s[ii", "Chunks as hexadecimal digits with a separator between."},
     Type::binary,
     Type::string,
     be2hex,
     check_be2hex},
    {{"hex", "", "Two hexadecimal digits a byte."}, Type::binary, Type::string, hex},
    {{"hex2i", "", "Hexadecimal digits as a number."}, Type::string, Type::integer, hex_to_integer},
    {{"le2dec", "s[ii", "Little-endian chunks as decimal numbers with a separator between."},
     Type::binary,
     Type::string,
     decimal<true>,
     check_decimal},
    {{"ub64dec", "", "Decodes base64url."}, Type::string, Type::binary, decode64<true>},
    {{"ub64enc", "", "Encodes as base64url."}, Type::binary, Type::string, encode64<true>},
    {{"url_dec", "[i", "Decodes percent encoding; '+' is a blank in a query or form."},
     Type::string,
     Type::string,
     url_decode},
    {{"url_enc", "s", "Encodes with percent signs for a query."},
     Type::string,
     Type::string,
     url_encode,
     check_url_encode},
};

}  // namespace

std::span<const ConverterRow> encode_converters() { return kRows; }

}  // namespace expr::converter
