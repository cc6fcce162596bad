// regsub: what sed's "s" does (manual section 7.3.1).
#include <fmt/format.h>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"
#include "expr/regex.h"

namespace expr::converter {
namespace {

struct Substitution {
  std::shared_ptr<const Regex> regex;
  std::string replacement;
  bool all = false;
};

bool regsub(Args args, Context& context, Value& value, const ConverterRow&) {
  const Substitution& how = *args[0].object<Substitution>();
  std::string_view text = value.text;
  Regex::Group groups[10];
  std::size_t count = how.regex->match(text, 0, groups);
  if (count == 0) return true;
  GrowingText out(context.arena, text.size() + 64);
  std::size_t at = 0;
  do {
    out.add(text.substr(at, groups[0].from - at));
    expand_groups(how.replacement, text, {groups, count}, out);
    at = groups[0].to;
    if (!how.all) break;
    if (groups[0].from == groups[0].to) {  // an empty match moves on by one
      if (at == text.size()) break;
      out.add(text[at++]);
    }
    count = at <= text.size() ? how.regex->match(text, at, groups) : 0;
  } while (count != 0);
  out.add(text.substr(std::min(at, text.size())));
  return give_text(value, out.view());
}

bool check_regsub(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  auto how = std::make_shared<Substitution>();
  bool ignore_case = false;
  for (char c : text_or(args, 2, "")) {
    if (c == 'i')
      ignore_case = true;
    else if (c == 'g')
      how->all = true;
    else {
      error = fmt::format("invalid regex flag '{}', only 'i' and 'g' are supported", c);
      return false;
    }
  }
  auto regex = Regex::compile(args[0].text(), ignore_case);
  if (!regex) {
    error = fmt::format("error in regex '{}' : {}", args[0].text(), regex.error());
    return false;
  }
  how->regex = *regex;
  how->replacement = args[1].text();
  args[0].value = std::shared_ptr<void>(how);
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"regsub", "rs[s", "Replaces what a regular expression matches; flags 'i' and 'g'."},
     Type::string,
     Type::string,
     regsub,
     check_regsub},
};

}  // namespace

std::span<const ConverterRow> regsub_converters() { return kRows; }

}  // namespace expr::converter
