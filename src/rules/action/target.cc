#include "rules/action/target.h"

#include <cstring>

#include "rules/action/support.h"

namespace rules::action {
namespace {

// Where the path begins: behind scheme and authority; the target's size when it has none.
std::size_t path_start(std::string_view target) {
  if (target.empty() || target.front() == '/') return 0;
  std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return target.size();
  std::size_t slash = target.find('/', scheme + 3);
  return slash == std::string_view::npos ? target.size() : slash;
}

}  // namespace

std::string_view part_of_target(std::string_view target, TargetPart part) {
  if (part == TargetPart::whole) return target;
  std::string_view rest = target.substr(path_start(target));
  std::size_t mark = rest.find('?');
  if (part == TargetPart::query)
    return mark == std::string_view::npos ? std::string_view() : rest.substr(mark + 1);
  return part == TargetPart::path ? rest.substr(0, mark) : rest;
}

bool change_target(expr::Context& context, TargetPart part, std::string_view text) {
  txn::Exchange& exchange = *context.exchange;
  std::string_view target = exchange.request.target, before, mark, after;
  std::size_t start = path_start(target);
  bool absolute = target.find("://") != std::string_view::npos;
  std::size_t query = target.find('?', start == target.size() ? 0 : start);
  switch (part) {
    case TargetPart::whole:
      break;
    case TargetPart::path:
    case TargetPart::path_and_query:
      if (start == target.size() && !absolute) break;  // "*"
      before = target.substr(0, start);
      if (part == TargetPart::path && query != std::string_view::npos) after = target.substr(query);
      break;
    case TargetPart::query:
      before = target.substr(0, query);
      if (query != std::string_view::npos || !text.empty()) mark = "?";
      break;
  }
  std::size_t size = before.size() + mark.size() + text.size() + after.size();
  if (size > target.size() && !take_room(context, size - target.size())) return false;
  char* out = exchange.arena.allocate_chars(size);
  char* at = out;
  for (std::string_view piece : {before, mark, text, after}) {
    if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
    at += piece.size();
  }
  // The line as it came stays for the log.
  if (exchange.original_target.empty()) exchange.original_target = target;
  exchange.request.target = {out, size};
  return true;
}

}  // namespace rules::action
