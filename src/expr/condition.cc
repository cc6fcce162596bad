#include "expr/condition.h"

#include <fmt/format.h>

namespace expr {
namespace {

// How messages call the line: "http-request deny", "use_backend".
std::string rule_name(const config::Line& line) {
  std::string name(line[0]);
  if (name.starts_with("http-") && line.size() > 1) name.append(" ").append(line[1]);
  return name;
}

std::string_view nearest_acl(std::string_view word, const ParseContext& context) {
  if (context.acls == nullptr) return {};
  std::vector<std::string_view> names;
  for (const auto& [name, acl] : *context.acls) names.push_back(name);
  return base::nearest(word, names.data(), names.size());
}

}  // namespace

std::unique_ptr<Condition> Condition::parse(config::Arguments& args, ParseContext& context) {
  auto made = std::make_unique<Condition>();
  config::Position at = args.here();
  std::size_t first = args.index();
  std::string_view word = args.next();
  made->unless_ = word == "unless";
  if (auto done = made->parse_terms(args, context); !done) {
    context.diagnostics.alert(args.previous(),
                              fmt::format("error detected while parsing an '{}' condition : {}.",
                                          rule_name(args.line()), done.error()));
    return nullptr;
  }
  for (std::size_t i = first; i < args.line().size(); ++i) {
    if (i != first) made->source_ += ' ';
    made->source_ += args.line()[i];
  }
  made->warn_of_conflicts(at, context);
  made->warn_of_stream_samples(at, context);
  return made;
}

base::Result<void> Condition::parse_terms(config::Arguments& args, ParseContext& context) {
  bool fresh = true;  // the next literal begins an alternative
  while (!args.done()) {
    std::string_view word = args.next();
    if (word == "||" || base::iequals(word, "or")) {
      fresh = true;
      continue;
    }
    bool negated = false;
    bool bare = false;
    for (;;) {
      while (word.starts_with('!')) {
        negated = !negated;
        word.remove_prefix(1);
      }
      bare = word.empty();
      if (!bare || args.done()) break;
      word = args.next();
    }
    if (bare) return {};  // a lone "!" at the end says nothing
    auto literal = parse_literal(word, args, context);
    if (!literal) return base::fail(literal.error());
    literal->negated = negated;
    if (fresh) any_.emplace_back();
    fresh = false;
    any_.back().push_back(std::move(*literal));
  }
  return {};
}

base::Result<Condition::Literal> Condition::parse_literal(std::string_view word,
                                                          config::Arguments& args,
                                                          ParseContext& context) {
  if (word != "{") {
    std::shared_ptr<Acl> acl = Acl::find(word, context);
    if (acl != nullptr) return Literal{std::move(acl), false};
    std::string_view near = nearest_acl(word, context);
    return base::fail(fmt::format("no such ACL : '{}'{}", word,
                                  near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
  }
  std::size_t end = args.index();
  while (end < args.line().size() && args.line()[end] != "}") ++end;
  if (end == args.line().size()) return base::fail(std::string("missing closing '}' in condition"));
  auto acl = std::make_shared<Acl>();
  if (auto added = acl->add(args, end, context); !added) return base::fail(added.error());
  args.seek(end + 1);
  return Literal{std::move(acl), false};
}

// One warning a condition: an ACL that never matches here, else one that has a keyword that cannot.
void Condition::warn_of_conflicts(config::Position at, ParseContext& context) const {
  auto each = [&](auto visit) {
    for (const auto& all : any_)
      for (const Literal& literal : all)
        if (visit(*literal.acl)) return;
  };
  bool warned = false;
  each([&](const Acl& acl) {
    std::string_view keyword = acl.unavailable_keyword(context.available);
    if (keyword.empty() || (acl.where() & context.available) != 0) return false;
    std::string text =
        acl.name.empty()
            ? fmt::format(
                  "anonymous acl will never match because it uses keyword '{}' which is "
                  "incompatible with '{}'",
                  keyword, context.place)
            : fmt::format(
                  "acl '{}' will never match because it only involves keywords that are "
                  "incompatible with '{}'",
                  acl.name, context.place);
    context.diagnostics.warning(at, text);
    return warned = true;
  });
  if (warned) return;
  each([&](const Acl& acl) {
    std::string_view keyword = acl.unavailable_keyword(context.available);
    if (keyword.empty()) return false;
    context.diagnostics.warning(
        at, fmt::format("acl '{}' involves keywords '{}' which is incompatible with '{}'", acl.name,
                        keyword, context.place));
    return true;
  });
}

// The mode may be set further down, so this waits until all was read.
void Condition::warn_of_stream_samples(config::Position at, ParseContext& context) const {
  if ((where() & (kRequestL6 | kResponseL6)) == 0 || context.proxy == nullptr) return;
  context.deferred.push_back([at, proxy = context.proxy, &diagnostics = context.diagnostics] {
    if (proxy->mode != state::Mode::http) return;
    diagnostics.warning(
        {}, fmt::format("Proxy '{}': L6 sample fetches ignored on HTTP proxies (declared "
                        "at {}:{}).",
                        proxy->name, at.file == nullptr ? "" : at.file->name, at.line));
  });
}

bool Condition::parse_optional(config::Arguments& args, ParseContext& context,
                               std::unique_ptr<Condition>& out) {
  if (args.done()) return true;
  if (args.peek() == "if" || args.peek() == "unless") {
    out = parse(args, context);
    return out != nullptr;
  }
  return args.error(
      fmt::format("'{}' expects either 'if' or 'unless' followed by a condition but found '{}'.",
                  rule_name(args.line()), args.peek()));
}

int Condition::evaluate(Context& context) const {
  int result = 0;
  for (const auto& all : any_) {
    int suite = 1;
    for (const Literal& literal : all) {
      int one = literal.acl->evaluate(context);
      if (literal.negated && one >= 0) one = 1 - one;
      if (one == 0) {
        suite = 0;
        break;
      }
      if (one < 0) suite = -1;
    }
    if (suite > 0) {
      result = 1;
      break;
    }
    if (suite < 0) result = -1;
  }
  if (result < 0) {
    context.incomplete = true;
    return -1;
  }
  return unless_ ? 1 - result : result;
}

std::uint32_t Condition::where() const {
  std::uint32_t bits = 0;
  for (const auto& all : any_)
    for (const Literal& literal : all) bits |= literal.acl->where();
  return bits;
}

}  // namespace expr
