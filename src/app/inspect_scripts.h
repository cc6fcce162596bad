// "moongate lua FILE…": loads scripts as lua-load does, without a configuration, and tells what
// they register, which globals they set at run time, and what is wrong with them.
#pragma once

#include <string>
#include <vector>

namespace app {

// The process's exit code. "--types" prints the API's definitions for editors.
int inspect_scripts(const std::vector<std::string>& words);

}  // namespace app
