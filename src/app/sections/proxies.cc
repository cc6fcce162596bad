#include "app/sections/proxies.h"

#include <fmt/format.h>

#include "app/proxy_keywords/keyword.h"

namespace app {

namespace {

ProxyDraft* find_draft(Assembly& assembly, const config::Section& section) {
  for (auto* list : {&assembly.defaults, &assembly.proxies})
    for (const auto& draft : *list)
      if (draft->section == &section) return draft.get();
  return nullptr;
}

// Rules of a defaults section serve one side: a frontend and a backend cannot share them.
void check_shared_rules(const ProxyDraft& draft, Assembly& assembly) {
  if (draft.base == nullptr || !draft.base->defines_rules) return;
  for (const auto& other : assembly.proxies) {
    if (other.get() == &draft) return;
    if (other->base == draft.base && other->side != draft.side) {
      const config::Line& head = draft.base->section->head;
      assembly.diagnostics.alert(
          draft.section->head.at(),
          fmt::format("frontends and backends cannot inherit from the same defaults section if it "
                      "defines TCP/HTTP rules (defaults section at {}:{}).",
                      head.file->name, head.number));
      return;
    }
  }
}

}  // namespace

void read_proxy(const config::Section& section, Assembly& assembly) {
  ProxyDraft* draft = find_draft(assembly, section);
  if (draft == nullptr) return;
  if (draft->side & kInBackend && !draft->is_defaults())
    draft->proxy->backend =
        std::make_unique<upstream::Backend>(assembly.generation.registry, *draft->proxy->state);
  if (draft->base != nullptr) {
    inherit(*draft, *draft->base);
    draft->defines_rules = draft->is_defaults() && draft->base->defines_rules;
  }
  check_shared_rules(*draft, assembly);
  for (const config::Line& line : section.lines) read_proxy_line(line, *draft, assembly);
  if (draft->base != nullptr) inherit_rules(*draft, *draft->base);
}

}  // namespace app
