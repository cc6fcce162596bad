// The families of converters, one file each; listed here and in tables.cc and nowhere else.
#pragma once

#include <span>

#include "expr/keyword.h"

namespace expr::converter {

void add_tables(Catalogue& catalogue);

}  // namespace expr::converter
