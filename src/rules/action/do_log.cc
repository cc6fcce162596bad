// do-log: a log line now, beside the usual ones (manual section 4.4).
#include <fmt/format.h>

#include "expr/log_profile.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

using txn::LogOrigin;

class DoLog : public Action {
 public:
  DoLog(LogOrigin origin, std::shared_ptr<const expr::LogProfile> profile)
      : origin_(origin), profile_(std::move(profile)) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr && context.exchange->engine != nullptr)
      context.exchange->engine->log_now(origin_, profile_.get());
    else if (context.session_engine != nullptr)
      context.session_engine->log_now(origin_, profile_.get());
    return Verdict::next;
  }

 private:
  LogOrigin origin_;
  std::shared_ptr<const expr::LogProfile> profile_;
};

LogOrigin origin_of(Place place) {
  switch (place) {
    case kTcpConnection:
      return LogOrigin::tcp_connection;
    case kTcpSession:
      return LogOrigin::tcp_session;
    case kTcpRequestContent:
      return LogOrigin::tcp_request;
    case kTcpResponseContent:
      return LogOrigin::tcp_response;
    case kHttpRequest:
      return LogOrigin::http_request;
    case kHttpResponse:
      return LogOrigin::http_response;
    case kHttpAfterResponse:
      return LogOrigin::http_after_response;
    default:
      return LogOrigin::unspecified;
  }
}

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  std::shared_ptr<const expr::LogProfile> profile;
  if (in.accept("profile")) {
    auto name = in.text("'profile' expects argument.");
    if (!name) return nullptr;
    if (context.log_profiles != nullptr) {
      auto found = context.log_profiles->find(*name);
      if (found != context.log_profiles->end()) profile = found->second;
    }
    if (profile == nullptr)
      return in.fail_at_previous(fmt::format("profile '{}' is invalid.", *name));
  }
  return std::make_unique<DoLog>(origin_of(context.place), std::move(profile));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"do-log", "[profile <log_profile>]", "Logs a line now."},
     kTcpConnection | kTcpSession | kTcpRequestContent | kTcpResponseContent | kHttpRequest |
     kHttpResponse | kHttpAfterResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> do_log_rows() { return kRows; }

}  // namespace rules::action
