#include "expr/signature.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <limits>

#include "config/units.h"

namespace expr {
namespace {

std::string_view type_name(char letter) {
  switch (letter) {
    case 'i':
      return "integer";
    case 'f':
      return "frontend";
    case 'b':
      return "backend";
    case 'p':
      return "proxy";
    case 'v':
      return "server";
    case 'T':
      return "table";
    case 'u':
      return "user list";
    case 'r':
      return "regex";
    case '4':
      return "IPv4 address";
    case '6':
      return "IPv6 address";
    case 'n':
      return "IPv4 mask";
    case 'N':
      return "IPv6 mask";
    case 't':
      return "delay";
    case 'z':
      return "size";
    case 'P':
      return "Protocol buffers field number";
    default:
      return "string";
  }
}

// Resolved when all sections are known; may be left out.
bool is_reference(char letter) {
  return std::string_view("fbpvTu").find(letter) != std::string_view::npos;
}
bool is_string(char letter) { return letter == 's' || letter == 'a' || letter == 'V'; }

// The argument at the front of `text`, unquoted; stops at ',' or ')' outside of quotes.
std::string take_word(std::string_view& text) {
  std::string word;
  char quote = 0;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    char c = text[i];
    if (quote == 0 && (c == ',' || c == ')')) break;
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size() &&
               std::string_view("\\ \"'rnt").find(text[i + 1]) != std::string_view::npos) {
      char next = text[++i];
      word += next == 'r' ? '\r' : next == 'n' ? '\n' : next == 't' ? '\t' : next;
    } else {
      word += c;
    }
  }
  text.remove_prefix(i);
  return word;
}

std::optional<std::int64_t> saturating_number(std::string_view s) {
  bool negative = s.starts_with('-');
  std::string_view digits = negative || s.starts_with('+') ? s.substr(1) : s;
  if (digits.empty()) return std::nullopt;
  for (char c : digits)
    if (!base::is_digit(c)) return std::nullopt;
  if (auto n = base::parse_int<std::int64_t>(negative ? s : digits)) return n;
  using Limits = std::numeric_limits<std::int64_t>;
  return negative ? Limits::min() : Limits::max();
}

bool parse_v4_mask(std::string_view s, net::Ip& out) {
  if (auto bits = base::parse_int<unsigned>(s); bits && *bits <= 32) {
    in_addr mask{htonl(*bits == 0 ? 0 : ~std::uint32_t{0} << (32 - *bits))};
    out = net::Ip::from(mask);
    return true;
  }
  out = net::Ip::parse(s);
  return out.family == AF_INET;
}

bool parse_v6_mask(std::string_view s, net::Ip& out) {
  auto bits = base::parse_int<unsigned>(s);
  if (!bits || *bits > 128) {
    out = net::Ip::parse(s);
    return out.family == AF_INET6;
  }
  in6_addr mask{};
  for (unsigned i = 0; i < *bits; ++i)
    mask.s6_addr[i / 8] = static_cast<unsigned char>(mask.s6_addr[i / 8] | 0x80u >> i % 8);
  out = net::Ip::from(mask);
  return true;
}

bool is_field_number(std::string_view s) {  // "1.3.2"
  bool digit = false;
  for (char c : s) {
    if (c != '.' && !base::is_digit(c)) return false;
    if (c == '.' && !digit) return false;
    digit = c != '.';
  }
  return digit;
}

bool parse_arithmetic(const std::string& word, Argument& out) {
  if (auto n = saturating_number(word)) {
    out.value = *n;
  } else if (auto name = state::parse_variable(word)) {
    out.value = *name;
  } else {
    out.value = word;  // reported with the keyword, by its check
  }
  return true;
}

bool parse_plain(char letter, const std::string& word, Argument& out) {
  net::Ip ip;
  switch (letter) {
    case 'i':
      if (auto n = saturating_number(word)) return out.value = *n, true;
      return false;
    case 't':
      if (auto ms = config::parse_time(word, config::TimeUnit::ms, config::TimeUnit::ms))
        return out.value = *ms, true;
      return false;
    case 'z':
      if (auto size = config::parse_size(word))
        return out.value = static_cast<std::int64_t>(*size), true;
      return false;
    case '4':
    case '6':
      ip = net::Ip::parse(word);
      out.value = ip;
      return ip.family == (letter == '4' ? AF_INET : AF_INET6);
    case 'n':
      if (!parse_v4_mask(word, ip)) return false;
      return out.value = ip, true;
    case 'N':
      if (!parse_v6_mask(word, ip)) return false;
      return out.value = ip, true;
    case 'P':
      if (!is_field_number(word)) return false;
      return out.value = word, true;
    case 'a':
      return parse_arithmetic(word, out);
    case 'V':
      if (auto name = state::parse_variable(word)) return out.value = *name, true;
      return false;
    default:
      return out.value = word, true;
  }
}

// Proxies and servers, once all are known.
class Reference {
 public:
  Reference(char letter, std::string name, unsigned index, const ArgumentOwner& owner,
            ParseContext& context)
      : letter_(letter),
        name_(std::move(name)),
        index_(index),
        owner_(owner),
        registry_(context.registry),
        diagnostics_(context.diagnostics),
        proxy_(context.proxy) {}

  void resolve(Argument& out) const {
    switch (letter_) {
      case 'f':
        return resolve_proxy(out, state::kFrontend, "frontend");
      case 'b':
        return resolve_proxy(out, state::kBackend, "backend");
      case 'p':
        return resolve_proxy(out, state::kFrontend | state::kBackend, "proxy");
      case 'v':
        return resolve_server(out);
      case 'T':
        return resolve_table(out);
      default:
        break;
    }
  }

 private:
  std::string reference() const {
    return fmt::format("referenced in arg {} of {} in proxy '{}'", index_, owner_.keyword,
                       proxy_ == nullptr ? "" : proxy_->name);
  }
  void report(std::string text) const { diagnostics_.alert(owner_.at, std::move(text)); }

  void resolve_proxy(Argument& out, std::uint8_t side, std::string_view kind) const {
    if (name_.empty()) {
      out.value = proxy_;
      // In a section of defaults: the proxy that runs the rule.
      if (proxy_ != nullptr && (proxy_->capabilities & side) == 0)
        report(
            fmt::format("proxy '{}', {}, has not {} capability.", proxy_->name, reference(), kind));
      return;
    }
    state::Proxy* found = registry_.find(name_, side);
    out.value = found;
    if (found == nullptr)
      report(fmt::format("unable to find {} '{}' {}.", kind, name_, reference()));
  }

  void resolve_table(Argument& out) const {
    const std::string_view name = name_.empty() && proxy_ != nullptr ? proxy_->name : name_;
    state::StickTable* found = registry_.tables().find(name);
    out.value = found;
    if (found == nullptr) report(fmt::format("unable to find table '{}' {}.", name, reference()));
  }

  void resolve_server(Argument& out) const {
    if (name_.empty()) return report(fmt::format("missing server name {}.", reference()));
    std::size_t slash = name_.find('/');
    const state::Proxy* in = proxy_;
    std::string server = name_;
    if (slash != std::string::npos) {
      in = registry_.find(std::string_view(name_).substr(0, slash), state::kBackend);
      server = name_.substr(slash + 1);
      if (in == nullptr)
        return report(
            fmt::format("unable to find proxy '{}' {}.", name_.substr(0, slash), reference()));
    }
    state::Server* found = in == nullptr ? nullptr : in->find_server(server);
    out.value = found;
    if (found != nullptr)
      found->referenced = true;
    else
      report(fmt::format("unable to find server '{}' in proxy '{}', {}.", server,
                         in == nullptr ? "" : in->name, reference()));
  }

  char letter_;
  std::string name_;
  unsigned index_;
  ArgumentOwner owner_;
  state::Registry& registry_;
  config::Diagnostics& diagnostics_;
  state::Proxy* proxy_;
};

// Walks the signature along with the words.
class ArgumentParser {
 public:
  ArgumentParser(std::string_view signature, ParseContext& context, const ArgumentOwner& owner,
                 std::shared_ptr<std::vector<Argument>> out, std::string& error)
      : context_(context), owner_(owner), out_(std::move(out)), error_(error) {
    std::size_t optional = signature.find('[');
    mandatory_ = static_cast<unsigned>(std::min(optional, signature.size()));
    for (char c : signature)
      if (c != '[') letters_ += c;
    out_->reserve(letters_.size() + 2);
  }

  unsigned index() const { return bad_variable_ ? 0 : position_ + 1; }

  bool parse(std::string_view& text) {
    bool enclosed = text.starts_with('(');
    if (enclosed) text.remove_prefix(1);
    bool empty = !enclosed || text.starts_with(')');
    if (!empty && !parse_list(text)) return false;
    if (empty && mandatory_ != 0 && !take({})) return false;
    if (out_->size() < mandatory_)
      return fail(fmt::format("missing arguments (got {}/{}), type '{}' expected", out_->size(),
                              mandatory_, type_name(letters_[out_->size()])));
    return !enclosed || close(text);
  }

 private:
  bool fail(std::string text) {
    error_ = std::move(text);
    return false;
  }

  bool parse_list(std::string_view& text) {
    while (position_ < letters_.size()) {
      if (!take(take_word(text))) return false;
      if (!text.starts_with(',') || position_ == letters_.size()) break;
      text.remove_prefix(1);
    }
    return true;
  }

  bool close(std::string_view& text) {
    if (text.starts_with(')')) {
      text.remove_prefix(1);
      return true;
    }
    if (position_ > 0) --position_;  // messages count the last argument that was read
    return fail(text.empty() ? "expected ')'" : fmt::format("expected ')' before '{}'", text));
  }

  bool take(std::string word) {
    char letter = letters_[position_];
    if (is_reference(letter)) {
      if (!defer(letter, std::move(word))) return false;
      ++position_;
      return true;
    }
    Argument argument;
    if (word.empty() && !is_string(letter)) {
      // An optional argument may be left out before another: "date(,ms)".
      if (position_ < mandatory_)
        return fail(fmt::format("expected type '{}' at position {}, but got nothing",
                                type_name(letter), index()));
    } else if (!parse_plain(letter, word, argument)) {
      bad_variable_ = letter == 'V';
      return fail(bad_variable_ ? state::variable_error(word)
                                : fmt::format("failed to parse '{}' as type '{}' at position {}",
                                              word, type_name(letter), index()));
    }
    out_->push_back(std::move(argument));
    ++position_;
    return true;
  }

  bool defer(char letter, std::string word) {
    Argument& argument = out_->emplace_back();
    if (letter == 'u') return user_list(argument, word);
    // Something that can be asked for until the look-up is done.
    if (letter == 'v')
      argument.value = static_cast<state::Server*>(nullptr);
    else if (letter == 'T')
      argument.value = static_cast<state::StickTable*>(nullptr);
    else
      argument.value = static_cast<state::Proxy*>(nullptr);
    context_.deferred.push_back(
        [args = out_, at = out_->size() - 1,
         reference = Reference(letter, std::move(word), index(), owner_, context_)] {
          reference.resolve((*args)[at]);
        });
    return true;
  }

  // User lists stand before the proxies that use them or behind: looked up at the end as well.
  bool user_list(Argument& argument, const std::string& word) {
    argument.value = word;
    const auto* lists = context_.user_lists;
    context_.deferred.push_back([args = out_, at = out_->size() - 1, word, lists, owner = owner_,
                                 number = index(), &diagnostics = context_.diagnostics,
                                 proxy = context_.proxy] {
      if (lists != nullptr) {
        if (auto it = lists->find(word); it != lists->end()) {
          (*args)[at].value = std::static_pointer_cast<void>(it->second);
          return;
        }
      }
      diagnostics.alert(
          owner.at, fmt::format("unable to find userlist '{}' referenced in arg {} of {} "
                                "in proxy '{}'.",
                                word, number, owner.keyword, proxy == nullptr ? "" : proxy->name));
    });
    return true;
  }

  ParseContext& context_;
  const ArgumentOwner& owner_;
  std::shared_ptr<std::vector<Argument>> out_;
  std::string& error_;
  std::string letters_;
  unsigned mandatory_ = 0;
  unsigned position_ = 0;
  bool bad_variable_ = false;
};

}  // namespace

bool parse_arguments(std::string_view& text, std::string_view signature, ParseContext& context,
                     const ArgumentOwner& owner, std::shared_ptr<std::vector<Argument>> out,
                     std::string& error, unsigned& index) {
  ArgumentParser parser(signature, context, owner, std::move(out), error);
  bool good = parser.parse(text);
  index = parser.index();
  return good;
}

std::string describe_signature(std::string_view signature) {
  if (signature.empty()) return "";
  std::string text = "(";
  bool optional = false;
  bool first = true;
  for (char c : signature) {
    if (c == '[') {
      text += '[';
      optional = true;
      if (first) continue;
      text += ',';
      first = true;
      continue;
    }
    if (!first) text += ',';
    text += type_name(c);
    first = false;
  }
  return text + (optional ? "])" : ")");
}

}  // namespace expr
