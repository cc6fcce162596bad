// Error messages: errorfile, errorloc, errorfiles, http-error (the manual's section 4.2).
#include "http/errors.h"

#include <fmt/format.h>

#include "app/error_files.h"
#include "app/proxy_keywords/keyword.h"

namespace app {

namespace {

using ReplyPointer = std::shared_ptr<const txn::Reply>;

std::optional<std::uint16_t> status(config::Arguments& args, std::string_view what) {
  auto value = base::parse_int<int>(args.peek());
  if (!value || !is_replaceable_status(*value)) {
    args.error(fmt::format("{} : status code '{}' not handled.", what, args.peek()));
    return std::nullopt;
  }
  args.next();
  return static_cast<std::uint16_t>(*value);
}

ReplyPointer load(config::Arguments& args, std::string_view what, const std::string& path,
                  std::uint16_t code) {
  auto text = read_whole_file(path);
  if (!text) {
    args.error_at_previous(fmt::format("{} : {}.", what, text.error()));
    return nullptr;
  }
  auto reply = parse_error_reply(*text, code);
  if (!reply) {
    args.error_at_previous(
        fmt::format("{} : '{}' is no HTTP response: {}.", what, path, reply.error()));
    return nullptr;
  }
  return *reply;
}

bool error_file(ProxyContext& context) {
  auto& args = context.args;
  if (args.line().size() - args.index() < 2)
    return args.error("errorfile : expects <status_code> and <file> as arguments.");
  auto code = status(args, "errorfile");
  if (!code) return false;
  auto reply = load(args, "errorfile", std::string(args.next()), *code);
  if (reply) context.proxy().errors.by_status[*code] = reply;
  return reply != nullptr;
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
  context.proxy().errors.by_status[*code] = std::move(reply);
  return true;
}

// errorfiles <section> [<status> …]; the section may follow later.
bool error_files(ProxyContext& context) {
  auto& args = context.args;
  if (args.done()) return args.error("errorfiles : expects <name> as argument.");
  const std::string name(args.peek());
  const config::Position at = args.here();
  args.next();
  std::vector<std::uint16_t> only;
  while (!args.done()) {
    auto code = status(args, "errorfiles");
    if (!code) return false;
    only.push_back(*code);
  }
  auto* proxy = context.draft.proxy.get();
  auto* assembly = &context.assembly;
  context.assembly.deferred.push_back([=] {
    auto found = assembly->error_sections.find(name);
    if (found == assembly->error_sections.end()) {
      assembly->diagnostics.alert(
          at, fmt::format("unable to find the http-errors section '{}'.", name));
      return;
    }
    for (const auto& [code, reply] : found->second)
      if (only.empty() || std::find(only.begin(), only.end(), code) != only.end())
        proxy->errors.by_status.emplace(code, reply);
  });
  return true;
}

bool payload(config::Arguments& args, std::string_view word, txn::Reply& reply) {
  auto value = args.text(word);
  if (!value) return false;
  if (word == "string") {
    reply.body = *value;
    return true;
  }
  auto text = read_whole_file(std::string(*value));
  if (!text) return args.error_at_previous(fmt::format("http-error : {}.", text.error()));
  reply.body = std::move(*text);
  return true;
}

// http-error status <code> [content-type <type>] [errorfile|file|string <value>] [hdr <name>
// <value>]
bool http_error(ProxyContext& context) {
  auto& args = context.args;
  if (!args.accept("status"))
    return args.error("http-error : expects at least a <status> as arguments.");
  auto code = base::parse_int<int>(args.peek());
  if (!code || !is_replaceable_status(*code))
    return args.error(fmt::format("http-error : Unexpected status code '{}'", args.peek()));
  args.next();
  auto reply = std::make_shared<txn::Reply>();
  reply->status = static_cast<std::uint16_t>(*code);
  reply->is_error = true;
  reply->headers.emplace_back("cache-control", "no-cache");
  std::string type;
  ReplyPointer whole;
  while (!args.done()) {
    const std::string_view word = args.next();
    if (word == "content-type") {
      auto value = args.text("content-type");
      if (!value) return false;
      type = *value;
    } else if (word == "errorfile") {
      auto path = args.text("errorfile");
      if (!path) return false;
      whole = load(args, "http-error", std::string(*path), reply->status);
      if (whole == nullptr) return false;
    } else if (word == "file" || word == "string") {
      if (!payload(args, word, *reply)) return false;
    } else if (word == "hdr") {
      auto name = args.text("hdr");
      auto value = name ? args.text("hdr") : std::nullopt;
      if (!value) return false;
      if (value->find('%') != value->npos)
        return args.error_at_previous("http-error : log formats are not supported yet here.");
      reply->headers.emplace_back(std::string(*name), std::string(*value));
    } else if (word == "default-errorfiles" || word == "errorfiles" || word == "lf-file" ||
               word == "lf-string") {
      return args.error_at_previous(fmt::format("http-error : '{}' is not supported yet.", word));
    } else {
      return args.error_at_previous(fmt::format("http-error : unexpected argument '{}'.", word));
    }
  }
  if (!reply->body.empty() && type.empty())
    return args.error("http-error : content type must be defined when a payload is configured.");
  if (!type.empty()) reply->headers.emplace_back("content-type", type);
  context.proxy().errors.by_status[static_cast<std::uint16_t>(*code)] =
      whole != nullptr ? whole : ReplyPointer(std::move(reply));
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
    {{"http-error", "status <code> [content-type <type>] [<payload>] [hdr <name> <value>]*",
      "Answers an error with this message."},
     kAll,
     http_error},
};

}  // namespace

std::span<const ProxyKeyword> error_keywords() { return kTable; }

}  // namespace app
