// Arguments in base64: constants are decoded while the configuration is read, variables at each
// use.
#pragma once

#include <string>
#include <string_view>

#include "expr/keyword.h"

namespace expr::converter {

// `what` names the argument in the error.
bool check_base64(Argument& argument, std::string_view what, std::string& error);
bool decoded_of(const Argument& argument, Context& context, std::string_view& out);

}  // namespace expr::converter
