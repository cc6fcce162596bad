// Names of the reference that cannot be had here yet: each is refused where it is written, with the
// reason, instead of failing to be known.
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

bool needs_cost(std::vector<Argument>&, std::string& error) {
  error = "needs accounting of processor time, which is not supported";
  return false;
}
bool shows_internals(std::vector<Argument>&, std::string& error) {
  error = "shows internals that this proxy does not have";
  return false;
}
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
    {{"bs.aborted", "", "Shows internals of the reference implementation."},
     Type::integer, kServerL5, nullptr, shows_internals},
    {{"bs.debug_str", "[i", "Shows internals of the reference implementation."},
     Type::string, kServerL5, nullptr, shows_internals},
    {{"bs.id", "", "Shows internals of the reference implementation."},
     Type::integer, kServerL5, nullptr, shows_internals},
    {{"bs.rst_code", "", "Shows internals of the reference implementation."},
     Type::integer, kServerL5, nullptr, shows_internals},
    {{"cpu_calls", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"cpu_ns_avg", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"cpu_ns_tot", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"cpu_usage_grp", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"cpu_usage_proc", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"cpu_usage_thr", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"fcgi.docroot", "", "Needs FastCGI."}, Type::string, kRequestHttpV, nullptr, needs_fcgi},
    {{"fcgi.index", "", "Needs FastCGI."}, Type::string, kRequestHttpV, nullptr, needs_fcgi},
    {{"fs.aborted", "", "Shows internals of the reference implementation."},
     Type::integer, kClientL5, nullptr, shows_internals},
    {{"fs.debug_str", "[i", "Shows internals of the reference implementation."},
     Type::string, kClientL5, nullptr, shows_internals},
    {{"fs.id", "", "Shows internals of the reference implementation."},
     Type::string, kClientL5, nullptr, shows_internals},
    {{"fs.rst_code", "", "Shows internals of the reference implementation."},
     Type::integer, kClientL5, nullptr, shows_internals},
    {{"internal.htx.data", "", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx.free", "", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx.free_data", "", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx.has_eom", "", "Shows internals of the reference implementation."},
     Type::boolean, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx.nbblks", "", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx.size", "", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx.used", "", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx_blk.data", "s", "Shows internals of the reference implementation."},
     Type::binary, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx_blk.hdrname", "s", "Shows internals of the reference implementation."},
     Type::string, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx_blk.hdrval", "s", "Shows internals of the reference implementation."},
     Type::string, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx_blk.size", "s", "Shows internals of the reference implementation."},
     Type::integer, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx_blk.start_line", "s", "Shows internals of the reference implementation."},
     Type::string, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.htx_blk.type", "s", "Shows internals of the reference implementation."},
     Type::string, kRequestHttpV | kResponseHttpV, nullptr, shows_internals},
    {{"internal.strm.is_htx", "", "Shows internals of the reference implementation."},
     Type::boolean, kInternal, nullptr, shows_internals},
    {{"lat_ns_avg", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"lat_ns_tot", "", "Needs accounting of processor time."},
     Type::integer, kInternal, nullptr, needs_cost},
    {{"spoe.engine-id", "", "Needs SPOE."}, Type::string, kInternal, nullptr, needs_spoe},
};
// clang-format on

}  // namespace

std::span<const FetchRow> unavailable_fetches() { return kRows; }

}  // namespace expr::fetch
