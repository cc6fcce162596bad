// Credentials in requests (RFC 7617, RFC 6750, manual section 7.3.6).
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "expr/user_list.h"

namespace expr::fetch {
namespace {

struct Credentials {
  std::string_view scheme, token;   // as written
  std::string_view user, password;  // basic only
};

bool decode_base64(std::string_view text, base::Arena& arena, std::string_view& out) {
  std::string bytes;
  if (!base::decode_base64(text, bytes)) return false;
  out = arena.copy(bytes);
  return true;
}

bool split_header(std::string_view value, Credentials& out) {
  std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos) return false;
  out.scheme = value.substr(0, blank);
  out.token = base::trim(value.substr(blank));
  return true;
}
bool find(Context& context, Credentials& out) {
  const http::RequestHead* head = request_head(context);
  if (head == nullptr) return false;
  const http::Field* field = head->headers.find(http::HeaderId::authorization);
  return field != nullptr && split_header(field->value, out);
}
bool find_basic(Context& context, Credentials& out) {
  if (!find(context, out) || !base::iequals(out.scheme, "Basic")) return false;
  std::string_view pair;
  if (!decode_base64(out.token, context.arena, pair)) return false;
  std::size_t colon = pair.find(':');
  if (colon == std::string_view::npos) return false;
  out.user = pair.substr(0, colon);
  out.password = pair.substr(colon + 1);
  return true;
}
const UserList::User* known_user(Args args, Context& context) {
  Credentials credentials;
  if (!find_basic(context, credentials)) return nullptr;
  auto* list = static_cast<UserList*>(std::get<std::shared_ptr<void>>(args[0].value).get());
  return list != nullptr ? list->check(credentials.user, credentials.password) : nullptr;
}

bool http_auth(Args args, Context& context, Value& out, const FetchRow&) {
  if (request_head(context) == nullptr) return false;
  return give_bool(out, known_user(args, context) != nullptr);
}
// The user's name; for an ACL, the groups of the user one after the other, so that any may match.
bool http_auth_group(Args args, Context& context, Value& out, const FetchRow&) {
  if (Occurrences* at = context.occurrences; at != nullptr) {
    std::size_t i = at->next++;
    const UserList::User* user = known_user(args, context);
    at->more = user != nullptr && i + 1 < user->groups.size();
    if (user == nullptr) return false;
    if (user->groups.empty()) return i == 0 && give_text(out, "");
    return i < user->groups.size() && give_text(out, user->groups[i]);
  }
  const UserList::User* user = known_user(args, context);
  return user != nullptr && give_text(out, user->name);
}
bool http_auth_bearer(Args args, Context& context, Value& out, const FetchRow&) {
  Credentials credentials;
  if (has(args, 0)) {
    const http::RequestHead* head = request_head(context);
    if (head == nullptr) return false;
    // Without the header, or with the scheme alone, the token is empty.
    const http::Field* field = head->headers.find(args[0].text());
    if (field == nullptr || base::iequals(base::trim(field->value), "Bearer"))
      return give_text(out, "");
    if (!split_header(field->value, credentials)) return false;
  } else if (!find(context, credentials)) {
    return false;
  }
  return base::iequals(credentials.scheme, "Bearer") && give_text(out, credentials.token);
}
bool http_auth_type(Args, Context& context, Value& out, const FetchRow&) {
  Credentials credentials;
  if (find_basic(context, credentials)) return give_text(out, "Basic");
  return find(context, credentials) && base::iequals(credentials.scheme, "Bearer") &&
         give_text(out, "Bearer");
}
bool http_auth_user(Args, Context& context, Value& out, const FetchRow&) {
  Credentials credentials;
  return find_basic(context, credentials) && give_text(out, credentials.user);
}
bool http_auth_pass(Args, Context& context, Value& out, const FetchRow&) {
  Credentials credentials;
  return find_basic(context, credentials) && give_text(out, credentials.password);
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"http_auth", "u", "Whether the basic credentials are right by a user list."},
     Type::boolean, kRequestHttpV, http_auth},
    {{"http_auth_bearer", "[s", "The bearer token, in Authorization or the given header."},
     Type::string, kRequestHttpV, http_auth_bearer},
    {{"http_auth_group", "u", "The user with right credentials; ACLs see the user's groups."},
     Type::string, kRequestHttpV, http_auth_group},
    {{"http_auth_pass", "", "The password in basic credentials."},
     Type::string, kRequestHttpV, http_auth_pass},
    {{"http_auth_type", "", "The scheme of the credentials."},
     Type::string, kRequestHttpV, http_auth_type},
    {{"http_auth_user", "", "The user in basic credentials."},
     Type::string, kRequestHttpV, http_auth_user},
};
// clang-format on

}  // namespace

std::span<const FetchRow> http_auth_fetches() { return kRows; }

}  // namespace expr::fetch
