// Mails about servers ("email-alert"): one fiber of the first worker speaks SMTP to each mailer of
// an alert, one mail after the other, so that a slow mailer delays mails and nothing else. Lives as
// long as the configuration; send() may be called by any worker.
#pragma once

#include <deque>
#include <string>

#include "obs/log.h"

namespace upstream {

class Backend;

class Mailer {
 public:
  // To whom the backend's alert names; nothing where it asks for more urgent messages only.
  void send(const Backend& backend, obs::Level level, std::string text);

 private:
  struct Mail {
    const Backend* backend;
    std::string text;
    std::int64_t when;  // wall-clock seconds
  };
  void queue(Mail mail);  // in the loop of the first worker
  void run();

  std::deque<Mail> waiting_;  // the first worker's
  bool running_ = false;
};

}  // namespace upstream
