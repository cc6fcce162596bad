#include "rules/reply.h"

#include <fmt/format.h>

#include "rules/error_file.h"

namespace rules {

std::unique_ptr<ReplyTemplate> ReplyTemplate::parse(action::Reader& in, std::uint16_t status,
                                                    bool error_by_default) {
  auto made = std::make_unique<ReplyTemplate>();
  made->fixed_.status = status;
  while (in.more()) {
    std::size_t before = in.args().index();
    if (!made->parse_word(in)) return nullptr;
    if (in.args().index() == before) break;  // not ours: the caller reports it
  }
  return made->complete(in, error_by_default) ? std::move(made) : nullptr;
}

bool ReplyTemplate::parse_word(action::Reader& in) {
  if (in.accept("status") || in.accept("deny_status")) return parse_status(in);
  if (in.accept("content-type")) {
    auto text = in.text("'content-type' expects <ctype> as argument");
    if (!text) return false;
    content_type_ = std::move(*text);
    return true;
  }
  if (in.accept("hdr")) return parse_header(in);
  for (std::string_view kind :
       {"default-errorfiles", "errorfile", "errorfiles", "file", "lf-file", "string", "lf-string"})
    if (in.peek() == kind) {
      in.next();
      return parse_body(in, kind);
    }
  return true;
}

bool ReplyTemplate::parse_status(action::Reader& in) {
  auto text = in.text("'status' expects <status_code> as argument");
  if (!text) return false;
  auto status = base::parse_int<std::uint16_t>(*text);
  if (!status || *status < 200 || *status > 599) {
    in.fail_at_previous(fmt::format("Unexpected status code '{}'", *text),
                        "a number from 200 to 599 is expected");
    return false;
  }
  fixed_.status = *status;
  status_given_ = true;
  return true;
}

bool ReplyTemplate::parse_header(action::Reader& in) {
  auto name = in.text("'hdr' expects <name> and <value> as arguments");
  if (!name) return false;
  auto value = in.format("'hdr' expects <name> and <value> as arguments");
  if (!value) return false;
  headers_.emplace_back(base::to_lower(*name), std::move(value));
  return true;
}

bool ReplyTemplate::parse_body(action::Reader& in, std::string_view kind) {
  if (body_given_) {
    in.fail_at_previous(
        fmt::format("unexpected '{}', errorfile or payload already configured", kind));
    return false;
  }
  body_given_ = true;
  if (kind == "default-errorfiles") {
    body_ = Body::default_errors;
    return true;
  }
  if (kind == "file" || kind == "lf-file") return parse_file(in, kind == "lf-file");
  if (kind == "lf-string") {
    body_ = Body::format;
    format_ = in.format("'lf-string' expects <str> as argument", expr::FormatUse::raw);
    return format_ != nullptr;
  }
  auto text = in.text(
      fmt::format("'{}' expects {} as argument", kind, kind == "string" ? "<str>" : "<file>"));
  if (!text) return false;
  if (kind == "string") {
    body_ = Body::constant;
    fixed_.body = std::move(*text);
    return true;
  }
  if (kind == "errorfiles") {
    body_ = Body::section;
    section_ = std::move(*text);
    return true;
  }
  auto loaded = load_error_file(*text);
  if (!loaded) {
    in.fail_at_previous(loaded.error());
    return false;
  }
  body_ = Body::error_file;
  file_ = *loaded;
  return true;
}

bool ReplyTemplate::parse_file(action::Reader& in, bool format) {
  auto path = in.text(fmt::format("'{}' expects <file> as argument", format ? "lf-file" : "file"));
  if (!path) return false;
  config::Position at = in.args().previous();
  auto bytes = read_file(*path);
  if (!bytes) {
    in.fail_at_previous(bytes.error());
    return false;
  }
  if (!format) {
    body_ = Body::constant;
    fixed_.body = std::move(*bytes);
    return true;
  }
  body_ = Body::format;
  format_ = expr::LogFormat::parse(*bytes, in.context().expr, at, expr::FormatUse::raw);
  return format_ != nullptr;
}

bool ReplyTemplate::complete(action::Reader& in, bool error_by_default) {
  bool only_status = !body_given_ && content_type_.empty() && headers_.empty();
  if (error_by_default && only_status) body_ = Body::default_errors;
  config::Diagnostics& diagnostics = in.context().expr.diagnostics;
  config::Position at = in.args().line().at(0);
  bool payload = (body_ == Body::constant && !fixed_.body.empty()) || body_ == Body::format;
  if (payload && (fixed_.status == 204 || fixed_.status == 304)) {
    in.fail_at_previous(fmt::format("No body expected for {} responses", fixed_.status));
    return false;
  }
  if (payload && content_type_.empty()) {
    in.fail_at_previous("a content type must be defined when non-empty payload is configured");
    return false;
  }
  if (!payload && !content_type_.empty())
    diagnostics.warning(
        at, fmt::format("content-type '{}' ignored by the http reply because {}.", content_type_,
                        body_ == Body::none || body_ == Body::constant
                            ? "neither errorfile nor payload defined"
                            : "the response is an errorfile"));
  bool error = body_ == Body::default_errors || body_ == Body::error_file || body_ == Body::section;
  if (error && !headers_.empty())
    diagnostics.warning(at,
                        "hdr parameters ignored by the http reply when used with an errorfile.");
  if (error && status_given_ && !is_error_status(fixed_.status)) {
    // Statuses without a message of their own are answered bare.
    if (body_ != Body::default_errors) {
      in.fail_at_previous(fmt::format("status code '{}' not handled by default with '{}' argument",
                                      fixed_.status,
                                      body_ == Body::section ? "errorfiles" : "errorfile"));
      return false;
    }
  }
  if (payload) fixed_.headers.emplace_back("content-type", content_type_);
  if (body_ == Body::error_file) fixed_.status = file_->status;
  if (body_ == Body::section) find_section_later(in.context(), at);
  return true;
}

void ReplyTemplate::find_section_later(ParseContext& context, config::Position at) {
  from_section_ = std::make_shared<std::shared_ptr<const txn::Reply>>();
  context.expr.deferred.push_back([into = from_section_, name = section_, status = fixed_.status,
                                   at, &diagnostics = context.expr.diagnostics,
                                   sections = context.error_sections] {
    const ErrorReplies* replies = nullptr;
    if (sections != nullptr)
      if (auto found = sections->find(name); found != sections->end()) replies = &found->second;
    if (replies == nullptr) {
      diagnostics.alert(
          at, fmt::format("unknown http-errors section '{}' referenced by an http reply.", name));
      return;
    }
    if (auto reply = replies->find(status); reply != replies->end()) *into = reply->second;
  });
}

std::shared_ptr<const txn::Reply> ReplyTemplate::make(expr::Context& context) const {
  switch (body_) {
    case Body::error_file:
      return action::unowned(*file_);
    case Body::section:
      if (*from_section_ != nullptr) return action::unowned(**from_section_);
      return action::error_reply(context, fixed_.status);
    case Body::default_errors:
      return action::error_reply(context, fixed_.status);
    case Body::none:
    case Body::constant:
      if (headers_.empty()) return action::unowned(fixed_);
      break;
    case Body::format:
      break;
  }
  auto reply = std::make_shared<txn::Reply>(fixed_);
  for (const auto& [name, value] : headers_)
    if (std::string_view text = value->text(context); !text.empty())
      reply->headers.emplace_back(name, text);
  if (format_ != nullptr) format_->format(context, reply->body);
  return reply;
}

}  // namespace rules
