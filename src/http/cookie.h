// Cookie and Set-Cookie values (RFC 6265): walking, and editing into an arena. Names are case
// sensitive; a value may be quoted and is then told with its quotes, as the reference does.
#pragma once

#include <string_view>

#include "base/arena.h"

namespace http {

struct CookiePair {
  std::string_view name, value;
  std::string_view whole;  // "name=value" as it stands; the value's quotes included
};

// Walks "a=1; b=2". `rest` starts as the whole field value and shrinks. A word without '=' is a
// name without a value. Semicolons and commas separate, outside quotes.
bool next_cookie(std::string_view& rest, CookiePair& out);

// The pair a Set-Cookie starts with; false when it has none. `attributes` is what follows its ';'.
bool read_set_cookie(std::string_view field_value, CookiePair& pair, std::string_view& attributes);

// The field value without `pair`, which views into it, and without the separator that goes with it;
// empty when nothing is left, so that the field should go.
std::string_view without_cookie(std::string_view field_value, const CookiePair& pair,
                                base::Arena& arena);
// The field value with another value for `pair`; serves Cookie and Set-Cookie.
std::string_view with_cookie_value(std::string_view field_value, const CookiePair& pair,
                                   std::string_view value, base::Arena& arena);

}  // namespace http
