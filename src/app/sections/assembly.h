// What is known while sections are read: the drafts of proxies and defaults, named things that
// others refer to, and look-ups that wait for the end. Loading thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/generation.h"
#include "config/diagnostics.h"
#include "expr/parse.h"
#include "obs/log_config.h"
#include "rules/ruleset.h"
#include "upstream/backend.h"
#include "upstream/health_check.h"
#include "upstream/mailer.h"

namespace app {

enum Side : std::uint8_t { kInDefaults = 1, kInFrontend = 2, kInBackend = 4, kInListen = 6 };

// A log format is compiled once its proxy is complete.
struct FormatChoice {
  std::string text;
  config::Position at;
  bool given = false;
};

enum class LogOption : std::uint8_t { none, tcp, tcp_clf, http, http_clf, https };

// Kinds of rules in the order in which the engine looks at them, for warnings about lines whose
// order misleads.
enum class RuleKind : std::uint8_t {
  connection,
  session,
  content,
  http_request,
  redirect,
  use_backend,
  use_server,
  count_
};

struct EmailAlertDraft {
  bool given = false;
  std::string mailers, from, to, host;  // empty: not given
  obs::Level level = obs::Level::alert;
  config::Position at;
};

struct MailersDraft {
  std::shared_ptr<const state::Mailers> mailers;
  config::Position at;
  bool used = false;
};

// A proxy or defaults section under construction. What is inherited from a defaults section is
// copied when a section begins.
struct ProxyDraft {
  const config::Section* section = nullptr;
  std::string name;
  std::uint8_t side = 0;
  const ProxyDraft* base = nullptr;  // its defaults
  bool mode_given = false;
  std::unique_ptr<proxy::Proxy> proxy;
  upstream::BackendSettings own;  // of a defaults section
  obs::LogSettings log;
  FormatChoice log_format, error_log_format, log_format_sd, unique_id_format;
  std::uint32_t log_steps = 0;  // of "log-steps", a bit for each origin; 0: none given
  LogOption log_option = LogOption::none;
  config::Position log_option_at;
  FormatChoice default_backend;                      // its name
  FormatChoice request_sequence, response_sequence;  // "filter-sequence"
  EmailAlertDraft email_alert;
  unsigned id = 0;             // 0: counted up
  bool defines_rules = false;  // of a defaults section
  // Slots that rules of a defaults section declare; sections that inherit begin with them.
  std::vector<state::CaptureSlot> captures;
  unsigned rule_counts[static_cast<std::size_t>(RuleKind::count_)] = {};
  std::map<std::string, config::Position, std::less<>> seen_timeouts;

  bool is_defaults() const { return side == kInDefaults; }
  // Of the backend, or what a defaults section keeps for backends.
  upstream::BackendSettings& settings() {
    return proxy->backend != nullptr ? proxy->backend->settings : own;
  }
  std::string_view kind() const;  // "frontend", "proxy" for listen
};

// A log-forward section: the lines it shares with frontends are read into a draft of one.
struct LogForwardDraft {
  ProxyDraft lines;
  std::unique_ptr<state::Proxy> state;
  std::unique_ptr<proxy::LogForward> made;
};

struct Assembly {
  Generation& generation;
  config::Diagnostics& diagnostics;
  std::vector<std::function<void()>> deferred = {};
  std::vector<std::unique_ptr<ProxyDraft>> defaults = {};
  std::vector<std::unique_ptr<ProxyDraft>> proxies = {};
  std::vector<std::unique_ptr<LogForwardDraft>> log_forwards = {};
  rules::ErrorSections error_sections = {};
  std::map<std::string, config::Position, std::less<>> error_section_places = {};
  std::map<std::string, config::Position, std::less<>> log_profile_places = {};
  std::shared_ptr<upstream::HealthChecks> health_checks =
      std::make_shared<upstream::HealthChecks>();
  std::map<std::string, config::Position, std::less<>> health_check_places = {};
  std::map<std::string, std::shared_ptr<expr::UserList>, std::less<>> user_lists = {};
  std::map<std::string, MailersDraft, std::less<>> mailers = {};
  std::shared_ptr<upstream::Mailer> mailer = {};  // once something is mailed

  const GlobalSettings& settings() const { return generation.settings; }
};

}  // namespace app
