// The aliases of log formats ("%ci", "%ST"): a table, each row with its documentation and the way
// its value is had (manual section 8.2.6).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/keyword.h"
#include "expr/context.h"
#include "expr/log_format.h"

namespace expr {

// What an alias gives and how flags act on it.
enum class AliasForm : std::uint8_t {
  number,  // never quoted; hexadecimal with +X where `hex_digits` says so
  text,    // quoted with +Q, "-" when empty in logs
  plain,   // dates and states: never quoted
  list,    // captured headers of the CLF style, each quoted by itself
};
// How bytes that could confuse readers of a log are written (manual section 8.6).
enum class AliasEscape : std::uint8_t { none, url, header };

struct LogAlias : config::Keyword {
  AliasForm form = AliasForm::text;
  std::int64_t (*number)(Context& context) = nullptr;
  // Appends to `out`; already escaped.
  void (*text)(Context& context, std::string& out) = nullptr;
  AliasEscape escape = AliasEscape::none;
  std::uint8_t hex_digits = 0;
  net::Ip (*ip)(Context& context) = nullptr;  // for +X
  // '+' before the value while it may still grow (option logasap), or after a redispatch.
  bool (*plus)(Context& context) = nullptr;
  std::span<const std::string_view> (*values)(Context& context) = nullptr;  // list
  Settled settled = Settled::always;
};

std::span<const LogAlias> log_aliases();

// Appends `text` with what `escape` forbids as #XX.
void append_escaped(std::string& out, std::string_view text, AliasEscape escape);

}  // namespace expr
