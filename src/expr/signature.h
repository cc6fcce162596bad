// Arguments between parentheses: cut with a second level of quoting (manual section 2.2), then read
// by the signature of the keyword they belong to. Configuration time only.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expr/parse.h"

namespace expr {

// Who the arguments belong to, for messages that come after all sections were read:
// "sample fetch keyword 'nbsrv'", "conversion keyword 'x' for sample fetch keyword 'y'".
struct ArgumentOwner {
  std::string keyword;
  config::Position at;
};

// `text` stands at what follows the keyword. Takes "(…)" when it is next and moves `text` behind
// it. False with an error that reads "expected ')' before …" and the like; `index` is then the
// number of the argument, from 1, or 0 when it was well formed but means nothing (a variable's
// name).
bool parse_arguments(std::string_view& text, std::string_view signature, ParseContext& context,
                     const ArgumentOwner& owner, std::shared_ptr<std::vector<Argument>> out,
                     std::string& error, unsigned& index);

}  // namespace expr
