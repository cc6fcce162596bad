#include <fmt/format.h>

#include <array>

#include "expr/condition.h"
#include "expr/words.h"

namespace expr {
namespace {

struct Predefined {
  std::string_view name;
  std::array<std::string_view, 4> words;
};
// Manual section 7.4.
constexpr Predefined kPredefined[] = {
    {"FALSE", {"always_false"}},
    {"HTTP", {"req.proto_http"}},
    {"HTTP_1.0", {"req.ver", "1.0"}},
    {"HTTP_1.1", {"req.ver", "1.1"}},
    {"HTTP_2.0", {"req.ver", "2.0"}},
    {"HTTP_3.0", {"req.ver", "3.0"}},
    {"HTTP_CONTENT", {"req.hdr_val(content-length)", "gt", "0"}},
    {"HTTP_URL_ABS", {"url_reg", "^[^/:]*://"}},
    {"HTTP_URL_SLASH", {"url_beg", "/"}},
    {"HTTP_URL_STAR", {"url", "*"}},
    {"LOCALHOST", {"src", "127.0.0.1/8", "::1"}},
    {"METH_CONNECT", {"method", "CONNECT"}},
    {"METH_DELETE", {"method", "DELETE"}},
    {"METH_GET", {"method", "GET", "HEAD"}},
    {"METH_HEAD", {"method", "HEAD"}},
    {"METH_OPTIONS", {"method", "OPTIONS"}},
    {"METH_POST", {"method", "POST"}},
    {"METH_PUT", {"method", "PUT"}},
    {"METH_TRACE", {"method", "TRACE"}},
    {"RDP_COOKIE", {"req.rdp_cookie_cnt", "gt", "0"}},
    {"REQ_CONTENT", {"req.len", "gt", "0"}},
    {"TRUE", {"always_true"}},
    {"WAIT_END", {"wait_end"}},
};

bool is_acl_character(char c) {
  return base::is_alpha(c) || base::is_digit(c) || c == '_' || c == '-' || c == '.' || c == ':';
}

// The name at the front of a criterion.
std::string_view keyword_of(std::string_view criterion) {
  return criterion.substr(0, criterion.find_first_of("(,"));
}

// "path_beg" promises a method, "path" does not.
bool overrides_method(const AclRow& row, const Matcher& matcher) {
  if (row.name == "method") return !matcher.uses_implied_method();
  std::size_t suffix = row.name.rfind('_');
  bool promises = suffix != std::string_view::npos && row.name.substr(suffix + 1) == row.match;
  return promises && name_of(matcher.method()) != row.match;
}

std::shared_ptr<Acl> make_predefined(const Predefined& row, ParseContext& context) {
  config::Line line;
  for (std::string_view word : row.words)
    if (!word.empty()) line.words.push_back({std::string(word), 0});
  config::Arguments args(line, context.diagnostics, 0);
  auto made = std::make_shared<Acl>();
  made->name = row.name;
  return Acl::parse(args, context, *made) ? made : nullptr;
}

}  // namespace

bool Acl::declare(config::Arguments& args, ParseContext& context) {
  if (args.done()) return args.error("'acl' expects a name and a criterion");
  std::string_view name = args.next();
  for (char c : name)
    if (!is_acl_character(c))
      return args.error_at_previous(
          fmt::format("character '{}' is not permitted in acl name '{}'.", c, name));
  if (base::iequals(name, "or"))
    return args.error_at_previous(
        fmt::format("acl name '{}' will never match. 'or' is used to express a "
                    "logical disjunction within a condition.",
                    name));
  auto& acl = (*context.acls)[std::string(name)];
  if (acl == nullptr) acl = std::make_shared<Acl>();
  acl->name = name;
  return parse(args, context, *acl);
}

bool Acl::parse(config::Arguments& args, ParseContext& context, Acl& into) {
  config::Position at = args.here();
  if (auto added = into.add(args, args.line().size(), context); !added) {
    context.diagnostics.alert(
        at, fmt::format("error detected while parsing ACL '{}' : {}.", into.name, added.error()));
    return false;
  }
  return true;
}

base::Result<void> Acl::add(config::Arguments& args, std::size_t end, ParseContext& context) {
  if (args.index() >= end)
    return base::fail(std::string("missing fetch method in ACL expression ''"));
  config::Position at = args.here();
  const AclRow* row = context.catalogue.acl(keyword_of(args.peek()));
  const std::string criterion =
      row != nullptr ? std::string(args.next()) : take_expression(args, end, context.catalogue);
  std::string_view keyword = keyword_of(criterion);
  std::string text(criterion);
  if (row != nullptr) text.replace(0, keyword.size(), row->fetch);

  std::size_t consumed = 0;
  auto expression = Expression::parse(text, context, at, &consumed);
  if (!expression)
    return base::fail(fmt::format("{} in ACL expression '{}'", expression.error(), criterion));
  if (consumed != text.size())
    return base::fail(
        fmt::format("unexpected '{}' in ACL expression '{}'", text.substr(consumed), criterion));

  MatchMethod implied;
  bool has_implied =
      row != nullptr && !(*expression)->has_converters() && parse_match_method(row->match, implied);
  std::string description = fmt::format("acl '{}' file '{}' line {}", name,
                                        at.file == nullptr ? "" : at.file->name, at.line);
  auto matcher = Matcher::parse(args, end, context, (*expression)->type(), criterion,
                                has_implied ? &implied : nullptr, description);
  if (!matcher) return base::fail(matcher.error());
  if (row != nullptr && overrides_method(*row, **matcher))
    context.diagnostics.warning(
        at, fmt::format("original matching method '{}' was overwritten and will not be applied as "
                        "expected.",
                        keyword));
  terms_.push_back({std::string(keyword), std::move(*expression), std::move(*matcher)});
  return {};
}

std::shared_ptr<Acl> Acl::find(std::string_view name, ParseContext& context) {
  if (context.acls != nullptr) {
    auto it = context.acls->find(name);
    if (it != context.acls->end()) return it->second;
  }
  for (const Predefined& row : kPredefined) {
    if (row.name != name) continue;
    auto made = make_predefined(row, context);
    // Kept: a section makes each of them once.
    if (made != nullptr && context.acls != nullptr) context.acls->emplace(std::string(name), made);
    return made;
  }
  return nullptr;
}

int Acl::evaluate(const Term& term, Context& context) {
  Occurrences occurrences;
  Occurrences* outer = context.occurrences;
  context.occurrences = &occurrences;
  int result = 0;
  do {
    occurrences.more = false;
    context.incomplete = false;
    Value sample;
    if (term.expression->evaluate(context, sample))
      result = term.matcher->match(context, sample) ? 1 : 0;
    // More bytes may make it match (req.len, req.payload(0,0)).
    if (result == 0 && context.incomplete && !context.final) result = -1;
  } while (result == 0 && occurrences.more);
  context.occurrences = outer;
  return result;
}

int Acl::evaluate(Context& context) const {
  int result = 0;
  for (const Term& term : terms_) {
    int one = evaluate(term, context);
    if (one > 0) return 1;
    if (one < 0) result = -1;
  }
  return result;
}

std::uint32_t Acl::where() const {
  std::uint32_t bits = 0;
  for (const Term& term : terms_) bits |= term.expression->where();
  return bits;
}

std::string_view Acl::unavailable_keyword(std::uint32_t available) const {
  for (const Term& term : terms_)
    if ((term.expression->where() & available) == 0) return term.keyword;
  return {};
}

}  // namespace expr
