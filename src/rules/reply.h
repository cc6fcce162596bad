// An answer as rules describe it (manual section 4.4, "return"): a status, headers, and a body from
// a text, a file, an error file or the proxy's own error messages. Made once; constant ones are
// shared by all requests.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "expr/log_format.h"
#include "rules/action/support.h"

namespace rules {

class ReplyTemplate {
 public:
  // From the words that follow. `status` is the default. `error_by_default`: without any argument
  // but a status the proxy's error message answers (deny, tarpit). Null with a report.
  static std::unique_ptr<ReplyTemplate> parse(action::Reader& in, std::uint16_t status,
                                              bool error_by_default);
  std::shared_ptr<const txn::Reply> make(expr::Context& context) const;
  std::uint16_t status() const { return fixed_.status; }

 private:
  enum class Body : std::uint8_t { none, constant, format, default_errors, error_file, section };
  bool parse_word(action::Reader& in);
  bool parse_status(action::Reader& in);
  bool parse_body(action::Reader& in, std::string_view kind);
  bool parse_file(action::Reader& in, bool format);
  bool parse_header(action::Reader& in);
  bool complete(action::Reader& in, bool error_by_default);
  void find_section_later(ParseContext& context, config::Position at);

  Body body_ = Body::none;
  bool body_given_ = false, status_given_ = false;
  std::string content_type_;
  std::unique_ptr<expr::LogFormat> format_;  // Body::format
  std::shared_ptr<const txn::Reply> file_;   // Body::error_file
  // Body::section: filled after all sections were read, null where the section has none.
  std::shared_ptr<std::shared_ptr<const txn::Reply>> from_section_;
  std::string section_;
  std::vector<std::pair<std::string, std::unique_ptr<expr::LogFormat>>> headers_;
  txn::Reply fixed_;  // all that never changes
};

}  // namespace rules
