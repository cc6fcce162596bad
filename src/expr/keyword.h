// Rows of the tables of sample fetches, converters and ACL keywords, and the catalogue that the
// parser is given. Built-in rows are constexpr tables (one file for each family); Lua adds rows
// while scripts load.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/diagnostics.h"
#include "config/keyword.h"
#include "expr/context.h"
#include "state/patterns.h"
#include "state/stick_table.h"
#include "state/value.h"

namespace expr {

using state::Type;
using state::Value;

// Where a sample can be had, as the manual's chapter 7.3 orders them and -dKsmp prints them. A
// fetch needs one of its bits to be available at the rule's place.
enum Where : std::uint32_t {
  kInternal = 1u << 0,
  kListener = 1u << 1,        // LISTN
  kFrontendSide = 1u << 2,    // FTEND: settings of the frontend
  kClientL4 = 1u << 3,        // L4CLI
  kClientL5 = 1u << 4,        // L5CLI
  kTracked = 1u << 5,         // TRACK
  kRequestL6 = 1u << 6,       // L6REQ
  kRequestHttpV = 1u << 7,    // HRQHV: headers, volatile
  kRequestHttpP = 1u << 8,    // HRQHP: headers, persistent
  kRequestBody = 1u << 9,     // HRQBO
  kBackendSide = 1u << 10,    // BKEND: settings of the backend
  kBackendServer = 1u << 11,  // SERVR
  kServerL4 = 1u << 12,       // L4SRV
  kServerL5 = 1u << 13,       // L5SRV
  kResponseL6 = 1u << 14,     // L6RES
  kResponseHttpV = 1u << 15,  // HRSHV
  kResponseHttpP = 1u << 16,  // HRSHP
  kResponseBody = 1u << 17,   // HRSBO
  kRequestEnd = 1u << 18,     // RQFIN
  kResponseEnd = 1u << 19,    // RSFIN
  kExchangeEnd = 1u << 20,    // TXFIN
  kSessionEnd = 1u << 21,     // SSFIN
  kConfig = 1u << 22,         // may be used while the configuration is read
  kCli = 1u << 23,            // comes with kInternal
};

// What is available to a rule evaluated at `point` in a proxy with these sides (tables of the
// manual's section 7.3). `http` is there for the caller's sake: the tables do not depend on the
// mode.
std::uint32_t available_at(txn::Point point, bool http,
                           std::uint8_t sides = state::kFrontend | state::kBackend);
// What is available to "set-var" of the global section and to commands of the runtime socket.
inline constexpr std::uint32_t kAvailableInConfig = kConfig;
inline constexpr std::uint32_t kAvailableInCli = kInternal | kCli;
// "frontend http-request header rule", for ParseContext::place.
const char* place_name(txn::Point point, std::uint8_t sides);
// "HTTP request headers,HTTP response headers"
std::string describe_sources(std::uint32_t where);

// Compiled arguments. Signatures are short texts: one letter an argument, '[' starts the optional
// ones: i integer, s string, f frontend, b backend, p proxy (any), v server "[be/]srv", T table,
// u userlist, r regex (kept as text, check() compiles it), V variable name, 4 ipv4, 6 ipv6, n IPv4
// netmask, N IPv6 netmask, t time ms, z size, P protocol buffers field number (text), a integer or
// variable for arithmetic. "" takes none. Proxies and servers are resolved after all sections were
// read; the first one may be left out and is then the proxy of the rule.
struct Argument {
  std::variant<std::monostate, std::int64_t, std::string, state::Proxy*, state::Server*,
               state::VariableName, net::Ip, state::StickTable*, std::shared_ptr<void>>
      value;
  bool present() const { return value.index() != 0; }
  std::int64_t integer() const { return std::get<std::int64_t>(value); }
  const std::string& text() const { return std::get<std::string>(value); }
  state::Proxy* proxy() const { return std::get<state::Proxy*>(value); }
  state::StickTable* table() const { return std::get<state::StickTable*>(value); }
  state::Server* server() const { return std::get<state::Server*>(value); }
  state::VariableName variable() const { return std::get<state::VariableName>(value); }
  bool is_variable() const { return std::holds_alternative<state::VariableName>(value); }
  const net::Ip& ip() const { return std::get<net::Ip>(value); }
  // What check() compiled.
  template <class T>
  T* object() const {
    return static_cast<T*>(std::get<std::shared_ptr<void>>(value).get());
  }
};
using Args = std::span<const Argument>;
// "(string[,integer])" as -dK prints signatures.
std::string describe_signature(std::string_view signature);

struct FetchRow;
struct ConverterRow;
struct ParseContext;

// `data` is what check() left, or the row's own (Lua function).
using FetchFunction = bool (*)(Args args, Context& context, Value& out, const FetchRow& row);
using ConvertFunction = bool (*)(Args args, Context& context, Value& inout,
                                 const ConverterRow& row);
// Checks and completes arguments at parse time: false with a message. Arguments that were not given
// may be appended.
using CheckFunction = bool (*)(std::vector<Argument>& args, std::string& error);
// The same for those that need to know where they stand. `row` is the FetchRow or ConverterRow.
using CheckInContext = bool (*)(std::vector<Argument>& args, ParseContext& context,
                                const config::Keyword& row, std::string& error);

struct FetchRow : config::Keyword {  // `arguments` is the signature above
  Type out = Type::string;
  std::uint32_t where = kInternal;
  FetchFunction fetch = nullptr;
  CheckFunction check = nullptr;
  void* data = nullptr;
  CheckInContext check_in_context = nullptr;
};

struct ConverterRow : config::Keyword {
  Type in = Type::any;
  Type out = Type::any;
  ConvertFunction convert = nullptr;
  CheckInContext check = nullptr;
  void* data = nullptr;
  bool same_type = false;  // gives what it was given (debug, set-var, when)
};

// An ACL keyword that is a fetch with a match method of its own ("path_beg" = path -m beg).
struct AclRow : config::Keyword {
  std::string_view fetch;
  std::string_view match;
};

// All that the parser may meet. Tables are added by app/ at start-up; rows never move.
class Catalogue {
 public:
  void add(std::span<const FetchRow> table) { fetches_.push_back(table); }
  void add(std::span<const ConverterRow> table) { converters_.push_back(table); }
  void add(std::span<const AclRow> table) { acls_.push_back(table); }
  const FetchRow& add(FetchRow row);  // from scripts; the name is copied
  const ConverterRow& add(ConverterRow row);

  const FetchRow* fetch(std::string_view name) const;
  const ConverterRow* converter(std::string_view name) const;
  const AclRow* acl(std::string_view name) const;
  std::string_view nearest_fetch(std::string_view word) const;
  std::string_view nearest_converter(std::string_view word) const;
  std::vector<const FetchRow*> all_fetches() const;
  std::vector<const ConverterRow*> all_converters() const;
  std::vector<const AclRow*> all_acls() const;

 private:
  std::vector<std::span<const FetchRow>> fetches_;
  std::vector<std::span<const ConverterRow>> converters_;
  std::vector<std::span<const AclRow>> acls_;
  std::deque<FetchRow> own_fetches_;
  std::deque<ConverterRow> own_converters_;
  std::deque<std::string> names_;
};

// The built-in tables. Families are listed explicitly in fetch/tables.cc and converter/tables.cc.
void add_builtin(Catalogue& catalogue);

}  // namespace expr
