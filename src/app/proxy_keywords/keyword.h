// One row for each keyword of defaults, frontend, listen and backend sections (the manual's chapter
// 4). A keyword in a section that has not its side is reported as the reference does: most are
// ignored with a warning, some are mistakes. Loading thread only.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "app/sections/assembly.h"
#include "config/arguments.h"
#include "config/keyword.h"
#include "txn/exchange.h"

namespace app {

struct ProxyKeyword;

struct ProxyContext {
  Assembly& assembly;
  ProxyDraft& draft;
  config::Arguments& args;  // after the keyword
  const ProxyKeyword* row = nullptr;
  bool negated = false;  // "no …"
  bool reset = false;    // "default …"

  proxy::Proxy& proxy() { return *draft.proxy; }
  config::Diagnostics& diagnostics() { return assembly.diagnostics; }
  bool http() const { return draft.proxy->mode == state::Mode::http; }
  expr::ParseContext expressions(txn::Point point, const char* place) const;
};

struct ProxyKeyword : config::Keyword {
  std::uint8_t places;  // Side bits
  bool (*parse)(ProxyContext&);
  bool misplaced_fails = false;
  bool may_negate = false;
};

std::span<const ProxyKeyword> basic_keywords();
std::span<const ProxyKeyword> bind_keywords();
std::span<const ProxyKeyword> routing_keywords();
std::span<const ProxyKeyword> rule_keywords();
std::span<const ProxyKeyword> logging_keywords();
std::span<const ProxyKeyword> error_keywords();
std::span<const ProxyKeyword> filter_keywords();
std::span<const ProxyKeyword> stats_keywords();
std::span<const ProxyKeyword> upstream_keywords();
std::span<const ProxyKeyword> timeout_keywords();
std::span<const ProxyKeyword> option_keywords();
std::span<const ProxyKeyword> email_alert_keywords();
std::span<const ProxyKeyword> stick_keywords();
std::span<const ProxyKeyword> refused_keywords();

std::vector<const ProxyKeyword*> all_proxy_keywords();

// "it belongs in 'frontend', 'listen' and 'defaults' sections", for a word that stands elsewhere;
// empty when no section knows it.
std::string where_it_belongs(std::string_view word);

// In which order filters are passed, once all of a section were read.
void order_filters(ProxyDraft& draft, config::Diagnostics& diagnostics);

// Reads one line of a proxy or defaults section.
void read_proxy_line(const config::Line& line, ProxyDraft& draft, Assembly& assembly);

// "dgram-bind": as "bind", for datagrams.
std::unique_ptr<proxy::Bind> parse_datagram_bind(config::Arguments& args,
                                                 const GlobalSettings& settings);

// True when the section has one of `places`; else reports `what` as ignored (or as a mistake).
bool allowed(ProxyContext& context, std::string_view what, std::uint8_t places, bool fails = false);

// Notes that a rule of this kind was written and warns when a later kind came before it.
void note_rule(ProxyContext& context, RuleKind kind);

// A mistake about a word that is none of `names`, with the nearest of them.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> names);

// What may follow the address of "bind"; `tls`: what belongs behind "ssl".
std::vector<const config::Keyword*> bind_options(bool tls);
// Empty for those that have one.
std::string_view why_bind_option_has_no_effect(std::string_view name);

// Options that concern servers and checks; nothing when the next word is none of them.
std::optional<bool> parse_upstream_option(ProxyContext& context);

std::vector<const config::Keyword*> all_options();
std::string_view why_option_has_no_effect(std::string_view name);

// Once all sections were read: what "email-alert" lines ask for; mailers that none of them names.
void complete_email_alert(ProxyDraft& draft, Assembly& assembly);
void warn_of_unused_mailers(Assembly& assembly);

}  // namespace app
