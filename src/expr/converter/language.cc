// language: the best of Accept-Language (manual section 7.3.1).
#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

// A list "en;fr;de" has the word.
std::string_view listed(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    std::size_t end = std::min(list.find(';'), list.size());
    if (list.substr(0, end) == word) return list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return {};
}

// "q=0.75" as 750 (RFC 9110 section 12.4.2); 1000 without one.
int quality(std::string_view parameters) {
  std::size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return 1000;
  std::string_view text = parameters.substr(at + 2);
  if (text.empty() || !base::is_digit(text[0])) return 1000;
  if (text[0] != '0') return 1000;
  int value = 0;
  int scale = 100;
  if (text.size() < 2 || text[1] != '.') return 0;
  for (std::size_t i = 2; i < text.size() && i < 5 && base::is_digit(text[i]); ++i, scale /= 10)
    value += (text[i] - '0') * scale;
  return value;
}

bool language(Args args, Context&, Value& value, const ConverterRow&) {
  std::string_view list = args[0].text();
  std::string_view best;
  int best_quality = 0;
  std::string_view rest = value.text;
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    std::size_t parameters = std::min(item.find(';'), item.size());
    std::string_view name = base::trim(item.substr(0, parameters));
    int q = quality(item.substr(parameters));
    if (q <= best_quality || name.empty()) continue;
    std::string_view found = listed(list, name);
    if (found.empty()) found = listed(list, name.substr(0, name.find('-')));
    if (found.empty()) continue;
    best = found;
    best_quality = q;
  }
  if (!best.empty()) return give_text(value, best);
  return has(args, 1) && give_text(value, args[1].text());
}

constexpr ConverterRow kRows[] = {
    {{"language", "s[s", "The language of a list that an Accept-Language header prefers."},
     Type::string,
     Type::string,
     language},
};

}  // namespace

std::span<const ConverterRow> language_converters() { return kRows; }

}  // namespace expr::converter
