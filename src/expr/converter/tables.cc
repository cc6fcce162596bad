#include "expr/converter/tables.h"

namespace expr::converter {

void add_tables(Catalogue& /*catalogue*/) {}

}  // namespace expr::converter
