// Values or errors. The data path reports failures as values; exceptions are for loading a
// configuration, for Lua, and for broken invariants.
#pragma once

#include <string>
#include <tl/expected.hpp>

namespace base {

template <class T, class E = std::string>
using Result = tl::expected<T, E>;

template <class E>
constexpr tl::unexpected<std::decay_t<E>> fail(E&& e) {
  return tl::unexpected<std::decay_t<E>>(std::forward<E>(e));
}

}  // namespace base
