// A server goes up and down: by checks, commands, tracking, traffic. Here the state moves,
// everybody concerned hears of it (balancer, queues, trackers, held slots) and the messages are
// written, with the texts that tools look for. Any worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "obs/log.h"
#include "state/events.h"
#include "upstream/backend.h"

namespace upstream {

class Health {
 public:
  // `why` follows the state in the message: ", reason: …", ", changed from CLI", " via be/srv".
  // `check`: what led to it.
  using Check = const state::CheckEvent*;
  static void up(Server& server, std::string_view why, Check check = nullptr);
  static void down(Server& server, std::string_view why, Check check = nullptr);
  static void stopping(Server& server, std::string_view why, Check check = nullptr);
  // Sets and clears state::AdminFlag bits.
  static void administer(Server& server, std::uint8_t set, std::uint8_t clear,
                         std::string_view why = {});
  // To the backend's log targets and as a warning on standard error.
  static void announce(Server& server, obs::Level level, std::string text);
  // To whom "email-alert" names, unless a script sees to that.
  static void mail(Server& server, obs::Level level, const std::string& text);

 private:
  struct Before;
  static unsigned enter_maintenance(Server& server, std::string_view why);
  static void leave_maintenance(Server& server, std::uint8_t cleared);
  static unsigned go_down(Server& server, std::string text, std::string_view why, bool alert,
                          bool mailed);
  static void settle(Server& server, const Before& before);
  static void inherit(Server& server, void (*move)(Server&, std::string_view, Check));
};

// To the backend's log targets alone.
void log_line(const Backend& backend, obs::Level level, std::string_view text);

}  // namespace upstream
