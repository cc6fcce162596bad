#include "expr/keyword.h"

namespace expr {

namespace fetch {
void add_tables(Catalogue& catalogue);
}
namespace converter {
void add_tables(Catalogue& catalogue);
}

void add_builtin(Catalogue& catalogue) {
  fetch::add_tables(catalogue);
  converter::add_tables(catalogue);
}

}  // namespace expr
