#include "expr/log_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "expr/log_alias.h"
#include "expr/log_encoding.h"

namespace expr {

struct LogFormat::Node {
  enum class Kind : std::uint8_t { text, blank, alias, expression } kind = Kind::text;
  std::uint8_t flags = 0;
  Type forced = Type::any;  // %(name:type)
  const LogAlias* alias = nullptr;
  std::unique_ptr<Expression> expression;
  std::string text;  // of a text; of others, the name
};

namespace {

// A number in decimal, or in capital hexadecimal digits of a least width.
void append_number(std::string& out, std::int64_t number, unsigned hex_digits) {
  char digits[24];
  std::to_chars_result end{};
  if (hex_digits != 0) {
    end = std::to_chars(digits, digits + sizeof(digits), static_cast<std::uint64_t>(number), 16);
    auto size = static_cast<std::size_t>(end.ptr - digits);
    for (std::size_t i = size; i < hex_digits; ++i) out += '0';
    for (std::size_t i = 0; i < size; ++i) out += base::upper(digits[i]);
    return;
  }
  end = std::to_chars(digits, digits + sizeof(digits), number);
  out.append(digits, static_cast<std::size_t>(end.ptr - digits));
}

void append_hex(std::string& out, const net::Ip& ip) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(&ip.v6);
  std::size_t size = ip.family == AF_INET ? 4 : 16;
  for (std::size_t i = 0; i < size; ++i) append_number(out, bytes[i], 2);
}

// Samples that change until all is over.
constexpr std::uint32_t kEndBits = kRequestEnd | kResponseEnd | kExchangeEnd | kSessionEnd;

constexpr char kHexDigits[] = "0123456789ABCDEF";

bool forbidden_in_header(char c) {
  auto byte = static_cast<unsigned char>(c);
  return (byte < 32 && byte != '\t') || byte == 127;
}
// Bytes that no header field may hold become %XX (RFC 9110 section 5.5, manual section 8.2.6).
void append_for_header(std::string& out, std::string_view text) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!forbidden_in_header(text[i])) continue;
    out.append(text, done, i - done);
    auto byte = static_cast<unsigned char>(text[i]);
    const char escaped[3] = {'%', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    out.append(escaped, 3);
    done = i + 1;
  }
  out.append(text, done);
}
bool clean_for_header(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kTops = kOnes << 7;
  // Eight bytes that are all from space on and none DEL; the last ones overlap.
  const auto clean = [](const char* at) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, at, sizeof bytes);
    const std::uint64_t difference = bytes ^ kOnes * 0x7f;
    return ((((bytes - kOnes * 32) & ~bytes) | ((difference - kOnes) & ~difference)) & kTops) == 0;
  };
  if (text.size() >= 8) {
    const char* const last = text.data() + text.size() - 8;
    const char* at = text.data();
    while (at < last && clean(at)) at += 8;
    if (at >= last && clean(last)) return true;
  }
  return std::none_of(text.begin(), text.end(), forbidden_in_header);
}

// Characters that structured data must escape (RFC 5424 section 6.3.3).
void append_with_backslashes(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '"' || c == '\\' || c == ']') out += '\\';
    out += c;
  }
}

// A text as flags want it; `empty_dash` puts "-" where there is nothing.
void append_text(std::string& out, std::string_view text, std::uint8_t flags, bool empty_dash) {
  if (flags & kFlagQuote) out += '"';
  if (text.empty()) {
    if (empty_dash && !(flags & kFlagQuote)) out += '-';
  } else if (flags & kFlagEscape) {
    append_with_backslashes(out, text);
  } else {
    out += text;
  }
  if (flags & kFlagQuote) out += '"';
}

}  // namespace

LogFormat::LogFormat() = default;
LogFormat::~LogFormat() = default;

// ---- formatting

namespace {

// What a node gives, before it is written.
Sample sample_of(const LogAlias& alias, Context& context, std::string& buffer) {
  if (alias.number != nullptr) {
    std::int64_t number = alias.number(context);
    if (alias.text == nullptr || number >= 0) return {Sample::Kind::number, number, {}};
  }
  if (alias.values != nullptr) {
    for (std::string_view value : alias.values(context)) {
      if (!buffer.empty()) buffer += ' ';
      append_escaped(buffer, value, alias.escape);
    }
  } else if (alias.text != nullptr) {
    alias.text(context, buffer);
  }
  return {Sample::Kind::text, 0, buffer};
}

Sample sample_of(const Expression& expression, Context& context, bool binary) {
  Value value;
  if (!expression.evaluate(context, value)) return {};
  if (value.type == Type::boolean) return {Sample::Kind::boolean, value.boolean, {}};
  if (value.type == Type::integer) return {Sample::Kind::number, value.integer, {}};
  bool bytes = value.type == Type::binary;
  if (!cast(value, bytes ? Type::binary : Type::string, context.arena)) return {};
  // Without +bin a text ends at its first zero byte.
  if (bytes && !binary) value.text = value.text.substr(0, value.text.find('\0'));
  return {bytes && binary ? Sample::Kind::binary : Sample::Kind::text, 0, value.text};
}

void append_list(const LogAlias& alias, Context& context, std::uint8_t flags, bool dash,
                 std::string& out) {
  std::span<const std::string_view> values = alias.values(context);
  if (values.empty()) return append_text(out, {}, flags, dash);
  bool first = true;
  for (std::string_view value : values) {
    if (!first) out += ' ';
    first = false;
    std::string escaped;
    append_escaped(escaped, value, alias.escape);
    append_text(out, escaped, flags, dash);
  }
}

void append_alias(const LogAlias& alias, Context& context, std::uint8_t flags, bool dash,
                  std::string& out) {
  if (alias.plus != nullptr && alias.plus(context)) out += '+';
  if (alias.form == AliasForm::list) return append_list(alias, context, flags, dash, out);
  if (alias.form == AliasForm::plain) return alias.text(context, out);
  if (alias.number != nullptr) {
    std::int64_t number = alias.number(context);
    if (alias.text == nullptr || number >= 0)
      return append_number(out, number, flags & kFlagHex ? alias.hex_digits : 0);
  }
  if (alias.ip != nullptr && (flags & kFlagHex)) {
    net::Ip ip = alias.ip(context);
    if (ip.family != 0) return append_hex(out, ip);
  }
  // Captured headers are nothing at all where none are declared, not even a dash.
  bool captures = alias.escape == AliasEscape::header;
  if (!(flags & (kFlagQuote | kFlagEscape))) {  // the usual case: no detour
    std::size_t before = out.size();
    alias.text(context, out);
    if (out.size() == before && dash && !captures) out += '-';
    return;
  }
  std::string buffer;
  alias.text(context, buffer);
  if (captures && buffer.empty()) return;
  append_text(out, buffer, flags, dash);
}

}  // namespace

void LogFormat::append(const Node& node, Context& context, bool for_log, std::string& out) const {
  bool dash = for_log || use_ == FormatUse::log;
  std::uint8_t flags = node.flags;
  switch (node.kind) {
    case Node::Kind::text:
      out += node.text;
      return;
    case Node::Kind::blank:
      if (!out.empty() && out.back() != ' ') out += ' ';
      return;
    case Node::Kind::alias:
      if (flags & kEncodings) break;
      return append_alias(*node.alias, context, flags, dash, out);
    case Node::Kind::expression: {
      if (flags & kEncodings) break;
      if (encoding_ & kFlagBinary) {
        Sample sample = sample_of(*node.expression, context, true);
        if (sample.kind == Sample::Kind::binary) {
          out += sample.text;
          return;
        }
      }
      std::string_view text;
      if (!node.expression->evaluate_text(context, text)) text = {};
      if (node.expression->type() == Type::binary) text = text.substr(0, text.find('\0'));
      bool header = use_ == FormatUse::rule || use_ == FormatUse::unique_id;
      if (header && !clean_for_header(text)) {
        std::string escaped;
        append_for_header(escaped, text);
        return append_text(out, escaped, flags, dash);
      }
      return append_text(out, text, flags, dash);
    }
  }
  std::string buffer;
  Sample sample = node.kind == Node::Kind::alias
                      ? sample_of(*node.alias, context, buffer)
                      : sample_of(*node.expression, context, encoding_ & kFlagBinary);
  force_type(sample, node.forced);
  if (flags & kFlagJson)
    append_json(out, sample);
  else
    append_cbor(out, sample, (encoding_ & kFlagBinary) != 0);
}

void LogFormat::format(Context& context, std::string& out, bool for_log) const {
  if (!(encoding_ & kEncodings)) {
    if (use_ != FormatUse::log) {
      for (const Node& node : nodes_) append(node, context, for_log, out);
      return;
    }
    // Blanks look at what is before them, which must not be what the caller had there.
    if (out.empty()) {
      for (const Node& node : nodes_) append(node, context, for_log, out);
      return;
    }
    std::string line;
    for (const Node& node : nodes_) append(node, context, for_log, line);
    out += line;
    return;
  }
  ObjectWriter object(out, (encoding_ & kFlagJson) != 0, (encoding_ & kFlagBinary) != 0);
  for (const Node& node : nodes_) {
    bool item = node.kind == Node::Kind::alias || node.kind == Node::Kind::expression;
    if (!item || node.text.empty()) continue;
    std::string buffer;
    Sample sample = node.kind == Node::Kind::alias
                        ? sample_of(*node.alias, context, buffer)
                        : sample_of(*node.expression, context, encoding_ & kFlagBinary);
    force_type(sample, node.forced);
    object.add(node.text, sample);
  }
  object.end();
}

// Few pieces that are views already: joined in one step, or not copied at all.
constexpr std::size_t kMaxPieces = 16;

bool LogFormat::simple() const {
  if (nodes_.size() > kMaxPieces || (encoding_ & (kEncodings | kFlagBinary))) return false;
  for (const Node& node : nodes_) {
    if (node.kind == Node::Kind::text) continue;
    if (node.kind != Node::Kind::expression || node.flags != 0) return false;
    if (node.expression->type() == Type::binary) return false;
  }
  return true;
}

std::string_view LogFormat::text_of_simple(Context& context) const {
  std::string_view pieces[kMaxPieces];
  std::size_t count = 0, size = 0;
  bool header = use_ == FormatUse::rule || use_ == FormatUse::unique_id;
  for (const Node& node : nodes_) {
    std::string_view& piece = pieces[count];
    if (node.kind == Node::Kind::text) {
      piece = node.text;
    } else if (!node.expression->evaluate_text(context, piece)) {
      continue;
    } else if (header && !clean_for_header(piece)) {
      std::string escaped;
      append_for_header(escaped, piece);
      piece = context.arena.copy(escaped);
    }
    size += piece.size();
    ++count;
  }
  if (count == 0) return {};
  if (count == 1) return pieces[0];
  char* out = context.arena.allocate_chars(size);
  char* at = out;
  for (std::size_t i = 0; i < count; ++i) {
    if (pieces[i].empty()) continue;
    std::memcpy(at, pieces[i].data(), pieces[i].size());
    at += pieces[i].size();
  }
  return {out, size};
}

std::string_view LogFormat::text(Context& context) const {
  if (nodes_.empty()) return {};
  if (simple_) return text_of_simple(context);
  std::string out;
  format(context, out);
  return context.arena.copy(out);
}

// ---- parsing

class LogFormatParser {
 public:
  LogFormatParser(std::string_view text, ParseContext& context, config::Position at, FormatUse use)
      : rest_(text), context_(context), at_(at), made_(new LogFormat) {
    made_->source_ = text;
    made_->use_ = use;
    merge_ = use == FormatUse::log || use == FormatUse::unique_id;
  }

  base::Result<std::unique_ptr<LogFormat>> parse() {
    while (!rest_.empty()) {
      char c = rest_.front();
      if (c == '%' && rest_.size() > 1 && rest_[1] != '%') {
        rest_.remove_prefix(1);
        if (auto done = parse_item(); !done) return base::fail(done.error());
        continue;
      }
      if (c == '%' && rest_.size() == 1) return base::fail(std::string("truncated line after '%'"));
      if (merge_ && (c == ' ' || c == '\t')) {
        add_blank();
        rest_.remove_prefix(1);
        continue;
      }
      add_text(c);
      rest_.remove_prefix(c == '%' ? 2 : 1);
    }
    made_->simple_ = made_->simple();
    return std::move(made_);
  }

 private:
  using Node = LogFormat::Node;

  void add_text(char c) {
    if (made_->nodes_.empty() || made_->nodes_.back().kind != Node::Kind::text)
      made_->nodes_.emplace_back();
    made_->nodes_.back().text += c;
  }
  void add_blank() {
    if (!made_->nodes_.empty() && made_->nodes_.back().kind == Node::Kind::blank) return;
    made_->nodes_.emplace_back();
    made_->nodes_.back().kind = Node::Kind::blank;
  }

  // What follows '%': (name:type), {flags}, then an alias or an expression in brackets.
  base::Result<void> parse_item() {
    Node node;
    std::uint8_t set = 0, cleared = 0;
    if (rest_.front() == '(') {
      if (auto done = parse_name(node); !done) return done;
    }
    std::string_view modifiers;
    if (!rest_.empty() && rest_.front() == '{') {
      if (auto done = parse_flags(set, cleared, modifiers); !done) return done;
    }
    if (rest_.empty())
      return base::fail(
          modifiers.empty()
              ? std::string("truncated line after '%'")
              : fmt::format("parse argument modifier without alias name near '%{}'", modifiers));
    node.flags = static_cast<std::uint8_t>((defaults_ | set) & ~cleared);
    if (rest_.front() == '[') return parse_expression(std::move(node));
    return parse_alias(std::move(node), set, cleared, modifiers);
  }

  base::Result<void> parse_name(Node& node) {
    std::size_t end = rest_.find(')');
    std::string_view inside = rest_.substr(1, end == std::string_view::npos ? end : end - 1);
    std::size_t colon = inside.find(':');
    node.text = inside.substr(0, colon);
    for (char c : node.text)
      if (!base::is_alpha(c) && !base::is_digit(c) && c != '_' && c != '-' && c != '.')
        return base::fail(
            fmt::format("invalid character in custom name near '{}'", inside.substr(0, 20)));
    if (end == std::string_view::npos)
      return base::fail(fmt::format("missing ')' after name '{}'", node.text));
    if (colon != std::string_view::npos) {
      std::string_view type = inside.substr(colon + 1);
      if (type == "str")
        node.forced = Type::string;
      else if (type == "sint")
        node.forced = Type::integer;
      else if (type == "bool")
        node.forced = Type::boolean;
      else
        return base::fail(fmt::format(
            "unexpected output type '{}' at position: expected 'str', 'sint' or 'bool'", type));
    }
    rest_.remove_prefix(end + 1);
    return {};
  }

  // The mode may be set further down, so this waits until all was read.
  void warn_of_stream_sample(const Expression& expression) {
    if ((expression.where() & (kRequestL6 | kResponseL6)) == 0 || context_.proxy == nullptr) return;
    context_.deferred.push_back([at = at_, proxy = context_.proxy,
                                 name = expression.fetch_row().name,
                                 &diagnostics = context_.diagnostics] {
      if (proxy->mode != state::Mode::http) return;
      diagnostics.warning(
          at, fmt::format("L6 sample fetch <{}> ignored in HTTP log-format string.", name));
    });
  }

  base::Result<void> parse_flags(std::uint8_t& set, std::uint8_t& cleared,
                                 std::string_view& modifiers) {
    std::size_t end = rest_.find('}');
    if (end == std::string_view::npos)
      return base::fail(fmt::format("truncated line after '{}'", rest_.substr(1)));
    modifiers = rest_.substr(0, end + 1);
    std::string_view list = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    while (!list.empty()) {
      std::size_t comma = std::min(list.find(','), list.size());
      std::string_view word = base::trim(list.substr(0, comma));
      list.remove_prefix(std::min(comma + 1, list.size()));
      bool off = word.starts_with('-');
      if (off || word.starts_with('+')) word.remove_prefix(1);
      std::uint8_t flag = flag_of(word);
      if (flag == 0)
        context_.diagnostics.warning(at_,
                                     fmt::format("unknown flag '{}' in format is ignored.", word),
                                     "known ones are Q, X, E, bin, json and cbor");
      (off ? cleared : set) |= flag;
    }
    return {};
  }
  static std::uint8_t flag_of(std::string_view word) {
    if (word == "Q") return kFlagQuote;
    if (word == "X") return kFlagHex;
    if (word == "E") return kFlagEscape;
    if (word == "bin") return kFlagBinary;
    if (word == "json") return kFlagJson;
    return word == "cbor" ? kFlagCbor : 0;
  }

  base::Result<void> parse_expression(Node node) {
    rest_.remove_prefix(1);
    std::size_t consumed = 0;
    auto parsed = Expression::parse(rest_, context_, at_, &consumed);
    if (!parsed)
      return base::fail(
          fmt::format("failed to parse sample expression <{}> : {}", rest_, parsed.error()));
    if (consumed >= rest_.size() || rest_[consumed] != ']')
      return base::fail(fmt::format("missing ']' after '{}'", rest_.substr(0, consumed)));
    if (std::string problem = (*parsed)->unavailable(context_); !problem.empty()) {
      while (!problem.empty() && problem.back() == '.') problem.pop_back();
      return base::fail(std::move(problem));
    }
    warn_of_stream_sample(**parsed);
    rest_.remove_prefix(consumed + 1);
    node.kind = Node::Kind::expression;
    node.flags &= static_cast<std::uint8_t>(~kFlagBinary);
    node.expression = std::move(*parsed);
    made_->where_ |= node.expression->where();
    const bool ends = node.expression->where() & kEndBits;
    made_->settled_ = std::max(made_->settled_, ends ? Settled::end : Settled::server);
    made_->nodes_.push_back(std::move(node));
    return {};
  }

  base::Result<void> parse_alias(Node node, std::uint8_t set, std::uint8_t cleared,
                                 std::string_view modifiers) {
    std::size_t size = 0;
    while (size < rest_.size() && (base::is_alpha(rest_[size]) || base::is_digit(rest_[size])))
      ++size;
    std::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    if (name == "o") {
      defaults_ =
          static_cast<std::uint8_t>((defaults_ | (set & ~(kEncodings | kFlagBinary))) & ~cleared);
      made_->encoding_ = static_cast<std::uint8_t>(
          (made_->encoding_ | (set & (kEncodings | kFlagBinary))) & ~cleared);
      // Blanks behind the item do not belong to the text.
      while (made_->nodes_.empty() && !rest_.empty() && rest_.front() == ' ')
        rest_.remove_prefix(1);
      return {};
    }
    node.alias = config::find(log_aliases(), name);
    if (node.alias == nullptr) {
      if (name.empty() && !modifiers.empty())
        return base::fail(
            fmt::format("parse argument modifier without alias name near '%{}'", modifiers));
      std::string_view near = config::nearest(log_aliases(), name);
      return base::fail(
          fmt::format("no such format alias '{}'. If you wanted to emit the '%' character "
                      "verbatim, you need to "
                      "use '%%'{}",
                      name.empty() ? rest_.substr(0, 1) : name,
                      near.empty() ? "" : fmt::format(" (did you mean '%{}'?)", near)));
    }
    node.kind = Node::Kind::alias;
    made_->settled_ = std::max(made_->settled_, node.alias->settled);
    node.flags &= static_cast<std::uint8_t>(~kFlagBinary);
    made_->nodes_.push_back(std::move(node));
    return {};
  }

  std::string_view rest_;
  ParseContext& context_;
  config::Position at_;
  std::unique_ptr<LogFormat> made_;
  std::uint8_t defaults_ = 0;
  bool merge_ = false;
};

std::unique_ptr<LogFormat> LogFormat::parse(std::string_view text, ParseContext& context,
                                            config::Position at, FormatUse use) {
  auto made = LogFormatParser(text, context, at, use).parse();
  if (made) return std::move(*made);
  context.diagnostics.alert(at, fmt::format("failed to parse log-format : {}.", made.error()));
  return nullptr;
}

std::string_view default_tcp_log_format() {
  return "%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq";
}
std::string_view default_tcp_clf_log_format() {
  return "%{+Q}o %{-Q}ci - - [%T] \"TCP \" 000 %B \"\" \"\" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U "
         "%ts-- %ac %fc %bc %sc %rc %sq %bq \"\" \"\" ";
}
std::string_view default_http_log_format() {
  return "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc "
         "%sq/%bq %hr %hs %{+Q}r";
}
std::string_view default_http_clf_log_format() {
  return "%{+Q}o %{-Q}ci - - [%trg] %r %ST %B \"\" \"\" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc "
         "%ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl";
}
std::string_view default_https_log_format() {
  return "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc "
         "%sq/%bq %hr %hs %{+Q}r %[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/"
         "%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc";
}
}  // namespace expr
