// Who the process is: user, group, node name, peer name, unix sockets' owners.
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>

#include "app/global/keyword.h"
#include "base/text.h"

namespace app {

namespace {

using Settings = GlobalSettings;

bool is_node_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return base::is_alpha(c) || base::is_digit(c) || c == '.' || c == '-' || c == '_';
  });
}

bool user(GlobalContext& context) {
  auto name = context.args.text("user");
  if (!name) return false;
  const passwd* entry = ::getpwnam(std::string(*name).c_str());
  if (entry == nullptr)
    return context.args.error_at_previous(fmt::format("cannot find user id for '{}'", *name));
  context.settings.uid = static_cast<int>(entry->pw_uid);
  return true;
}

bool group(GlobalContext& context) {
  auto name = context.args.text("group");
  if (!name) return false;
  const ::group* entry = ::getgrnam(std::string(*name).c_str());
  if (entry == nullptr)
    return context.args.error_at_previous(fmt::format("cannot find group id for '{}'", *name));
  context.settings.gid = static_cast<int>(entry->gr_gid);
  return true;
}

bool number_id(GlobalContext& context, int& field, std::string_view other) {
  auto word = context.args.text(context.row.name);
  if (!word) return false;
  auto value = base::parse_int<int>(*word);
  if (!value) {
    context.args.diagnostics().warning(
        context.args.previous(),
        fmt::format("{}: string '{}' is not a number.\nYou might want to use the '{}' parameter to "
                    "use a system {} name.",
                    context.row.name, *word, other, other));
    return true;
  }
  field = *value;
  return true;
}

bool uid(GlobalContext& context) { return number_id(context, context.settings.uid, "user"); }
bool gid(GlobalContext& context) { return number_id(context, context.settings.gid, "group"); }

bool node(GlobalContext& context) {
  if (!is_node_name(context.args.peek()))
    return context.args.error(
        "'node' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), "
        "dot(.), hyphen(-) or underscode(_).");
  context.settings.node = context.args.next();
  return true;
}

bool description(GlobalContext& context) {
  if (context.args.done()) return context.args.error("'description' expects a string argument.");
  std::string& text = context.settings.description;
  text.clear();
  while (!context.args.done()) {
    if (!text.empty()) text += ' ';
    text += context.args.next();
  }
  return true;
}

bool local_peer(GlobalContext& context) {
  auto name = context.args.text("localpeer");
  if (name) context.settings.local_peer = *name;
  return name.has_value();
}

bool unix_bind(GlobalContext& context) {
  auto& args = context.args;
  auto& settings = context.settings.unix_bind;
  while (!args.done()) {
    const std::string_view option = args.next();
    auto value = args.text(option);
    if (!value) return false;
    const std::string text(*value);
    if (option == "prefix") {
      settings.prefix = text;
    } else if (option == "mode") {
      auto mode = base::parse_int<int>(text, 8);
      if (!mode) return args.error_at_previous(fmt::format("'{}' is no file mode.", text));
      settings.mode = *mode;
    } else if (option == "user") {
      const passwd* entry = ::getpwnam(text.c_str());
      if (entry == nullptr)
        return args.error_at_previous(fmt::format("'unix-bind' : '{}' unknown user.", text));
      settings.uid = static_cast<int>(entry->pw_uid);
    } else if (option == "group") {
      const ::group* entry = ::getgrnam(text.c_str());
      if (entry == nullptr)
        return args.error_at_previous(fmt::format("'unix-bind' : '{}' unknown group.", text));
      settings.gid = static_cast<int>(entry->gr_gid);
    } else if (option == "uid" || option == "gid") {
      auto id = base::parse_int<int>(text);
      if (!id) return args.error_at_previous(fmt::format("'{}' is no number.", text));
      (option == "uid" ? settings.uid : settings.gid) = *id;
    } else {
      return args.error_at_previous(
          "'unix-bind' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' and 'group' "
          "options.");
    }
  }
  return true;
}

constexpr GlobalKeyword kTable[] = {
    {{"cluster-secret", "<secret>", "Shared by nodes that accept each other's QUIC tokens."},
     take_text,
     nullptr,
     0,
     0,
     "QUIC is not available"},
    {{"description", "<text>", "Describes the process on the statistics page."}, description},
    {{"gid", "<number>", "Changes the process's group to this number."}, gid},
    {{"group", "<group name>", "Changes the process's group to this one."}, group},
    {{"localpeer", "<name>", "The name of this peer, as -L."}, local_peer},
    {{"node", "<name>", "Names the process on the statistics page."}, node},
    {{"uid", "<number>", "Changes the process's user to this number."}, uid},
    {{"unix-bind", "[prefix <p>] [mode <m>] [user <u>] [uid <n>] [group <g>] [gid <n>]",
      "Defaults of unix sockets that are listened on."},
     unix_bind},
    {{"user", "<user name>", "Changes the process's user to this one."}, user},
};

}  // namespace

std::span<const GlobalKeyword> identity_keywords() { return kTable; }

}  // namespace app
