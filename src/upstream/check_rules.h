// What a check does once: connect, talk, judge. Shared by the servers of a backend; probe() runs in
// the fiber of one Checker and waits there, never longer than the settings allow.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "upstream/checker.h"

namespace expr {
struct ParseContext;
}

namespace upstream {

class CheckStep;

class CheckRules {
 public:
  virtual ~CheckRules() = default;
  virtual CheckOutcome probe(Checker& checker) const = 0;
};

// What "option …chk" and the rules of a section said, before it becomes CheckRules. A section that
// copied it from its defaults makes its own copy before it changes anything.
struct CheckDraft {
  enum class Kind : std::uint8_t {
    none,  // nothing was said: a connection is all
    tcp,
    http,
    ssl_hello,
    smtp,
    ldap,
    mysql,
    pgsql,
    redis,
    spop,
    external
  } kind = Kind::none;
  const void* owner = nullptr;                          // the BackendSettings it was made for
  std::vector<std::shared_ptr<const CheckStep>> steps;  // tcp-check or http-check rules, in order
  bool own_steps = false;                               // not those of the defaults
  bool http_steps = false;                              // they are http-check rules
  std::shared_ptr<const CheckStep> request;             // of "option httpchk <method> <uri> …"
  bool own_request = false;                             // not that of the defaults
  bool disable_on_404 = false, send_state = false;
  std::string user, dialect;  // mysql-check, pgsql-check, smtpchk
};

// Null with a report when the rules make no sense. `draft` is the backend's, null when it says
// nothing, or that of a healthcheck section.
std::shared_ptr<const CheckRules> make_check_rules(const CheckDraft* draft,
                                                   const BackendSettings& settings,
                                                   std::string_view proxy,
                                                   config::Diagnostics& diagnostics);
std::shared_ptr<const CheckRules> make_agent_rules();
// What a server is checked by: the healthcheck section it names, else what its backend says; null:
// nothing was said, or there is no such section.
const CheckDraft* check_draft(const ServerSettings& server, const BackendSettings& backend);

}  // namespace upstream
