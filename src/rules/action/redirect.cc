// redirect (manual section 4.2, "redirect").
#include <fmt/format.h>

#include "expr/fetch/support.h"
#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/action/target.h"

namespace rules::action {
namespace {

struct Redirect {
  enum class Kind : std::uint8_t { none, location, prefix, scheme } kind = Kind::none;
  std::uint16_t status = 302;
  std::unique_ptr<expr::LogFormat> to, cookie_format;
  std::string cookie;  // the whole value of Set-Cookie
  bool drop_query = false, append_slash = false, ignore_empty = false, keep_query = false;
};

class RedirectAction : public Action {
 public:
  explicit RedirectAction(Redirect what) : what_(std::move(what)) {}

  Verdict run(expr::Context& context) override {
    std::string location(what_.to->text(context));
    if (location.empty() && what_.ignore_empty) return Verdict::next;
    std::string_view target = context.exchange->request.target;
    switch (what_.kind) {
      case Redirect::Kind::scheme:
        location = with_scheme(context, location);
        break;
      case Redirect::Kind::prefix:
        if (location == "/") location.clear();
        append_path(location, target);
        break;
      default:
        if (what_.keep_query) append_query(location, target);
    }
    context.exchange->reply = reply(context, std::move(location));
    finish(context, txn::Cause::local);
    return Verdict::reply;
  }

 private:
  std::string with_scheme(expr::Context& context, const std::string& scheme) const {
    const txn::Exchange& exchange = *context.exchange;
    const http::Field* host = exchange.request.headers.find(http::HeaderId::host);
    std::string location = scheme + "://";
    if (host != nullptr) location += host->value;
    append_path(location, exchange.request.target);
    return location;
  }
  void append_path(std::string& location, std::string_view target) const {
    std::string_view path = expr::fetch::path_and_query(target);
    if (what_.kind == Redirect::Kind::scheme && path.empty()) path = "/";
    if (what_.drop_query) path = path.substr(0, path.find('?'));
    location += path;
    if (what_.drop_query && what_.append_slash && !location.ends_with('/')) location += '/';
  }
  static void append_query(std::string& location, std::string_view target) {
    std::size_t mark = target.find('?');
    if (mark == std::string_view::npos || mark + 1 == target.size()) return;
    location += location.find('?') == std::string::npos ? '?' : '&';
    location += target.substr(mark + 1);
  }
  std::shared_ptr<const txn::Reply> reply(expr::Context& context, std::string location) const {
    auto made = std::make_shared<txn::Reply>();
    made->status = what_.status;
    made->headers.emplace_back("location", std::move(location));
    bool temporary = what_.status == 302 || what_.status == 303 || what_.status == 307;
    if (temporary) made->headers.emplace_back("cache-control", "no-cache");
    if (what_.cookie_format != nullptr)
      made->headers.emplace_back("set-cookie",
                                 fmt::format("{}; path=/;", what_.cookie_format->text(context)));
    else if (!what_.cookie.empty())
      made->headers.emplace_back("set-cookie", what_.cookie);
    return made;
  }

  Redirect what_;
};

class RedirectParser {
 public:
  explicit RedirectParser(Reader& in) : in_(in) {}

  Made parse() {
    while (in_.more())
      if (!parse_word()) return nullptr;
    if (made_.kind == Redirect::Kind::none)
      return in_.fail("redirection type expected ('prefix', 'location', or 'scheme')");
    if (in_.in_response() && made_.kind != Redirect::Kind::location)
      return in_.fail_at_previous("response only supports redirect type 'location'");
    return std::make_unique<RedirectAction>(std::move(made_));
  }

 private:
  bool parse_word() {
    std::string word(in_.next());
    if (word == "location") return parse_target(Redirect::Kind::location, word);
    if (word == "prefix") return parse_target(Redirect::Kind::prefix, word);
    if (word == "scheme") return parse_target(Redirect::Kind::scheme, word);
    if (word == "code") return parse_code();
    if (word == "drop-query") return made_.drop_query = true;
    if (word == "append-slash") return made_.append_slash = true;
    if (word == "ignore-empty") return made_.ignore_empty = true;
    if (word == "keep-query") return made_.keep_query = true;
    if (word == "set-cookie" || word == "clear-cookie") return parse_cookie(word);
    if (word == "set-cookie-fmt") {
      made_.cookie_format = in_.format("missing argument for 'set-cookie-fmt'");
      return made_.cookie_format != nullptr;
    }
    in_.fail_at_previous(fmt::format(
        "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', "
        "'set-cookie-fmt', 'clear-cookie', 'drop-query', 'keep-query', 'ignore-empty' or "
        "'append-slash' (was '{}')",
        word));
    return false;
  }
  bool parse_target(Redirect::Kind kind, const std::string& word) {
    std::string missing = fmt::format("missing argument for '{}'", word);
    if (!in_.more()) {
      in_.fail(missing);
      return false;
    }
    made_.to = in_.format(missing);
    made_.kind = kind;
    return made_.to != nullptr;
  }
  bool parse_code() {
    auto text = in_.text("missing argument for 'code'");
    if (!text) return false;
    auto code = base::parse_int<std::uint16_t>(*text);
    if (!code || (*code != 301 && *code != 302 && *code != 303 && *code != 307 && *code != 308)) {
      in_.fail_at_previous(
          fmt::format("'code': unsupported HTTP code '{}' (must be one of 301, "
                      "302, 303, 307 or 308)",
                      *text));
      return false;
    }
    made_.status = *code;
    return true;
  }
  bool parse_cookie(const std::string& word) {
    auto text = in_.text(fmt::format("missing argument for '{}'", word));
    if (!text) return false;
    made_.cookie = *text + "; path=/;" + (word == "clear-cookie" ? " Max-Age=0;" : "");
    return true;
  }

  Reader& in_;
  Redirect made_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  return RedirectParser(in).parse();
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"redirect", "{location <fmt> | prefix <fmt> | scheme <fmt>} [code <code>] [<option>]*",
      "Answers with a redirection."},
     kHttpRequest | kHttpResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> redirect_rows() { return kRows; }

}  // namespace rules::action
