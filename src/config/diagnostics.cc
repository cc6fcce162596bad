#include "config/diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

namespace config {

namespace {

std::string_view tag(Severity severity) {
  switch (severity) {
    case Severity::notice:
      return "[NOTICE]   ";
    case Severity::diagnostic:
      return "[DIAG]     ";
    case Severity::warning:
      return "[WARNING]  ";
    case Severity::alert:
      return "[ALERT]    ";
  }
  return "";
}

// Long lines are shown around the place that matters.
constexpr std::size_t kShown = 160;

std::string excerpt(const Position& at) {
  if (at.line == 0 || at.line > at.file->lines.size()) return {};
  std::string_view line = at.file->lines[at.line - 1];
  std::size_t column = std::min<std::size_t>(at.column, line.size());
  const std::size_t blank = std::min(line.find_first_not_of(" \t"), column);
  line.remove_prefix(blank);
  column -= blank;
  std::string_view before;
  if (line.size() > kShown && column > kShown / 2) {
    const std::size_t cut = column - kShown / 2;
    line.remove_prefix(cut);
    column -= cut;
    before = "...";
  }
  std::string_view after;
  if (line.size() > kShown) {
    line = line.substr(0, kShown);
    after = "...";
  }
  std::string shown;
  for (char c : line) shown += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
  return fmt::format("  {}{}{}\n  {:>{}}\n", before, shown, after, '^', before.size() + column + 1);
}

}  // namespace

void Diagnostics::alert(Position at, std::string text, std::string hint) {
  ++alerts_;
  messages_.push_back({Severity::alert, at, std::move(text), std::move(hint)});
}

void Diagnostics::warning(Position at, std::string text, std::string hint) {
  ++warnings_;
  messages_.push_back({Severity::warning, at, std::move(text), std::move(hint)});
}

void Diagnostics::notice(Position at, std::string text) {
  messages_.push_back({Severity::notice, at, std::move(text), {}});
}

void Diagnostics::diagnostic(Position at, std::string text) {
  messages_.push_back({Severity::diagnostic, at, std::move(text), {}});
}

std::string Diagnostics::render(const Message& message) {
  std::string out = fmt::format("{}({}) : ", tag(message.severity), ::getpid());
  if (message.at.file != nullptr)
    out += fmt::format("config : parsing [{}:{}] : ", message.at.file->name, message.at.line);
  for (char c : message.text) {
    out += c;
    if (c == '\n') out += "   | ";
  }
  if (!message.hint.empty()) out += "; " + message.hint;
  out += '\n';
  if (message.at.file != nullptr && message.severity >= Severity::warning)
    out += excerpt(message.at);
  return out;
}

}  // namespace config
