// Rows of the tables of sample fetches, converters and ACL keywords, and the catalogue that the
// parser is given. Built-in rows are constexpr tables (one file for each family); Lua adds rows while
// scripts load.
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
#include "state/value.h"

namespace expr {

using state::Type;
using state::Value;

// Where a sample can be had, as the manual's chapter 7.3 orders them and -dKsmp prints them. A fetch
// needs one of its bits to be available at the rule's place.
enum Where : std::uint32_t {
  kInternal = 1u << 0,
  kClientL4 = 1u << 1,      // L4CLI
  kClientL5 = 1u << 2,      // L5CLI
  kTracked = 1u << 3,       // TRACK
  kRequestL6 = 1u << 4,     // L6REQ
  kRequestHttpV = 1u << 5,  // HRQHV: headers, volatile
  kRequestHttpP = 1u << 6,  // HRQHP: headers, persistent
  kRequestBody = 1u << 7,   // HRQBO
  kBackendServer = 1u << 8, // BKSRV
  kServerL4 = 1u << 9,      // L4SRV
  kServerL5 = 1u << 10,     // L5SRV
  kResponseL6 = 1u << 11,   // L6RES
  kResponseHttpV = 1u << 12,
  kResponseHttpP = 1u << 13,
  kResponseBody = 1u << 14,
  kRequestEnd = 1u << 15,   // RQFIN
  kResponseEnd = 1u << 16,  // RSFIN
  kExchangeEnd = 1u << 17,  // TXFIN
  kSessionEnd = 1u << 18,   // SSFIN
  kConfig = 1u << 19,       // may be used while the configuration is read
  kCli = 1u << 20,          // comes with kInternal
  kFrontendSide = 1u << 21, // FTEND: the frontend's facts, everywhere but in checks
  kBackendSide = 1u << 22,  // BKEND: the backend's facts, once one was chosen
};
// What is available to a rule evaluated at `point` (tables of the manual's section 7.3).
std::uint32_t available_at(txn::Point point, bool http);

// Compiled arguments. Signatures are short texts: one letter an argument, '[' starts the optional
// ones: i integer, s string, f frontend, b backend, p proxy (any), v server "[be/]srv", u userlist,
// m map file, r regex, V variable name, 4 ipv4, 6 ipv6, n netmask, t time ms, z size, a sample
// expression or variable for arithmetic. "" takes none.
struct Argument {
  std::variant<std::monostate, std::int64_t, std::string, state::Proxy*, state::Server*,
               state::VariableName, net::Ip, std::shared_ptr<void>> value;
  bool present() const { return value.index() != 0; }
  std::int64_t integer() const { return std::get<std::int64_t>(value); }
  const std::string& text() const { return std::get<std::string>(value); }
};
using Args = std::span<const Argument>;

struct FetchRow;
struct ConverterRow;

// `data` is what check() left, or the row's own (Lua function).
using FetchFunction = bool (*)(Args args, Context& context, Value& out, const FetchRow& row);
using ConvertFunction = bool (*)(Args args, Context& context, Value& inout, const ConverterRow& row);
// Checks and completes arguments at parse time: false with a message.
using CheckFunction = bool (*)(std::vector<Argument>& args, std::string& error);

struct FetchRow : config::Keyword {   // `arguments` is the signature above
  Type out = Type::string;
  std::uint32_t where = kInternal;
  FetchFunction fetch = nullptr;
  CheckFunction check = nullptr;
  void* data = nullptr;
};

struct ConverterRow : config::Keyword {
  Type in = Type::any;
  Type out = Type::any;
  ConvertFunction convert = nullptr;
  CheckFunction check = nullptr;
  void* data = nullptr;
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
  const FetchRow& add(FetchRow row);            // from scripts; the name is copied
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

// The built-in tables: families listed explicitly in expr/catalogue.cc.
void add_builtin(Catalogue& catalogue);

}  // namespace expr
