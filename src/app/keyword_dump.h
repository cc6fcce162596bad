// -dK: keywords by class, in the words of the reference, for tools that compare them.
#pragma once

#include <string>
#include <string_view>

namespace app {

// `classes`: "all", "help", or names joined by commas.
std::string dump_keywords(std::string_view classes);

}  // namespace app
