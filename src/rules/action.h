// One action of a rule. An action is made once, while the configuration is parsed, and run by many
// workers at once: run() changes the exchange, never the action. It may wait.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/keyword.h"
#include "expr/condition.h"
#include "expr/context.h"
#include "expr/log_profile.h"
#include "rules/filter.h"

namespace rules {

// What goes on after an action. Final verdicts leave who and when in exchange.end.
enum class Verdict : std::uint8_t {
  next,        // the next rule
  stop,        // this ruleset is over, traffic goes on ("allow", "accept")
  incomplete,  // not enough bytes yet: wait for more and run this rule again (content rules)
  reply,       // exchange.reply answers the client
  service,     // exchange.service answers
  deny,        // refused with exchange.reply; counted as denied
  close,       // end the connection without an answer (reject, silent-drop); counted as denied
  error,       // the action failed for internal reasons: 500
  invalid,     // the message is malformed: 400 / 502
};

// Rulesets an action can stand in, for tables and messages.
enum Place : std::uint16_t {
  kTcpConnection = 1 << 0,
  kTcpSession = 1 << 1,
  kTcpRequestContent = 1 << 2,
  kTcpResponseContent = 1 << 3,
  kHttpRequest = 1 << 4,
  kHttpResponse = 1 << 5,
  kHttpAfterResponse = 1 << 6,
  kQuicInitial = 1 << 7,
};
std::string_view name_of(Place place);  // "http-request"

class Action {
 public:
  virtual ~Action() = default;
  virtual Verdict run(expr::Context& context) = 0;
};

class Catalogue;

// Replies of an "http-errors" section, or of anything else that names them by status.
using ErrorReplies = std::map<std::uint16_t, std::shared_ptr<const txn::Reply>>;
using ErrorSections = std::map<std::string, ErrorReplies, std::less<>>;

struct ParseContext {
  expr::ParseContext& expr;
  Place place;
  const Catalogue& catalogue;
  // Looked at after every section was read. Null: there are none.
  const ErrorSections* error_sections = nullptr;
  const expr::LogProfiles* log_profiles = nullptr;  // null: there are none
  bool in_defaults = false;
  bool http = true;          // mode of the section
  bool experimental = true;  // expose-experimental-directives
  // Where "capture … len" of requests declares its slot. Null: nowhere.
  std::vector<state::CaptureSlot>* captures = nullptr;
};

// One row of the tables; `parse` is given the words after the action's name and stops before
// "if"/"unless". It reports its errors and returns null. For prefix rows ("set-var(") `word` holds
// the whole word as written.
struct ActionRow : config::Keyword {
  std::uint16_t places;
  std::unique_ptr<Action> (*parse)(config::Arguments& args, ParseContext& context,
                                   std::string_view word, const ActionRow& row);
  bool prefix = false;  // "set-var(" "lua." : the word begins with the name
  bool final = false;   // ends the ruleset: rules behind it without condition are unreachable
  void* data = nullptr;
};

// A named service for "use-service": "lua.hello", "prometheus-exporter".
struct ServiceRow : config::Keyword {
  bool http = true;  // answers HTTP requests; otherwise TCP streams
  std::unique_ptr<txn::ServiceRun> (*start)(expr::Context& context,
                                            const ServiceRow& row) = nullptr;
  void* data = nullptr;
};

class Catalogue {
 public:
  void add(std::span<const ActionRow> table) { tables_.push_back(table); }
  const ActionRow& add(ActionRow row);  // from scripts; the name is copied
  const ServiceRow& add(ServiceRow row);
  const FilterRow& add(FilterRow row);
  const ServiceRow* find_service(std::string_view name, bool http) const;
  std::vector<const ServiceRow*> all_services() const;
  const FilterRow* find_filter(std::string_view name) const;
  const std::deque<FilterRow>& filters() const { return filters_; }
  const ActionRow* find(std::string_view word, Place place) const;
  std::string_view nearest(std::string_view word, Place place) const;
  std::vector<const ActionRow*> all() const;

 private:
  std::vector<std::span<const ActionRow>> tables_;
  std::deque<ActionRow> own_;
  std::deque<ServiceRow> services_;
  std::deque<FilterRow> filters_;
  std::deque<std::string> names_;
};

void add_builtin(Catalogue& catalogue);  // one file for each action, listed in rules/catalogue.cc

}  // namespace rules
