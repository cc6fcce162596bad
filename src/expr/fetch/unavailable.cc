// Names of the reference that cannot be had here yet: each is refused where it is written, with the
// reason, instead of failing to be known.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

bool needs_fcgi(std::vector<Argument>&, std::string& error) {
  error = "needs FastCGI, which is not supported yet";
  return false;
}
bool needs_spoe(std::vector<Argument>&, std::string& error) {
  error = "needs SPOE, which is not supported yet";
  return false;
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"fcgi.docroot", "", "Needs FastCGI."}, Type::string, kRequestHttpV, nullptr, needs_fcgi},
    {{"fcgi.index", "", "Needs FastCGI."}, Type::string, kRequestHttpV, nullptr, needs_fcgi},
    {{"spoe.engine-id", "", "Needs SPOE."}, Type::string, kInternal, nullptr, needs_spoe},
};
// clang-format on

}  // namespace

std::span<const FetchRow> unavailable_fetches() { return kRows; }

}  // namespace expr::fetch
