// replace-header, replace-value, replace-path, replace-pathq, replace-uri: what a regular
// expression matches is replaced as a whole by a format with back-references (manual section 4.4).
#include "expr/regex.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/action/target.h"

namespace rules::action {
namespace {

constexpr std::size_t kGroups = 10;

// The replacement for `subject` in the arena; false when the expression does not match it.
bool replaced(const expr::Regex& regex, std::string_view subject, std::string_view replacement,
              base::Arena& arena, std::string_view& out) {
  expr::Regex::Group groups[kGroups];
  std::size_t count = regex.match(subject, 0, groups);
  if (count == 0) return false;
  if (replacement.find('\\') == std::string_view::npos) {
    out = replacement;
    return true;
  }
  std::string text;
  expr::expand_groups(replacement, subject, {groups, count}, text);
  out = arena.copy(text);
  return true;
}

class ReplaceHeader : public Action {
 public:
  ReplaceHeader(std::string name, std::shared_ptr<const expr::Regex> regex,
                std::unique_ptr<expr::LogFormat> replacement, bool each_value)
      : name_(std::move(name)),
        regex_(std::move(regex)),
        replacement_(std::move(replacement)),
        each_value_(each_value) {}

  Verdict run(expr::Context& context) override {
    http::Headers* fields = headers(context);
    if (fields == nullptr) return Verdict::next;
    std::string_view replacement;
    bool made = false;
    for (std::size_t i = 0; i < fields->size(); ++i) {
      if ((*fields)[i].name != name_) continue;
      if (!made) replacement = replacement_->text(context);
      made = true;
      std::string_view value = (*fields)[i].value, changed;
      bool done = each_value_
                      ? replace_values(context, value, replacement, changed)
                      : replaced(*regex_, value, replacement, context.exchange->arena, changed);
      if (!done) continue;
      if (changed.size() > value.size() && !take_room(context, changed.size() - value.size()))
        return rewrite_failed(context);
      fields->at(i).value = changed;
    }
    return Verdict::next;
  }

 private:
  // Each element between commas by itself; the blanks around them stay.
  bool replace_values(expr::Context& context, std::string_view value, std::string_view replacement,
                      std::string_view& out) const {
    std::string text;
    bool any = false;
    for (std::size_t from = 0; from <= value.size();) {
      std::size_t end = std::min(value.find(',', from), value.size());
      std::string_view element = value.substr(from, end - from);
      std::string_view bare = base::trim(element), changed;
      if (from != 0) text += ',';
      if (replaced(*regex_, bare, replacement, context.exchange->arena, changed)) {
        any = true;
        auto lead = static_cast<std::size_t>(bare.data() - element.data());
        text += element.substr(0, lead);
        text += changed;
        text += element.substr(lead + bare.size());
      } else {
        text += element;
      }
      from = end + 1;
    }
    if (any) out = context.exchange->arena.copy(text);
    return any;
  }

  std::string name_;
  std::shared_ptr<const expr::Regex> regex_;
  std::unique_ptr<expr::LogFormat> replacement_;
  bool each_value_;
};

Made parse_header(config::Arguments& args, ParseContext& context, std::string_view word,
                  const ActionRow& row) {
  Reader in(args, context, word);
  auto name = in.text("expects exactly 3 arguments");
  if (!name) return nullptr;
  auto pattern = in.text("expects exactly 3 arguments");
  if (!pattern) return nullptr;
  auto regex = expr::Regex::compile(*pattern, false);
  if (!regex) return in.fail_at_previous(regex.error());
  auto replacement = in.format("expects exactly 3 arguments");
  if (replacement == nullptr) return nullptr;
  return std::make_unique<ReplaceHeader>(base::to_lower(*name), *regex, std::move(replacement),
                                         row.name == "replace-value");
}

class ReplaceTarget : public Action {
 public:
  ReplaceTarget(TargetPart part, std::shared_ptr<const expr::Regex> regex,
                std::unique_ptr<expr::LogFormat> replacement)
      : part_(part), regex_(std::move(regex)), replacement_(std::move(replacement)) {}

  Verdict run(expr::Context& context) override {
    if (context.exchange == nullptr) return Verdict::next;
    std::string_view subject = part_of_target(context.exchange->request.target, part_), changed;
    if (!replaced(*regex_, subject, replacement_->text(context), context.exchange->arena, changed))
      return Verdict::next;
    return change_target(context, part_, changed) ? Verdict::next : rewrite_failed(context);
  }

 private:
  TargetPart part_;
  std::shared_ptr<const expr::Regex> regex_;
  std::unique_ptr<expr::LogFormat> replacement_;
};

Made parse_target(config::Arguments& args, ParseContext& context, std::string_view word,
                  const ActionRow& row) {
  Reader in(args, context, word);
  auto pattern = in.text("expects exactly 2 arguments <match-regex> and <replace-format>");
  if (!pattern) return nullptr;
  auto regex = expr::Regex::compile(*pattern, false);
  if (!regex) return in.fail_at_previous(regex.error());
  auto replacement = in.format("expects exactly 2 arguments <match-regex> and <replace-format>");
  if (replacement == nullptr) return nullptr;
  TargetPart part = row.name == "replace-path"    ? TargetPart::path
                    : row.name == "replace-pathq" ? TargetPart::path_and_query
                                                  : TargetPart::whole;
  return std::make_unique<ReplaceTarget>(part, *regex, std::move(replacement));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"replace-header", "<name> <match-regex> <replace-fmt>",
      "Replaces values of a header that match."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse_header},
    {{"replace-value", "<name> <match-regex> <replace-fmt>",
      "Replaces elements of a header's list that match."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse_header},
    {{"replace-path", "<match-regex> <replace-fmt>", "Replaces the path when it matches."},
     kHttpRequest, parse_target},
    {{"replace-pathq", "<match-regex> <replace-fmt>",
      "Replaces the path with the query when it matches."},
     kHttpRequest, parse_target},
    {{"replace-uri", "<match-regex> <replace-fmt>", "Replaces the whole target when it matches."},
     kHttpRequest, parse_target},
};
// clang-format on

}  // namespace

std::span<const ActionRow> replace_rows() { return kRows; }

}  // namespace rules::action
