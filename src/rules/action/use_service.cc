// use-service: a service answers in place of a server (manual section 4.4).
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

class UseService : public Action {
 public:
  explicit UseService(const ServiceRow& row) : row_(row), shown_(fmt::format("<{}>", row.name)) {}
  Verdict run(expr::Context& context) override {
    context.exchange->service = row_.start(context, row_);
    if (context.exchange->service == nullptr) return Verdict::error;
    context.exchange->service_name = shown_;
    return Verdict::service;
  }

 private:
  const ServiceRow& row_;
  std::string shown_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  auto name = in.text("missing service name");
  if (!name) return nullptr;
  bool http = context.place == kHttpRequest;
  if (const ServiceRow* row = context.catalogue.find_service(*name, http))
    return std::make_unique<UseService>(*row);
  if (context.catalogue.find_service(*name, !http) != nullptr)
    return in.fail_at_previous(fmt::format("service '{}' is for {} only", *name,
                                           http ? "'tcp-request content'" : "'http-request'"));
  std::vector<std::string_view> names;
  for (const ServiceRow* row : context.catalogue.all_services()) names.push_back(row->name);
  std::string_view near = base::nearest(*name, names.data(), names.size());
  return in.fail_at_previous(
      fmt::format("'{}' unknown service name", *name),
      near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"use-service", "<service-name>", "Lets a service answer."},
     kTcpRequestContent | kHttpRequest, parse, false, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> use_service_rows() { return kRows; }

}  // namespace rules::action
