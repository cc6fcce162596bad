#include "config/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "base/text.h"

namespace config {

namespace {

bool is_name_start(char c) { return base::is_alpha(c) || c == '_'; }
bool is_name(char c) { return is_name_start(c) || base::is_digit(c); }

class Lexer {
 public:
  Lexer(std::string_view raw, const LexContext& context) : raw_(raw), context_(context) {}

  base::Result<LexedLine, LexError> run() {
    while (at_ < raw_.size() && !failed_) step();
    if (!failed_ && quote_ != 0) fail("unmatched quote", quote_at_);
    if (!failed_) end_word();
    if (failed_) return base::fail(std::move(error_));
    return std::move(line_);
  }

 private:
  char ahead(std::size_t n = 0) const { return at_ + n < raw_.size() ? raw_[at_ + n] : '\0'; }

  void fail(std::string_view what, std::size_t column) {
    if (failed_) return;
    failed_ = true;
    error_ = {std::string(what), static_cast<std::uint32_t>(column)};
  }

  void begin_word() {
    if (open_) return;
    open_ = true;
    vanish_ = false;
    word_ = {{}, static_cast<std::uint32_t>(at_)};
  }
  void end_word() {
    if (!open_) return;
    open_ = false;
    if (vanish_ && word_.text.empty()) return;
    // "\x00" ends a word: values are text.
    if (std::size_t nul = word_.text.find('\0'); nul != std::string::npos) word_.text.resize(nul);
    if (line_.words.size() == kMaxWords) {
      fail(fmt::format("too many words, at most {} are supported", kMaxWords), word_.column);
      return;
    }
    line_.words.push_back(std::move(word_));
    line_.end = static_cast<std::uint32_t>(std::min(at_, raw_.size()));
  }

  void step() {
    const char c = raw_[at_];
    if (quote_ == '\'') {
      if (c == '\'')
        quote_ = 0;
      else
        word_.text += c;
      ++at_;
    } else if (c == '"' || (c == '\'' && quote_ == 0)) {
      begin_word();
      if (quote_ == 0) quote_at_ = at_;
      quote_ = quote_ == 0 ? c : 0;
      ++at_;
    } else if (c == '\\') {
      begin_word();
      escape();
    } else if (quote_ == '"' && c == '$') {
      variable();
    } else if (quote_ == 0 && base::is_space(c)) {
      end_word();
      ++at_;
    } else if (quote_ == 0 && c == '#' && context_.comments) {
      end_word();
      at_ = raw_.size();
    } else {
      begin_word();
      word_.text += c;
      ++at_;
    }
  }

  // Section 2.2. An unknown escape keeps its backslash.
  void escape() {
    const std::size_t start = at_;
    const char c = ahead(1);
    at_ += 2;
    switch (c) {
      case 'n':
        word_.text += '\n';
        return;
      case 'r':
        word_.text += '\r';
        return;
      case 't':
        word_.text += '\t';
        return;
      case '\\':
      case ' ':
      case '#':
      case '\'':
      case '"':
        word_.text += c;
        return;
      case '$':
        if (quote_ == '"') {
          word_.text += '$';
          return;
        }
        break;
      case 'x': {
        const int high = base::hex_digit(ahead(0));
        const int low = base::hex_digit(ahead(1));
        if (high < 0 || low < 0) return fail("truncated or invalid hexadecimal sequence", start);
        word_.text += static_cast<char>(high * 16 + low);
        at_ += 2;
        return;
      }
      default:
        break;
    }
    word_.text += '\\';
    at_ = start + 1;
  }

  // "$NAME", "${NAME}", "${NAME[*]}", "${NAME-default}" (section 2.3).
  void variable() {
    ++at_;
    const bool brace = ahead() == '{';
    const std::size_t brace_at = at_;
    if (brace) ++at_;
    const std::size_t name_at = at_;
    if (ahead() == '.') ++at_;
    if (!is_name_start(ahead()))
      return fail("forbidden first char in environment variable name", name_at);
    while (is_name(ahead())) ++at_;
    const std::string_view name = raw_.substr(name_at, at_ - name_at);
    if (name[0] == '.' && !pseudo(name))
      return fail("forbidden first char in environment variable name", name_at);

    bool list = false;
    std::optional<std::string_view> fallback;
    if (brace) {
      if (ahead() == '[') {
        if (raw_.substr(at_, 3) != "[*]")
          return fail("truncated or invalid word expansion sequence", at_);
        list = true;
        at_ += 3;
      }
      if (ahead() == '-') {
        const std::size_t end = raw_.find('}', at_);
        if (end == std::string_view::npos)
          return fail("unmatched brace in environment variable name", brace_at);
        fallback = raw_.substr(at_ + 1, end - at_ - 1);
        at_ = end;
      }
      if (ahead() != '}') return fail("unmatched brace in environment variable name", brace_at);
      ++at_;
    }
    insert(value_of(name, fallback), list);
  }

  std::optional<std::string> pseudo(std::string_view name) const {
    if (name == ".FILE") return std::string(context_.file);
    if (name == ".LINE") return std::to_string(context_.line);
    if (name == ".SECTION") return std::string(context_.section);
    return std::nullopt;
  }

  std::string value_of(std::string_view name, std::optional<std::string_view> fallback) const {
    if (auto value = pseudo(name)) return *value;
    if (const char* value = std::getenv(std::string(name).c_str())) return value;
    return std::string(fallback.value_or(""));
  }

  void insert(std::string_view value, bool list) {
    if (!list) {
      word_.text += value;
      return;
    }
    // "x${L[*]}y": the first item joins the text before it, the last one the text after it. A
    // list without items leaves no word behind.
    bool first = true;
    for (std::size_t at = 0; at < value.size() && !failed_;) {
      while (at < value.size() && base::is_space(value[at])) ++at;
      std::size_t end = at;
      while (end < value.size() && !base::is_space(value[end])) ++end;
      if (end == at) break;
      if (!first) end_word();
      begin_word();
      word_.text += value.substr(at, end - at);
      first = false;
      at = end;
    }
    if (first) vanish_ = true;
  }

  std::string_view raw_;
  const LexContext& context_;
  std::size_t at_ = 0;
  char quote_ = 0;
  std::size_t quote_at_ = 0;
  bool open_ = false;    // a word has begun
  bool vanish_ = false;  // it leaves nothing behind when it stays empty
  Word word_;
  LexedLine line_;
  bool failed_ = false;
  LexError error_;
};

}  // namespace

base::Result<LexedLine, LexError> split_words(std::string_view raw, const LexContext& context) {
  return Lexer(raw, context).run();
}

}  // namespace config
