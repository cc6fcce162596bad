// The tables as "-dK" prints them: one line a keyword, in the reference's format.
#pragma once

#include <string>

#include "expr/keyword.h"

namespace expr {

std::string dump_samples(const Catalogue& catalogue);
std::string dump_converters(const Catalogue& catalogue);
std::string dump_acls(const Catalogue& catalogue);

}  // namespace expr
