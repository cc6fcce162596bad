#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/sections/proxies.h"
#include "base/text.h"

namespace app {

namespace {

std::uint8_t side_of(std::string_view kind) {
  if (kind == "defaults") return kInDefaults;
  if (kind == "frontend") return kInFrontend;
  if (kind == "backend") return kInBackend;
  return kind == "listen" ? kInListen : 0;
}

// The last "mode" of the section decides; it is needed before its rules are read.
bool own_mode(const config::Section& section, state::Mode& mode) {
  bool found = false;
  for (const config::Line& line : section.lines) {
    if (line[0] != "mode") continue;
    if (line[1] != "http" && line[1] != "tcp" && line[1] != "log") continue;
    mode = line[1] == "http"  ? state::Mode::http
           : line[1] == "tcp" ? state::Mode::tcp
                              : state::Mode::log;
    found = true;
  }
  return found;
}

class Declarer {
 public:
  explicit Declarer(Assembly& assembly) : assembly_(assembly) {}

  void declare(const config::Section& section) {
    const config::SourceFile* file = section.head.file;
    if (file != file_) file_ = file;
    const std::uint8_t side = side_of(section.head[0]);
    if (side == 0) return;
    auto draft = std::make_unique<ProxyDraft>();
    draft->section = &section;
    draft->side = side;
    draft->proxy = std::make_unique<proxy::Proxy>();
    draft->proxy->at = section.head.at();
    read_head(*draft);
    choose_base(*draft);
    if (!own_mode(section, draft->proxy->mode))
      draft->proxy->mode = draft->base != nullptr ? draft->base->proxy->mode : state::Mode::tcp;
    draft->proxy->name = draft->name;
    if (side == kInDefaults) {
      last_defaults_ = draft.get();
      assembly_.defaults.push_back(std::move(draft));
    } else {
      add_proxy(std::move(draft));
    }
  }

 private:
  void alert(const config::Line& head, std::size_t word, std::string text) {
    assembly_.diagnostics.alert(head.at(word), std::move(text));
  }

  void read_head(ProxyDraft& draft) {
    const config::Line& head = draft.section->head;
    std::size_t next = 1;
    if (head.size() > 1 && !(draft.side == kInDefaults && head[1] == "from" && head.size() > 2)) {
      draft.name = head[1];
      next = 2;
    }
    if (draft.side != kInDefaults) check_name(draft, head);
    if (head[next] == "from" && head.size() > next) {
      from_ = std::string(head[next + 1]);
      from_at_ = head.at(next + 1);
      has_from_ = head.size() > next + 1 || draft.side == kInDefaults;
      if (!has_from_) alert(head, next, "please use the 'bind' keyword for listening addresses.");
      next += 2;
    } else {
      has_from_ = false;
    }
    if (head.size() <= next || draft.side == kInDefaults) return;
    if (has_from_)
      alert(head, next,
            fmt::format("'{}' cannot handle unexpected argument '{}'.", head[0], head[next]));
    else if (draft.side & kInFrontend)
      alert(head, next, "please use the 'bind' keyword for listening addresses.");
    else
      assembly_.diagnostics.notice(head.at(next),
                                   fmt::format("'{}' is not looked at.", head[next]));
  }

  void check_name(ProxyDraft& draft, const config::Line& head) {
    if (draft.name.empty())
      return alert(head, 1, fmt::format("'{}' expects an <id> argument", head[0]));
    for (char c : draft.name)
      if (!base::is_alpha(c) && !base::is_digit(c) && c != '-' && c != '_' && c != '.' && c != ':')
        return alert(head, 1,
                     fmt::format("character '{}' is not permitted in '{}' name '{}'.", c, head[0],
                                 draft.name));
  }

  void choose_base(ProxyDraft& draft) {
    if (!has_from_) {
      // A defaults section begins anew unless it says "from".
      if (draft.side == kInDefaults) return;
      draft.base = last_defaults_;
      if (draft.base != nullptr && explicitly_used_.count(draft.base) != 0) warn_mixed(draft);
      return;
    }
    const ProxyDraft* found = nullptr;
    for (const auto& other : assembly_.defaults) {
      if (other->name != from_ || from_.empty()) continue;
      if (found != nullptr) {
        assembly_.diagnostics.alert(
            from_at_,
            fmt::format(
                "ambiguous defaults section name '{}' referenced by {} '{}' exists at least "
                "at {}:{} and {}:{}.",
                from_, draft.section->head[0], draft.name, other->section->head.file->name,
                other->section->head.number, found->section->head.file->name,
                found->section->head.number));
        break;
      }
      found = other.get();
    }
    if (found == nullptr) {
      assembly_.diagnostics.alert(from_at_,
                                  fmt::format("defaults section '{}' not found for {} '{}'.", from_,
                                              draft.section->head[0], draft.name));
      return;
    }
    draft.base = found;
    if (draft.side != kInDefaults) explicitly_used_.emplace(found, true);
  }

  void warn_mixed(const ProxyDraft& draft) {
    const config::Line& head = draft.base->section->head;
    assembly_.diagnostics.warning(
        draft.section->head.at(),
        fmt::format(
            "defaults section '{}' (declared at {}:{}) is explicitly referenced by another "
            "proxy and implicitly used here. To avoid any ambiguity don't mix both usage. Add "
            "a last defaults section not explicitly used or always use explicit references.",
            draft.base->name, head.file->name, head.number));
  }

  void add_proxy(std::unique_ptr<ProxyDraft> draft) {
    for (const auto& other : assembly_.proxies)
      if (other->name == draft->name && !draft->name.empty()) {
        alert(
            draft->section->head, 1,
            fmt::format("{} '{}' has the same name as {} '{}' declared at {}:{}. This is no longer "
                        "supported as of 3.3. Please rename one or the other.",
                        draft->kind(), draft->name, other->kind(), other->name,
                        other->section->head.file->name, other->section->head.number));
        break;
      }
    auto shared = std::make_unique<state::Proxy>();
    shared->name = draft->name;
    shared->capabilities = draft->side == kInListen     ? state::kFrontend | state::kBackend
                           : draft->side == kInFrontend ? state::kFrontend
                                                        : state::kBackend;
    shared->mode = draft->proxy->mode;
    draft->proxy->state = &assembly_.generation.registry.add(std::move(shared));
    assembly_.proxies.push_back(std::move(draft));
  }

  Assembly& assembly_;
  const config::SourceFile* file_ = nullptr;
  const ProxyDraft* last_defaults_ = nullptr;
  std::map<const ProxyDraft*, bool> explicitly_used_;
  std::string from_;
  config::Position from_at_;
  bool has_from_ = false;
};

}  // namespace

bool is_proxy_section(std::string_view name) { return side_of(name) != 0; }

void declare_proxies(Assembly& assembly) {
  Declarer declarer(assembly);
  for (const config::Section& section : assembly.generation.tree.sections)
    declarer.declare(section);
}

}  // namespace app
