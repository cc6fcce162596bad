// Messages of a connection that were wrong, forgiven or not ("fc_glitches", "bc_glitches"). Few
// connections ever have any: they are counted beside the connections, which stay small. Any thread.
#pragma once

#include <cstdint>

namespace net {
class Connection;
}

namespace txn {

// After how many a connection ends (tune.h1.fe/be.glitches-threshold; 0: never), and how busy, in
// percent, a worker must be to end that of a client at once (tune.glitches.kill.cpu-usage).
struct GlitchLimits {
  std::uint32_t client = 0, server = 0, load = 0;
};
// Before traffic.
void set_glitch_limits(const GlitchLimits& limits);
const GlitchLimits& glitch_limits();

std::uint32_t glitches_of(const net::Connection* connection);
std::uint32_t add_glitch(const net::Connection* connection);  // how many there are now
// A new connection may be where another was that nobody has told of.
void forget_glitches(const net::Connection* connection);

}  // namespace txn
