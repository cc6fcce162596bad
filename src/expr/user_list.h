// "userlist" sections (manual section 12.2): users with passwords and groups. Built while the
// configuration is read, immutable and shared by all workers afterwards.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/arguments.h"
#include "config/keyword.h"

namespace expr {

struct UserList {
  struct User {
    std::string name;
    std::string password;  // plain with `insecure`, else as crypt(3) made it
    bool insecure = false;
    std::vector<std::string> groups;
  };
  std::string name;
  std::vector<User> users;

  static std::span<const config::Keyword> keywords();
  // One line of the section: "group <name> [users …]" or "user <name> […]". False with a report.
  bool parse(config::Arguments& args);
  // After the section's last line: joins users and groups. False with reports.
  bool finish(config::Diagnostics& diagnostics);

  const User* find(std::string_view user) const;
  // The user, when the password is right; null otherwise.
  const User* check(std::string_view user, std::string_view password) const;

 private:
  struct Group {
    std::string name;
    std::vector<std::string> users;
    config::Position at;
  };
  struct Membership {
    std::string user, group;
    config::Position at;
  };
  bool parse_group(config::Arguments& args);
  bool parse_user(config::Arguments& args);

  std::vector<Group> groups_;
  std::vector<Membership> memberships_;  // from "user … groups …"
};

}  // namespace expr
