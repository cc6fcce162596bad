// A value out of a JSON text by a path, for the converters that take a path and a type.
#pragma once

#include <string>
#include <vector>

#include "expr/keyword.h"

namespace expr::converter {

// Compiles a path and maybe "int" into the first argument.
bool compile_json_query(std::vector<Argument>& args, std::string& error);
// Replaces a JSON text by the value at the compiled path; false when there is none.
bool run_json_query(const Argument& query, Context& context, Value& sample);

}  // namespace expr::converter
