// Parameters of the query string and of form bodies (manual section 7.3.6).
#include "expr/fetch/query.h"

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {

bool find_parameter(std::string_view text, std::string_view name, std::string_view delimiters,
                    bool ignore_case, Occurrences* at, std::string_view& out) {
  std::size_t from = at != nullptr ? at->offset : 0;
  if (at != nullptr) at->more = false;
  while (from < text.size()) {
    std::size_t end = text.find_first_of(delimiters, from);
    if (end == std::string_view::npos) end = text.size();
    std::string_view pair = text.substr(from, end - from);
    from = end + 1;
    std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    std::string_view key = pair.substr(0, equals);
    if (!name.empty() && (ignore_case ? !base::iequals(key, name) : key != name)) continue;
    out = pair.substr(equals + 1);
    if (at != nullptr) {
      at->offset = static_cast<std::uint32_t>(from);
      at->more = true;
    }
    return true;
  }
  return false;
}

namespace {

// Arguments: name, delimiter (one character that begins the query as well), "i".
bool find(Args args, Context& context, std::string_view& out) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  std::string_view delimiter = text_or(args, 1);
  std::size_t mark = head->target.find(delimiter.empty() ? '?' : delimiter[0]);
  if (mark == std::string_view::npos) return false;
  return find_parameter(head->target.substr(mark + 1), text_or(args, 0),
                        delimiter.empty() ? "&;" : delimiter, has(args, 2), context.occurrences,
                        out);
}
bool check_parameter(std::vector<Argument>& args, std::string& error) {
  args.resize(3);
  if (args[1].present() && args[1].text().size() > 1) {
    error = "delimiter must be a single character, not '" + args[1].text() + "'";
    return false;
  }
  if (args[2].present() && args[2].text() != "i") {
    error = "only 'i' (ignore the case of the name) is expected, not '" + args[2].text() + "'";
    return false;
  }
  return true;
}

bool parameter(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return find(args, context, text) && give_text(out, text);
}
bool parameter_number(Args args, Context& context, Value& out, const FetchRow&) {
  std::string_view text;
  return find(args, context, text) && give(out, leading_number(text));
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"url_param", "[sss", "The value of a query parameter: name, delimiter, i to ignore case."},
     Type::string, kRequestHttpV, parameter, check_parameter},
    {{"urlp", "[sss", "As url_param."}, Type::string, kRequestHttpV, parameter, check_parameter},
    {{"urlp_val", "[sss", "The value of a query parameter as a number."},
     Type::integer, kRequestHttpV, parameter_number, check_parameter},
};
// clang-format on

}  // namespace

std::span<const FetchRow> query_fetches() { return kRows; }

}  // namespace expr::fetch
