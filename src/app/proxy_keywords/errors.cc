// Error messages: errorfile, errorloc, errorfiles, http-error (the manual's section 4.2).
#include "http/errors.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/proxy_keywords/keyword.h"
#include "rules/action/support.h"
#include "rules/error_file.h"
#include "rules/reply.h"

namespace app {

namespace {

using ReplyPointer = std::shared_ptr<const txn::Reply>;

std::optional<std::uint16_t> status(config::Arguments& args, std::string_view what) {
  auto value = base::parse_int<std::uint16_t>(args.peek());
  if (!value || !rules::is_error_status(*value)) {
    args.error(fmt::format("{} : status code '{}' not handled.", what, args.peek()));
    return std::nullopt;
  }
  args.next();
  return value;
}

void put(ProxyContext& context, std::uint16_t code, ReplyPointer reply) {
  context.proxy().errors.made.erase(code);
  context.proxy().errors.by_status[code] = std::move(reply);
}

bool error_file(ProxyContext& context) {
  auto& args = context.args;
  if (args.line().size() - args.index() < 2)
    return args.error("errorfile : expects <status_code> and <file> as arguments.");
  auto code = status(args, "errorfile");
  if (!code) return false;
  auto reply = rules::load_error_file(std::string(args.next()), *code);
  if (!reply) return args.error_at_previous(fmt::format("errorfile : {}.", reply.error()));
  put(context, *code, *reply);
  return true;
}

bool error_location(ProxyContext& context) {
  auto& args = context.args;
  const std::string_view what = context.row->name;
  if (args.line().size() - args.index() != 2)
    return args.error(fmt::format("{} : expects exactly two arguments.", what));
  auto code = status(args, what);
  if (!code) return false;
  auto reply = std::make_shared<txn::Reply>();
  reply->status = what == "errorloc303" ? 303 : 302;
  reply->is_error = true;
  reply->headers = {{"cache-control", "no-cache"}, {"location", std::string(args.next())}};
  put(context, *code, std::move(reply));
  return true;
}

// errorfiles <section> [<status> …]; the sections were all read before any proxy.
bool error_files(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("errorfiles : expects <name> as argument.");
  const auto& sections = context.assembly.error_sections;
  auto found = sections.find(args.peek());
  if (found == sections.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, replies] : sections) names.push_back(name);
    return args.error(fmt::format("unable to find the http-errors section '{}'.", args.peek()),
                      did_you_mean(args.peek(), names));
  }
  args.next();
  std::vector<std::uint16_t> only;
  while (!args.done()) {
    auto code = status(args, "errorfiles");
    if (!code) return false;
    only.push_back(*code);
  }
  for (const auto& [code, reply] : found->second)
    if (only.empty() || std::find(only.begin(), only.end(), code) != only.end())
      put(context, code, reply);
  return true;
}

// The message that is built in, as "default-errorfiles" asks for.
ReplyPointer built_in(std::uint16_t code) {
  const http::ErrorPage* page = http::error_page(code);
  if (page == nullptr) return nullptr;
  auto reply = rules::parse_error_message(http::error_bytes(*page), code);
  return reply ? *reply : nullptr;
}

// http-error status <code> and what "http-request return" takes as well.
bool http_error(ProxyContext& context) {
  auto& args = context.args;
  if (args.peek() != "status")
    return args.error("http-error : expects at least a <status> as arguments.");
  auto code = base::parse_int<std::uint16_t>(args.peek(1));
  if (!code || !rules::is_error_status(*code))
    return args.error(fmt::format("http-error : Unexpected status code '{}'", args.peek(1)));
  if (args.peek(2) == "default-errorfiles" && args.line().size() == args.index() + 3) {
    args.seek(args.index() + 3);
    put(context, *code, built_in(*code));
    return true;
  }
  auto where = context.expressions(txn::Point::http_after_response, "'http-error'");
  where.available = ~0u;
  rules::ParseContext rule{where,
                           rules::kHttpRequest,
                           context.assembly.generation.actions,
                           &context.assembly.error_sections,
                           &context.assembly.generation.config.log_profiles,
                           context.draft.is_defaults(),
                           true};
  rules::action::Reader reader(args, rule, "http-error");
  auto made = rules::ReplyTemplate::parse(reader, *code, false);
  if (made == nullptr) return false;
  context.proxy().errors.made[*code] = std::move(made);
  return true;
}

constexpr std::uint8_t kAll = kInDefaults | kInListen;

constexpr ProxyKeyword kTable[] = {
    {{"errorfile", "<code> <file>", "Answers an error with this file."}, kAll, error_file},
    {{"errorfiles", "<name> [<code>...]", "Answers errors as an http-errors section says."},
     kAll,
     error_files},
    {{"errorloc", "<code> <url>", "Redirects an error to this place."}, kAll, error_location},
    {{"errorloc302", "<code> <url>", "Redirects an error with status 302."}, kAll, error_location},
    {{"errorloc303", "<code> <url>", "Redirects an error with status 303."}, kAll, error_location},
    {{"http-error", "status <code> [content-type <type>] [<payload>] [hdr <name> <fmt>]*",
      "Answers an error with this message."},
     kAll,
     http_error},
};

}  // namespace

std::span<const ProxyKeyword> error_keywords() { return kTable; }

}  // namespace app
