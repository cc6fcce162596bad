// What HTTP and HTTPMessage do to a head: headers as tables, rewriting of lines and values.
#pragma once

#include <lua.hpp>
#include <memory>
#include <string_view>

#include "base/arena.h"
#include "expr/regex.h"
#include "http/message.h"

namespace lua {

// A table by lower-case name of tables of values, counted from zero.
void push_headers(lua_State* L, const http::Headers& headers);

// The regular expression at `index`; raises when it is wrong. The last ones are kept.
std::shared_ptr<const expr::Regex> check_regex(lua_State* L, int index);
// Replaces within whole lines, or within each value between commas.
void replace_in_headers(http::Headers& headers, std::string_view name, const expr::Regex& regex,
                        std::string_view replacement, bool each_value, base::Arena& arena);

void set_method(http::RequestHead& head, std::string_view method, base::Arena& arena);
void set_path(http::RequestHead& head, std::string_view path, base::Arena& arena);
void set_query(http::RequestHead& head, std::string_view query, base::Arena& arena);
void set_uri(http::RequestHead& head, std::string_view uri, base::Arena& arena);
// The standard phrase when `reason` is empty.
void set_status(http::ResponseHead& head, unsigned status, std::string_view reason,
                base::Arena& arena);

}  // namespace lua
