// do-log: a log line now, beside the usual one (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class DoLog : public Action {
 public:
  explicit DoLog(std::string_view origin) : origin_(origin) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange != nullptr && context.exchange->engine != nullptr)
      context.exchange->engine->log_now(origin_, {});
    return Verdict::next;
  }

 private:
  std::string_view origin_;
};

std::string_view origin_of(Place place) {
  switch (place) {
    case kTcpRequestContent:
      return "tcp-req-cont";
    case kTcpResponseContent:
      return "tcp-res-cont";
    case kHttpRequest:
      return "http-req";
    case kHttpResponse:
      return "http-res";
    case kHttpAfterResponse:
      return "http-after-res";
    default:
      return "unspec";
  }
}

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  if (context.place & (kTcpConnection | kTcpSession))
    return in.fail_at_previous("logging before an exchange begins is not supported yet",
                               "use 'tcp-request content do-log'");
  if (in.accept("profile"))
    return in.fail_at_previous("'profile' needs log profiles, which are not supported yet");
  return std::make_unique<DoLog>(origin_of(context.place));
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
