// What the files of converters share: arguments that are a constant or a variable.
#pragma once

#include "expr/expression.h"
#include "expr/support.h"
#include "expr/variables.h"

namespace expr::converter {

// The number behind an 'a' argument; false when the variable is missing or no number.
bool number_of(const Argument& argument, Context& context, std::int64_t& out);
// The text of a variable; false when it is missing or has none.
bool variable_text(state::VariableName name, Context& context, std::string_view& out);
// A constant text, or a variable's.
bool text_of(const Argument& argument, Context& context, std::string_view& out);
// Turns a text argument into a variable's name; empty ones become absent.
bool to_variable(Argument& argument, std::string& error);

// Check functions that several families use.
bool check_number(std::vector<Argument>& args, ParseContext& context, const config::Keyword& row,
                  std::string& error);

}  // namespace expr::converter
