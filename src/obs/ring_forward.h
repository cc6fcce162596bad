// Sends the lines of a ring to a syslog server over a stream, in a fiber of worker 0 that lives as
// long as the process: connects, sends what the ring still has, waits for more, connects again
// after failures. Lines that the ring forgot meanwhile are lost and counted.
#pragma once

namespace obs {

// For every ring that has servers. Once, before or while the workers run, on worker 0.
void start_forwarding();

}  // namespace obs
