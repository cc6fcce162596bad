#include "expr/words.h"

namespace expr {

std::string take_expression(config::Arguments& args, std::size_t end, const Catalogue& catalogue) {
  std::string text(args.next());
  while (text.ends_with(',') && args.index() < end) {
    const std::string_view next = args.peek();
    if (catalogue.converter(next.substr(0, next.find_first_of("(,"))) == nullptr) break;
    text += args.next();
  }
  return text;
}

}  // namespace expr
