// defaults, frontend, listen and backend sections, in passes: all are named first, so that they may
// refer to each other; then read in order; then completed and checked. Loading thread only.
#pragma once

#include "app/sections/assembly.h"

namespace app {

bool is_proxy_section(std::string_view name);

// Names every proxy and defaults section of the tree and finds what each inherits from.
void declare_proxies(Assembly& assembly);
// Reads one of them; the section is one of the tree's.
void read_proxy(const config::Section& section, Assembly& assembly);
// Compiles formats, resolves default backends, checks modes and timeouts, numbers what has no
// number.
void complete_proxies(Assembly& assembly);

// Copies what a section takes over from its defaults, before its own lines are read; their rules,
// which run before its own, come afterwards.
void inherit(ProxyDraft& draft, const ProxyDraft& base);
void inherit_rules(ProxyDraft& draft, const ProxyDraft& base);

}  // namespace app
