// Health checks: a fiber a checked server that connects, talks as the settings say, and moves the
// server up and down by rise and fall. tcp, httpchk, tcp-check and http-check sequences, agent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "expr/condition.h"
#include "expr/log_format.h"
#include "net/address.h"

namespace upstream {

class Server;

// One step of a tcp-check or http-check sequence.
class CheckStep;

enum class CheckKind : std::uint8_t {
  tcp, sequence /* tcp-check and http-check */, agent, ssl_hello, smtp, ldap, mysql, pgsql, redis, spop, external
};

// The check of a backend ("option httpchk", "option tcp-check", "http-check …") shared by its servers.
struct CheckRules {
  CheckKind kind = CheckKind::tcp;
  bool http = false;
  std::vector<std::unique_ptr<CheckStep>> steps;
  bool disable_on_404 = false, send_state = false;
};

struct CheckSettings {
  std::shared_ptr<const CheckRules> rules;
  std::int64_t inter_ms = 2000, fast_inter_ms = 0, down_inter_ms = 0;  // 0: inter
  int rise = 2, fall = 3;
  net::AddressSpec address;        // "addr", kind none: the server's
  std::uint16_t port = 0;          // "port", 0: the server's
  bool send_proxy = false;
  std::string agent_send;
  bool enabled = true;             // "no-check" after "check"
};

// Starts the checks of a server on a worker chosen by load; they end with the process or when the
// server is removed.
void start_checks(Server& server);

}  // namespace upstream
