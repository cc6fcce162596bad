#include "config/condition.h"

#include <fmt/format.h>

#include <cstdlib>
#include <span>

#include "base/text.h"
#include "config/lexer.h"

namespace config {

namespace {

constexpr int kMaxDepth = 200;  // of parentheses and negations

struct Predicate {
  std::string_view name;
  std::size_t arguments;
};

constexpr Predicate kPredicates[] = {
    {"defined", 1},
    {"feature", 1},
    {"streq", 2},
    {"strneq", 2},
    {"strstr", 2},
    {"version_atleast", 1},
    {"version_before", 1},
    {"openssl_version_atleast", 1},
    {"openssl_version_before", 1},
    {"ssllib_name_startswith", 1},
    {"awslc_api_atleast", 1},
    {"awslc_api_before", 1},
    {"enabled", 1},
    {"fips_mode", 0},
};

const Predicate* find_predicate(std::string_view name) {
  for (const Predicate& row : kPredicates)
    if (row.name == name) return &row;
  return nullptr;
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const Predicates* predicates)
      : text_(text), predicates_(predicates) {}

  ConditionResult run() {
    skip_blanks();
    if (at_ == text_.size()) return result_;
    const bool value = alternatives(true, 0);
    skip_blanks();
    if (!failed() && at_ != text_.size())
      fail(fmt::format("unexpected character '{}' at the end of conditional expression '{}'",
                       text_[at_], text_),
           at_);
    if (!failed()) result_.value = value ? 1 : 0;
    return result_;
  }

 private:
  bool failed() const { return result_.value < 0; }
  bool fail(std::string error, std::size_t offset) {
    if (!failed()) result_ = {-1, std::move(error), offset};
    return false;
  }
  bool unparsable(std::size_t offset) {
    return fail(fmt::format("unparsable conditional expression '{}'", text_.substr(offset)),
                offset);
  }
  void skip_blanks() {
    while (at_ < text_.size() && base::is_space(text_[at_])) ++at_;
  }
  bool accept(std::string_view token) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  // `wanted` is false where the outcome no longer matters: parse, ask nothing.
  bool alternatives(bool wanted, int depth) {
    bool value = conjunction(wanted, depth);
    while (!failed() && accept("||")) {
      const bool right = conjunction(wanted && !value, depth);
      value = value || right;
    }
    return value;
  }

  bool conjunction(bool wanted, int depth) {
    bool value = term(wanted, depth);
    while (!failed() && accept("&&")) {
      const bool right = term(wanted && value, depth);
      value = value && right;
    }
    return value;
  }

  bool term(bool wanted, int depth) {
    skip_blanks();
    const std::size_t start = at_;
    if (depth > kMaxDepth) return fail("conditional expression is nested too deeply", start);
    if (accept("!")) return !term(wanted, depth + 1) && !failed();
    if (accept("(")) {
      const bool value = alternatives(wanted, depth + 1);
      if (!failed() && !accept(")"))
        fail(fmt::format("expected ')' after conditional expression '{}'", text_.substr(start)),
             at_);
      return value;
    }
    bool value = false;
    if (integer(value)) return value;
    return predicate(wanted);
  }

  bool integer(bool& value) {
    std::size_t at = at_;
    if (at < text_.size() && (text_[at] == '-' || text_[at] == '+')) ++at;
    if (at >= text_.size() || !base::is_digit(text_[at])) return false;
    const bool hex = text_[at] == '0' && at + 2 < text_.size() && text_[at + 1] == 'x' &&
                     base::hex_digit(text_[at + 2]) >= 0;
    if (hex) at += 2;
    for (; at < text_.size(); ++at) {
      const int digit = base::hex_digit(text_[at]);
      if (digit < 0 || (!hex && digit > 9)) break;
      value = value || digit != 0;
    }
    at_ = at;
    return true;
  }

  bool predicate(bool wanted) {
    const std::size_t start = at_;
    std::size_t end = at_;
    while (end < text_.size() &&
           (base::is_alpha(text_[end]) || base::is_digit(text_[end]) || text_[end] == '_'))
      ++end;
    const Predicate* row = find_predicate(text_.substr(start, end - start));
    if (row == nullptr) return unparsable(start);
    at_ = end;

    std::vector<std::string> arguments;
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      const std::size_t length = split_call(text_.substr(at_), arguments);
      if (length == std::string_view::npos)
        return fail(fmt::format("expected ')' after the arguments of predicate '{}' used in "
                                "conditional expression",
                                row->name),
                    text_.size());
      if (row->arguments == 0 && length == 0) arguments.clear();
      if (arguments.size() > row->arguments)
        return fail(fmt::format("too many arguments (got {}, expected {}) for predicate '{}' used "
                                "in conditional expression",
                                arguments.size(), row->arguments, row->name),
                    at_);
      at_ += length + 1;
    }
    if (arguments.size() < row->arguments)
      return fail(fmt::format("missing arguments (got {}/{}), type 'string' expected in predicate "
                              "'{}' used in conditional expression",
                              arguments.size(), row->arguments, row->name),
                  start);
    return wanted && ask(*row, arguments, start);
  }

  bool ask(const Predicate& row, const std::vector<std::string>& arguments, std::size_t start) {
    if (row.name == "defined") return std::getenv(arguments[0].c_str()) != nullptr;
    if (row.name == "streq") return arguments[0] == arguments[1];
    if (row.name == "strneq") return arguments[0] != arguments[1];
    if (row.name == "strstr") return arguments[0].find(arguments[1]) != std::string::npos;
    if (predicates_ == nullptr || !predicates_->ask) return unparsable(start);
    std::string error;
    const int answer = predicates_->ask(row.name, arguments, error);
    if (answer < 0) return fail(std::move(error), start);
    return answer != 0;
  }

  std::string_view text_;
  const Predicates* predicates_;
  std::size_t at_ = 0;
  ConditionResult result_;
};

}  // namespace

std::size_t split_call(std::string_view text, std::vector<std::string>& arguments) {
  char quote = 0;
  std::string current;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote == '\'') {
      if (c == '\'')
        quote = 0;
      else
        current += c;
    } else if (c == '\\' && at + 1 < text.size()) {
      const char escaped = text[at + 1];
      switch (escaped) {
        case 'n':
          current += '\n';
          break;
        case 'r':
          current += '\r';
          break;
        case 't':
          current += '\t';
          break;
        case '\\':
        case ' ':
        case '\'':
        case '"':
          current += escaped;
          break;
        default:
          current += c;
          continue;
      }
      ++at;
    } else if (c == '"' || (c == '\'' && quote == 0)) {
      quote = quote == 0 ? c : 0;
    } else if (quote == 0 && c == ',') {
      arguments.push_back(std::move(current));
      current.clear();
    } else if (quote == 0 && c == ')') {
      arguments.push_back(std::move(current));
      return at;
    } else {
      current += c;
    }
  }
  return std::string_view::npos;
}

ConditionResult evaluate(std::string_view expression, const Predicates* predicates) {
  return Evaluator(expression, predicates).run();
}

int evaluate_condition(std::string_view expression, const Predicates& predicates,
                       std::string& error) {
  LexContext context;
  context.comments = false;
  auto lexed = split_words(expression, context);
  if (!lexed) {
    error = fmt::format("{} at position {}", lexed.error().text, lexed.error().column + 1);
    return -1;
  }
  std::string joined;
  for (const Word& word : lexed->words) {
    if (!joined.empty()) joined += ' ';
    joined += word.text;
  }
  ConditionResult result = evaluate(joined, &predicates);
  error = std::move(result.error);
  return result.value;
}

}  // namespace config
