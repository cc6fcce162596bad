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

std::string rules_that_do_not_fit(const ProxyDraft& draft) {
  const proxy::Proxy& base = *draft.base->proxy;
  if (draft.is_defaults())
    return "a defaults section cannot inherit from a defaults section defining TCP/HTTP rules";
  if (draft.side == kInListen)
    return "a listen section cannot inherit from a defaults section defining TCP/HTTP rules";
  if (draft.side == kInBackend && !(base.tcp_connection.empty() && base.tcp_session.empty()))
    return "a backend section cannot inherit from a defaults section defining 'tcp-request "
           "connection' or "
           "'tcp-request session' rules";
  if (draft.side == kInFrontend && !base.tcp_response.empty())
    return "a frontend section cannot inherit from a defaults section defining 'tcp-response "
           "content' rules";
  return {};
}

// Rules of a defaults section serve one side: a frontend and a backend cannot share them.
void check_shared_rules(const ProxyDraft& draft, Assembly& assembly) {
  if (draft.base == nullptr || !draft.base->defines_rules) return;
  std::string text = rules_that_do_not_fit(draft);
  for (const auto& other : assembly.proxies) {
    if (other.get() == &draft || !text.empty()) break;
    if (other->base == draft.base && other->side != draft.side)
      text =
          "frontends and backends cannot inherit from the same defaults section if it defines "
          "TCP/HTTP "
          "rules";
  }
  if (text.empty()) return;
  const config::Line& head = draft.base->section->head;
  assembly.diagnostics.alert(
      draft.section->head.at(),
      fmt::format("{} (defaults section at {}:{}).", text, head.file->name, head.number));
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
  }
  check_shared_rules(*draft, assembly);
  for (const config::Line& line : section.lines) {
    if (assembly.diagnostics.full()) break;
    read_proxy_line(line, *draft, assembly);
  }
  if (draft->base != nullptr) inherit_rules(*draft, *draft->base);
}

}  // namespace app
