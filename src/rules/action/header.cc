// add-header, set-header, del-header (manual section 4.4).
#include <fmt/format.h>

#include "expr/regex.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

bool is_token(char c) {  // RFC 9110 section 5.6.2
  return base::is_alpha(c) || base::is_digit(c) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
void check_name(Reader& in, std::string_view name) {
  for (char c : name)
    if (!is_token(c)) {
      in.context().expr.diagnostics.warning(
          in.args().previous(),
          fmt::format("header name '{}' contains forbidden character '{}'.", name, c));
      return;
    }
}

class PutHeader : public Action {
 public:
  PutHeader(std::string name, std::unique_ptr<expr::LogFormat> value, bool replace)
      : name_(std::move(name)),
        id_(http::id_of(name_)),
        value_(std::move(value)),
        replace_(replace) {}

  Verdict run(expr::Context& context) override {
    http::Headers* fields = headers(context);
    if (fields == nullptr) return Verdict::next;
    std::string_view value = value_->text(context);
    if (!take_room(context, name_.size() + value.size() + 4)) return rewrite_failed(context);
    if (replace_) {
      if (id_ != http::HeaderId::other)
        fields->remove(id_);
      else
        fields->remove(name_);
    }
    fields->add_parsed({name_, value, id_});
    return Verdict::next;
  }

 private:
  std::string name_;  // lower case
  http::HeaderId id_;
  std::unique_ptr<expr::LogFormat> value_;
  bool replace_;
};

Made parse_put(config::Arguments& args, ParseContext& context, std::string_view word,
               const ActionRow& row) {
  Reader in(args, context, word);
  auto name = in.text("expects exactly 2 arguments");
  if (!name) return nullptr;
  check_name(in, *name);
  auto value = in.format("expects exactly 2 arguments");
  if (value == nullptr) return nullptr;
  return std::make_unique<PutHeader>(base::to_lower(*name), std::move(value),
                                     row.name == "set-header");
}

enum class Match { exact, prefix, suffix, substring, regex };

class DeleteHeader : public Action {
 public:
  DeleteHeader(std::string name, Match match, std::shared_ptr<const expr::Regex> regex)
      : name_(std::move(name)), id_(http::id_of(name_)), match_(match), regex_(std::move(regex)) {}

  Verdict run(expr::Context& context) override {
    http::Headers* fields = headers(context);
    if (fields == nullptr) return Verdict::next;
    if (match_ == Match::exact) {
      if (id_ != http::HeaderId::other)
        fields->remove(id_);
      else
        fields->remove(name_);
      return Verdict::next;
    }
    for (std::size_t i = fields->size(); i-- > 0;)
      if (matches((*fields)[i].name)) fields->remove_at(i);
    return Verdict::next;
  }

 private:
  bool matches(std::string_view name) const {
    switch (match_) {
      case Match::exact:
        return name == name_;
      case Match::prefix:
        return name.starts_with(name_);
      case Match::suffix:
        return name.ends_with(name_);
      case Match::substring:
        return name.find(name_) != std::string_view::npos;
      case Match::regex:
        return regex_->matches(name);
    }
    return false;
  }

  std::string name_;
  http::HeaderId id_;
  Match match_;
  std::shared_ptr<const expr::Regex> regex_;
};

std::optional<Match> match_of(std::string_view name) {
  if (name == "str") return Match::exact;
  if (name == "beg") return Match::prefix;
  if (name == "end") return Match::suffix;
  if (name == "sub") return Match::substring;
  if (name == "reg") return Match::regex;
  return std::nullopt;
}

Made parse_delete(config::Arguments& args, ParseContext& context, std::string_view word,
                  const ActionRow&) {
  Reader in(args, context, word);
  auto name = in.text("expects at least 1 argument");
  if (!name) return nullptr;
  Match match = Match::exact;
  if (in.accept("-m")) {
    auto method = in.text("expects a matching method after '-m'");
    if (!method) return nullptr;
    auto known = match_of(*method);
    if (!known)
      return in.fail_at_previous(fmt::format("unknown matching method '{}'", *method),
                                 "expected 'str', 'beg', 'end', 'sub' or 'reg'");
    match = *known;
  }
  std::shared_ptr<const expr::Regex> regex;
  if (match == Match::regex) {
    auto compiled = expr::Regex::compile(*name, true);
    if (!compiled) return in.fail_at_previous(compiled.error());
    regex = *compiled;
  }
  return std::make_unique<DeleteHeader>(base::to_lower(*name), match, std::move(regex));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"add-header", "<name> <fmt>", "Adds a header field."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse_put},
    {{"set-header", "<name> <fmt>", "Sets a header field; those of the name go."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse_put},
    {{"del-header", "<name> [ -m <meth> ]", "Removes the header fields whose name matches."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse_delete},
};
// clang-format on

}  // namespace

std::span<const ActionRow> header_rows() { return kRows; }

}  // namespace rules::action
