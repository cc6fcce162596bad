#include "expr/user_list.h"

#include <crypt.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace expr {
namespace {

void split(std::string_view list, std::vector<std::string>& out) {
  while (!list.empty()) {
    std::size_t comma = std::min(list.find(','), list.size());
    if (comma != 0) out.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

}  // namespace

std::span<const config::Keyword> UserList::keywords() {
  static constexpr config::Keyword kRows[] = {
      {"group", "<name> [users <user>,…]", "A group, with the users that belong to it."},
      {"user", "<name> [password|insecure-password <password>] [groups <group>,…]",
       "A user, with a password as crypt(3) made it or in the clear."},
  };
  return kRows;
}

bool UserList::parse(config::Arguments& args) {
  if (args.line()[0] == "group") return parse_group(args);
  if (args.line()[0] == "user") return parse_user(args);
  args.diagnostics().alert(
      args.line().at(0),
      "unknown keyword '" + std::string(args.line()[0]) + "' in 'userlist' section",
      "expected 'user' or 'group'");
  return false;
}

bool UserList::parse_group(config::Arguments& args) {
  Group group;
  group.at = args.line().at(0);
  auto text = args.text("group");
  if (!text) return false;
  group.name = *text;
  for (const Group& other : groups_)
    if (other.name == group.name)
      return args.error_at_previous("group '" + group.name + "' is already defined in userlist '" +
                                    name + "'");
  if (args.accept("users")) {
    auto list = args.text("users");
    if (!list) return false;
    split(*list, group.users);
  }
  groups_.push_back(std::move(group));
  return args.expect_end();
}

bool UserList::parse_user(config::Arguments& args) {
  User user;
  auto text = args.text("user");
  if (!text) return false;
  user.name = *text;
  if (find(user.name) != nullptr)
    return args.error_at_previous("user '" + user.name + "' is already defined in userlist '" +
                                  name + "'");
  while (!args.done()) {
    bool insecure = args.peek() == "insecure-password";
    if (insecure || args.peek() == "password") {
      std::string_view keyword = args.next();
      auto password = args.text(keyword);
      if (!password) return false;
      user.password = *password;
      user.insecure = insecure;
    } else if (args.accept("groups")) {
      config::Position at = args.here();
      auto list = args.text("groups");
      if (!list) return false;
      std::vector<std::string> names;
      split(*list, names);
      for (std::string& group : names) memberships_.push_back({user.name, std::move(group), at});
    } else {
      return args.error("unknown keyword '" + std::string(args.peek()) + "' for a user",
                        "expected 'password', 'insecure-password' or 'groups'");
    }
  }
  users.push_back(std::move(user));
  return true;
}

bool UserList::finish(config::Diagnostics& diagnostics) {
  bool good = true;
  auto join = [&](const std::string& user, const std::string& group, config::Position at) {
    auto found =
        std::find_if(users.begin(), users.end(), [&](const User& u) { return u.name == user; });
    if (found == users.end()) {
      diagnostics.alert(at, "userlist '" + name + "': no such user '" + user +
                                "' specified in group '" + group + "'");
      good = false;
      return;
    }
    if (std::find(found->groups.begin(), found->groups.end(), group) == found->groups.end())
      found->groups.push_back(group);
  };
  for (const Membership& member : memberships_) {
    bool known = std::any_of(groups_.begin(), groups_.end(),
                             [&](const Group& g) { return g.name == member.group; });
    if (known) {
      join(member.user, member.group, member.at);
    } else {
      diagnostics.alert(member.at, "userlist '" + name + "': no such group '" + member.group +
                                       "' specified in user '" + member.user + "'");
      good = false;
    }
  }
  for (const Group& group : groups_)
    for (const std::string& user : group.users) join(user, group.name, group.at);
  return good;
}

const UserList::User* UserList::find(std::string_view user) const {
  for (const User& known : users)
    if (known.name == user) return &known;
  return nullptr;
}

const UserList::User* UserList::check(std::string_view user, std::string_view password) const {
  const User* known = find(user);
  if (known == nullptr || known->password.empty()) return nullptr;
  if (known->insecure) return same_secret(known->password, password) ? known : nullptr;
  if (std::memchr(password.data(), '\0', password.size()) != nullptr) return nullptr;
  // 32 KiB of scratch space, too much for a fiber's stack.
  auto scratch = std::make_unique<crypt_data>();
  const char* made = crypt_r(std::string(password).c_str(), known->password.c_str(), scratch.get());
  return made != nullptr && same_secret(known->password, made) ? known : nullptr;
}

}  // namespace expr
