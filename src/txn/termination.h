// How an exchange ended: who and when, the first two letters of HAProxy's termination state
// (manual section 8.5). One value from which log, retry decision and response come.
#pragma once

#include <cstdint>

namespace txn {

enum class Cause : char {
  none = '-',
  client = 'C',
  server = 'S',
  proxy = 'P',
  local = 'L',
  resource = 'R',
  internal = 'I',
  down = 'D',
  killed_up = 'U',
  killed = 'K',
  client_timeout = 'c',
  server_timeout = 's',
};
enum class Phase : char {
  none = '-',
  request = 'R',
  queue = 'Q',
  connect = 'C',
  headers = 'H',
  data = 'D',
  last = 'L',
  tarpit = 'T',
};
struct Termination {
  Cause cause = Cause::none;
  Phase phase = Phase::none;
  explicit operator bool() const { return cause != Cause::none; }
};

}  // namespace txn
