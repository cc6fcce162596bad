// Log formats (manual section 8.2.6): texts, %aliases and %[expressions] with flags. Also behind
// every <fmt> argument of a rule.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expr/expression.h"

namespace expr {

// From when on a value stays as it is: a line is logged once all it says is settled.
enum class Settled : std::uint8_t { always, request, server, end };

// What becomes of the text: decides on escapes, merged blanks and "-" for what is empty.
enum class FormatUse : std::uint8_t {
  rule,       // header values and replies: bytes that a header may not hold become %XX
  raw,        // variables: bytes stay as they are
  log,        // log-format and the like: blanks are merged, "-" stands for nothing
  unique_id,  // as rule, blanks merged
};

class LogFormat {
 public:
  // `text` as one word of the configuration. Reports errors and returns null.
  static std::unique_ptr<LogFormat> parse(std::string_view text, ParseContext& context,
                                          config::Position at, FormatUse use = FormatUse::rule);
  ~LogFormat();

  // Appends the line to `out`. As a log line empty samples print "-" (`for_log`), in rules nothing.
  void format(Context& context, std::string& out, bool for_log = false) const;
  // The text as a view into the arena, or a view of the constant itself where there is nothing to
  // do.
  std::string_view text(Context& context) const;
  bool empty() const { return nodes_.empty(); }
  const std::string& source() const { return source_; }
  std::uint32_t where() const { return where_; }
  // From when on the whole text stays as it is.
  Settled settled() const { return settled_; }

 private:
  struct Node;
  LogFormat();
  bool simple() const;
  std::string_view text_of_simple(Context& context) const;
  void append(const Node& node, Context& context, bool for_log, std::string& out) const;

  std::vector<Node> nodes_;
  std::string source_;
  std::uint32_t where_ = 0;
  Settled settled_{};
  FormatUse use_ = FormatUse::rule;
  std::uint8_t encoding_ = 0;  // flags of %o that concern the whole text
  bool simple_ = false;        // texts and plain expressions only
  friend class LogFormatParser;
};

// The texts behind option tcplog, httplog, httpslog (manual section 8.2).
std::string_view default_tcp_log_format();
std::string_view default_tcp_clf_log_format();
std::string_view default_http_log_format();
std::string_view default_http_clf_log_format();
std::string_view default_https_log_format();

}  // namespace expr
