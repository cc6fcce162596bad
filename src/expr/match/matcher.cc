#include <fmt/format.h>

#include "expr/expression.h"
#include "expr/match/kinds.h"

namespace expr {
namespace {

constexpr std::string_view kNoPattern =
    "parsing acl keyword '{}' :\n"
    "  no pattern to match against were provided, so this ACL will never match.\n"
    "  If this is what you intended, please add '--' to get rid of this warning.\n"
    "  If you intended to match only for existence, please use '-m found'.\n"
    "  If you wanted to force an int to match as a bool, please use '-m bool'.\n";

bool is_default_method(Type sample, MatchMethod& out) {
  switch (sample) {
    case Type::boolean:
      return out = MatchMethod::boolean, true;
    case Type::integer:
      return out = MatchMethod::integer, true;
    case Type::address:
    case Type::ipv4:
    case Type::ipv6:
      return out = MatchMethod::ip, true;
    case Type::string:
      return out = MatchMethod::string, true;
    case Type::any:
    case Type::binary:
    case Type::method:
      break;
  }
  return false;
}

enum class Operator : std::uint8_t { eq, gt, ge, le, lt };
bool parse_operator(std::string_view word, Operator& out) {
  constexpr std::string_view kNames[] = {"eq", "gt", "ge", "le", "lt"};
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (kNames[i] == word) return out = static_cast<Operator>(i), true;
  return false;
}

// "3.1" as the number that req.ssl_ver gives; "3" stands for all of 3.x.
base::Result<std::string> version_range(std::string_view word) {
  auto number = [](std::string_view text,
                   std::int64_t missing_minor) -> std::optional<std::int64_t> {
    std::size_t dot = text.find('.');
    auto major = base::parse_int<std::uint16_t>(text.substr(0, dot));
    if (!major) return std::nullopt;
    if (dot == std::string_view::npos) return std::int64_t{*major} << 16 | missing_minor;
    auto minor = base::parse_int<std::uint16_t>(text.substr(dot + 1));
    if (!minor) return std::nullopt;
    return std::int64_t{*major} << 16 | *minor;
  };
  std::size_t colon = word.find_first_of(":-");
  std::string_view low = word.substr(0, colon);
  std::string_view high = colon == std::string_view::npos ? low : word.substr(colon + 1);
  auto from = number(low, 0);
  auto to = number(high, 0xffff);
  bool nothing = low.empty() && high.empty();
  if (nothing || (!from && !low.empty()) || (!to && !high.empty()))
    return base::fail(fmt::format("'{}' is not a valid version", word));
  return fmt::format("{}:{}", from ? std::to_string(*from) : "", to ? std::to_string(*to) : "");
}

// "gt 5" is the range "6:".
base::Result<std::string> as_range(Operator op, std::string_view word) {
  match::Range range;
  std::string error;
  if (!match::parse_range(word, range, error)) return base::fail(std::move(error));
  switch (op) {
    case Operator::eq:
      return std::string(word);
    case Operator::gt:
      return fmt::format("{}:", range.high + 1);
    case Operator::ge:
      return fmt::format("{}:", range.low);
    case Operator::le:
      return fmt::format(":{}", range.high);
    case Operator::lt:
      return fmt::format(":{}", range.low - 1);
  }
  return std::string(word);
}

}  // namespace

class MatcherParser {
 public:
  MatcherParser(config::Arguments& args, std::size_t end, ParseContext& context, Type sample,
                std::string_view name, const std::string& description)
      : args_(args),
        end_(end),
        context_(context),
        sample_(sample),
        name_(name),
        keyword_(name.substr(0, name.find_first_of("(,"))),
        description_(description),
        made_(new Matcher) {}

  base::Result<std::unique_ptr<Matcher>> parse(const MatchMethod* implied) {
    has_method_ = implied != nullptr || is_default_method(sample_, options_.method);
    if (implied != nullptr) options_.method = *implied;
    bool nothing = done();
    if (auto flags = parse_flags(); !flags) return base::fail(flags.error());
    if (auto known = require_method(); !known) return base::fail(known.error());
    // Methods are compared with case (RFC 9110 section 9.1).
    if (name_ == "method" && implied != nullptr && !explicit_) options_.ignore_case = false;
    if (auto patterns = parse_patterns(); !patterns) return base::fail(patterns.error());
    if (nothing && options_.method != MatchMethod::boolean && options_.method != MatchMethod::found)
      context_.diagnostics.warning(args_.previous(), fmt::format(fmt::runtime(kNoPattern), name_));
    made_->method_ = options_.method;
    made_->implied_ = implied != nullptr && !explicit_;
    return std::move(made_);
  }

 private:
  using Done = base::Result<void>;
  bool done() const { return args_.index() >= end_; }
  std::string_view word() { return done() ? std::string_view() : args_.next(); }

  bool versions() const { return keyword_ == "req.ssl_ver" || keyword_ == "req_ssl_ver"; }

  Done require_method() const {
    if (has_method_) return {};
    return base::fail(
        fmt::format("matching method must be specified first (using '-m') when using a "
                    "sample fetch of this type ('{}')",
                    keyword_));
  }

  Done parse_flags() {
    while (!done() && args_.peek().starts_with('-')) {
      std::string_view flag = word();
      if (flag == "--") return {};
      Done parsed;
      if (flag == "-i")
        options_.ignore_case = true;
      else if (flag == "-n")
        options_.no_dns = true;
      else if (flag == "-M")
        map_ = true;
      else if (flag == "-u")
        parsed = parse_unique_id();
      else if (flag == "-m")
        parsed = parse_method();
      else if (flag == "-f")
        parsed = parse_file();
      else
        return base::fail(
            fmt::format("'{}' is not a valid ACL option. Please use '--' before any "
                        "pattern beginning with a '-'",
                        flag));
      if (!parsed) return parsed;
    }
    return {};
  }

  Done parse_unique_id() {
    auto id = base::parse_int<int>(word());
    if (!id || *id < 0) return base::fail(std::string("the argument of -u must be an integer"));
    if (context_.patterns.find(fmt::format("#{}", *id)) != nullptr)
      return base::fail(fmt::format("the unique id {} is already used", *id));
    unique_id_ = *id;
    return {};
  }

  Done parse_method() {
    if (explicit_)
      return base::fail(
          std::string("only one explicit matching method can be defined with '-m' parameter. if "
                      "migrating from an "
                      "old version, just keep the last one"));
    if (!made_->indexes_.empty())
      return base::fail(std::string(
          "'-m' must only be specified before patterns and files in parsing ACL expression"));
    std::string_view name = word();
    MatchMethod method;
    if (!parse_match_method(name, method))
      return base::fail(
          fmt::format("unknown matching method '{}' when parsing ACL expression", name));
    if (!match_possible(method, sample_))
      return base::fail(fmt::format("matching method '{}' cannot be used with fetch keyword '{}'",
                                    name, keyword_));
    options_.method = method;
    has_method_ = explicit_ = true;
    return {};
  }

  Done parse_file() {
    if (auto known = require_method(); !known) return known;
    auto set = context_.patterns.open(std::string(word()), map_);
    if (!set) return base::fail(set.error());
    return add_index(**set);
  }

  Done add_index(state::PatternSet& set) {
    auto index = PatternIndex::build(set, options_);
    if (!index) return base::fail(index.error());
    made_->indexes_.push_back(std::move(*index));
    return {};
  }

  Done parse_patterns() {
    bool numbers =
        options_.method == MatchMethod::integer || options_.method == MatchMethod::length;
    state::PatternSet& set = context_.patterns.create_anonymous(description_, unique_id_);
    Operator op = Operator::eq;
    while (!done()) {
      std::string_view pattern = word();
      if (numbers && parse_operator(pattern, op)) continue;
      std::string text(pattern);
      if (numbers) {
        if (versions()) {
          auto version = version_range(pattern);
          if (!version) return base::fail(version.error());
          text = *version;
        }
        auto range = as_range(op, text);
        if (!range) return base::fail(range.error());
        text = *range;
      }
      set.add(text, {});
    }
    return add_index(set);
  }

  config::Arguments& args_;
  std::size_t end_;
  ParseContext& context_;
  Type sample_;
  std::string_view name_;     // the criterion
  std::string_view keyword_;  // its first name
  const std::string& description_;
  std::unique_ptr<Matcher> made_;
  IndexOptions options_;
  bool has_method_ = false, explicit_ = false, map_ = false;
  int unique_id_ = -1;
};

base::Result<std::unique_ptr<Matcher>> Matcher::parse(config::Arguments& args, std::size_t end,
                                                      ParseContext& context, Type sample,
                                                      std::string_view name,
                                                      const MatchMethod* implied,
                                                      const std::string& description) {
  return MatcherParser(args, end, context, sample, name, description).parse(implied);
}

bool Matcher::match(Context& context, Value& sample) const {
  if (method_ == MatchMethod::found) return true;
  if (!cast(sample, match_input(method_, sample.type), context.arena)) return false;
  if (method_ == MatchMethod::boolean) return sample.boolean;
  for (const auto& index : indexes_)
    if (index->match(sample, context.arena, nullptr)) return true;
  return false;
}

}  // namespace expr
