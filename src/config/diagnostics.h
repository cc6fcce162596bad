// Every message about a configuration: all of them at once, each with file, line, the line itself,
// a caret under the word and, where one is near, the keyword that was probably meant. Printed as
// "[ALERT]    (pid) : config : parsing [file:line] : text" and the like, as tools expect.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/limits.h"
#include "config/source.h"

namespace config {

enum class Severity : std::uint8_t { notice, diagnostic, warning, alert };

struct Message {
  Severity severity;
  Position at;  // file null: about the configuration as a whole
  std::string text;
  std::string hint;  // "did you mean …", "expected …"; may be empty
};

class Diagnostics {
 public:
  void alert(Position at, std::string text, std::string hint = {});
  void warning(Position at, std::string text, std::string hint = {});
  void notice(Position at, std::string text);
  void diagnostic(Position at, std::string text);  // shown with -dD only

  bool failed() const { return alerts_ != 0; }
  // Further alerts are counted, not kept: reading on tells nobody anything.
  bool full() const { return alerts_ >= kMostMessages; }
  std::size_t warnings() const { return warnings_; }
  const std::vector<Message>& messages() const { return messages_; }
  // One message with its line and caret, ends with '\n'.
  static std::string render(const Message& message);

 private:
  std::vector<Message> messages_;
  std::size_t alerts_ = 0;
  std::size_t warnings_ = 0;
};

}  // namespace config
