#include <fmt/format.h>

#include <array>

#include "expr/expression.h"
#include "expr/match/kinds.h"

namespace expr {
namespace {

struct MethodName {
  std::string_view name;
  MatchMethod method;
};
constexpr std::array<MethodName, 13> kMethods{{{"found", MatchMethod::found},
                                               {"bool", MatchMethod::boolean},
                                               {"int", MatchMethod::integer},
                                               {"ip", MatchMethod::ip},
                                               {"bin", MatchMethod::binary},
                                               {"len", MatchMethod::length},
                                               {"str", MatchMethod::string},
                                               {"beg", MatchMethod::prefix},
                                               {"sub", MatchMethod::substring},
                                               {"dir", MatchMethod::directory},
                                               {"dom", MatchMethod::domain},
                                               {"end", MatchMethod::suffix},
                                               {"reg", MatchMethod::regex}}};

match::IndexPointer make(state::PatternSet& set, const IndexOptions& options) {
  switch (options.method) {
    case MatchMethod::found:
    case MatchMethod::boolean:
      return match::make_constant_index(set, options);
    case MatchMethod::integer:
    case MatchMethod::length:
      return match::make_number_index(set, options);
    case MatchMethod::ip:
      return match::make_address_index(set, options);
    case MatchMethod::binary:
    case MatchMethod::string:
      return match::make_exact_index(set, options);
    case MatchMethod::substring:
      return match::make_substring_index(set, options);
    case MatchMethod::prefix:
    case MatchMethod::suffix:
      return match::make_affix_index(set, options);
    case MatchMethod::directory:
    case MatchMethod::domain:
      return match::make_part_index(set, options);
    case MatchMethod::regex:
    case MatchMethod::regex_multi:
      return match::make_regex_index(set, options);
  }
  return nullptr;
}

bool value_fits(Type type, std::string_view value) {
  if (type == Type::integer) return base::parse_int<std::int64_t>(value).has_value();
  if (type == Type::address) return net::Ip::parse(value).family != 0;
  return true;
}

}  // namespace

bool parse_match_method(std::string_view name, MatchMethod& out) {
  for (const MethodName& m : kMethods)
    if (m.name == name) return out = m.method, true;
  return false;
}

std::string_view name_of(MatchMethod method) {
  for (const MethodName& m : kMethods)
    if (m.method == method) return m.name;
  return "regm";
}

Type match_input(MatchMethod method, Type sample) {
  switch (method) {
    case MatchMethod::found:
      return sample;
    case MatchMethod::boolean:
      return Type::boolean;
    case MatchMethod::integer:
      return Type::integer;
    case MatchMethod::ip:
      return Type::address;
    case MatchMethod::binary:
      return Type::binary;
    default:
      return Type::string;
  }
}

bool match_possible(MatchMethod method, Type sample) {
  return castable(sample, match_input(method, sample));
}

base::Result<std::shared_ptr<PatternIndex>> PatternIndex::build(state::PatternSet& set,
                                                                const IndexOptions& options) {
  std::shared_ptr<PatternIndex> known;
  set.each_observer([&](const std::shared_ptr<state::PatternObserver>& observer) {
    auto index = std::dynamic_pointer_cast<PatternIndex>(observer);
    if (index != nullptr && index->options() == options) known = index;
  });
  if (known != nullptr) return known;
  std::shared_ptr<PatternIndex> made = make(set, options);
  if (auto attached = set.attach(made); !attached) return base::fail(attached.error());
  made->loading_ = false;
  return made;
}

void PatternIndex::added(const state::PatternEntry& entry) {
  std::string ignored;  // accepts() has agreed
  insert(entry, ignored);
}

bool PatternIndex::adopt(const state::PatternEntry& entry, std::string& error) {
  return value_is_good(entry.value, error) && insert(entry, error);
}

bool PatternIndex::value_is_good(std::string_view value, std::string& error) const {
  if (value_fits(options_.value, value)) return true;
  error = fmt::format("unable to parse '{}'", value);
  return false;
}

bool PatternIndex::accepts(std::string_view key, std::string_view value, std::string& error) const {
  return accepts_key(key, error) && value_is_good(value, error);
}

bool PatternIndex::match(const Value& sample, base::Arena& arena, MatchResult* result) {
  auto lock = set_.shared();
  const state::PatternEntry* entry = find(sample);
  if (entry == nullptr) return false;
  if (result == nullptr) return true;
  result->id = entry->id;
  result->key = arena.copy(entry->key);
  result->value = arena.copy(entry->value);
  if (options_.method == MatchMethod::regex_multi) groups(*entry, sample.text, arena, *result);
  return true;
}

}  // namespace expr
