#include "config/diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

#include "config/limits.h"

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

constexpr std::size_t kLongestText = 4096;

// Words of the configuration may hold anything, and must not reach a terminal as commands to it.
void append_printable(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == '\n')
    out += "\n   | ";
  else if (byte < ' ' && c != '\t')
    out += fmt::format("\\x{:02x}", byte);
  else
    out += byte == 0x7f ? ' ' : c;
}

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
  if (alerts_++ >= kMostMessages) return;
  messages_.push_back({Severity::alert, at, std::move(text), std::move(hint)});
}

void Diagnostics::warning(Position at, std::string text, std::string hint) {
  if (warnings_++ >= kMostMessages) return;
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
  const std::string_view text = std::string_view(message.text).substr(0, kLongestText);
  for (char c : text) append_printable(c, out);
  if (text.size() < message.text.size()) out += "...";
  if (!message.hint.empty()) out += "; " + message.hint;
  out += '\n';
  if (message.at.file != nullptr && message.severity >= Severity::warning)
    out += excerpt(message.at);
  return out;
}

}  // namespace config
