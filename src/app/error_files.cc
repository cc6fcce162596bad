#include "app/error_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace app {

namespace {

constexpr std::uint16_t kStatuses[] = {200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414,
                                       421, 422, 425, 429, 431, 500, 501, 502, 503, 504};

// A line without its end, CRLF or LF; false at the end of the text.
bool take_line(std::string_view& text, std::string_view& line) {
  const std::size_t end = text.find('\n');
  if (end == text.npos) return false;
  line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

// The engine frames replies by itself.
bool is_framing(std::string_view name) {
  return base::iequals(name, "content-length") || base::iequals(name, "connection") ||
         base::iequals(name, "transfer-encoding") || base::iequals(name, "keep-alive");
}

}  // namespace

bool is_replaceable_status(std::int64_t status) {
  return std::find(std::begin(kStatuses), std::end(kStatuses), status) != std::end(kStatuses);
}

base::Result<std::string> read_whole_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return base::fail(fmt::format("error opening file '{}': {}", path, std::strerror(errno)));
  std::string text;
  char chunk[16384];
  ssize_t n = 0;
  while ((n = ::read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) text.append(chunk, static_cast<std::size_t>(n));
  const int error = errno;
  ::close(fd);
  if (n < 0)
    return base::fail(fmt::format("error reading file '{}': {}", path, std::strerror(error)));
  return text;
}

base::Result<std::shared_ptr<const txn::Reply>> parse_error_reply(std::string_view text,
                                                                  std::uint16_t status) {
  auto reply = std::make_shared<txn::Reply>();
  reply->is_error = true;
  reply->status = status;
  if (text.empty()) {
    reply->raw = true;
    reply->close = true;
    return reply;
  }
  std::string_view line;
  if (!take_line(text, line) || !line.starts_with("HTTP/"))
    return base::fail(std::string("it does not begin with an HTTP status line"));
  const std::size_t blank = line.find(' ');
  const auto code =
      blank == line.npos ? std::nullopt : base::parse_int<std::uint16_t>(line.substr(blank + 1, 3));
  if (!code || *code < 100 || *code > 599)
    return base::fail(fmt::format("invalid status line '{}'", line));
  reply->status = *code;
  if (line.size() > blank + 5) reply->reason = line.substr(blank + 5);
  while (true) {
    if (!take_line(text, line))
      return base::fail(std::string("the empty line after the headers is missing"));
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == line.npos || colon == 0)
      return base::fail(fmt::format("invalid header line '{}'", line));
    if (!is_framing(line.substr(0, colon)))
      reply->headers.emplace_back(line.substr(0, colon), base::trim(line.substr(colon + 1)));
  }
  reply->body = text;
  return reply;
}

}  // namespace app
