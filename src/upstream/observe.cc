// "observe": traffic that goes wrong counts like failed checks (manual, "observe", "error-limit").
#include "upstream/checker.h"

namespace upstream {

void Server::observed(bool ok, bool layer7) {
  const Observe mode = settings_->observe;
  if (mode == Observe::none || checker_ == nullptr) return;
  // A connection that was made says nothing yet where responses are watched.
  if (layer7 ? mode == Observe::layer4 : mode == Observe::layer7 && ok) return;
  if (ok) {
    consecutive_errors_.store(0, std::memory_order_relaxed);
    return;
  }
  if (consecutive_errors_.fetch_add(1, std::memory_order_relaxed) + 1 < settings_->error_limit)
    return;
  consecutive_errors_.store(0, std::memory_order_relaxed);
  checker_->fail_from_traffic(settings_->on_error);
}

}  // namespace upstream
