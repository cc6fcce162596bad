// "mailers" sections and what a proxy wants to be mailed ("email-alert"). Constant once the
// configuration is read.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "obs/log.h"

namespace state {

struct Mailer {
  std::string name;
  std::string address_text;  // as written
  net::Address address;
};

struct Mailers {
  std::string name;
  std::vector<Mailer> mailers;
  std::int64_t timeout_ms = 10000;
};

struct EmailAlert {
  std::shared_ptr<const Mailers> mailers;
  obs::Level level = obs::Level::alert;  // messages up to this one
  std::string from, to, host;
  bool health_checks = false;  // "option log-health-checks": of each check as well
};

}  // namespace state
