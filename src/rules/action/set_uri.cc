// set-method, set-path, set-pathq, set-query, set-uri (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/action/target.h"

namespace rules::action {
namespace {

class SetTarget : public Action {
 public:
  SetTarget(TargetPart part, std::unique_ptr<expr::LogFormat> text)
      : part_(part), text_(std::move(text)) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange == nullptr) return Verdict::next;
    return change_target(context, part_, text_->text(context)) ? Verdict::next
                                                               : rewrite_failed(context);
  }

 private:
  TargetPart part_;
  std::unique_ptr<expr::LogFormat> text_;
};

class SetMethod : public Action {
 public:
  explicit SetMethod(std::unique_ptr<expr::LogFormat> text) : text_(std::move(text)) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange == nullptr) return Verdict::next;
    std::string_view method = text_->text(context);
    if (method.empty() || !take_room(context, method.size())) return rewrite_failed(context);
    http::RequestHead& request = context.exchange->request;
    if (context.exchange->original_method.empty())
      context.exchange->original_method = request.method_text;
    request.method = http::method_of(method);
    request.method_text = method;
    return Verdict::next;
  }

 private:
  std::unique_ptr<expr::LogFormat> text_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  auto text = in.format("expects exactly 1 argument <format>");
  if (text == nullptr) return nullptr;
  if (row.name == "set-method") return std::make_unique<SetMethod>(std::move(text));
  TargetPart part = row.name == "set-path"    ? TargetPart::path
                    : row.name == "set-pathq" ? TargetPart::path_and_query
                    : row.name == "set-query" ? TargetPart::query
                                              : TargetPart::whole;
  return std::make_unique<SetTarget>(part, std::move(text));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"set-method", "<fmt>", "Sets the request's method."}, kHttpRequest, parse},
    {{"set-path", "<fmt>", "Sets the path; the query stays."}, kHttpRequest, parse},
    {{"set-pathq", "<fmt>", "Sets the path with the query."}, kHttpRequest, parse},
    {{"set-query", "<fmt>", "Sets the query; the rest stays."}, kHttpRequest, parse},
    {{"set-uri", "<fmt>", "Sets the whole target."}, kHttpRequest, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> set_uri_rows() { return kRows; }

}  // namespace rules::action
