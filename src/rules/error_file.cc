#include "rules/error_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "http/h1.h"

namespace rules {

base::Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return base::fail(fmt::format("error opening file <{}> : {}", path, strerror(errno)));
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return base::fail(fmt::format("error reading file <{}>", path));
  return bytes;
}

base::Result<std::shared_ptr<const txn::Reply>> parse_error_message(std::string_view bytes,
                                                                    std::uint16_t status) {
  auto reply = std::make_shared<txn::Reply>();
  reply->status = status;
  reply->is_error = true;
  if (bytes.empty()) {  // an empty file: the connection just ends
    reply->raw = true;
    reply->close = true;
    return reply;
  }
  std::string head_bytes(bytes);
  // Files written by hand often end their lines with a line feed alone.
  if (head_bytes.find("\r\n") == std::string::npos) {
    std::size_t end = head_bytes.find("\n\n");
    std::string fixed;
    for (std::size_t i = 0; i < head_bytes.size(); ++i) {
      if (head_bytes[i] == '\n' && (end == std::string::npos || i <= end + 1)) fixed += '\r';
      fixed += head_bytes[i];
    }
    head_bytes = std::move(fixed);
  }
  http::ResponseHead head;
  http::ParseError error;
  std::size_t consumed = 0;
  http::ParseLimits limits;
  limits.max_head = head_bytes.size() + 1;
  switch (http::parse_response_head(head_bytes, limits, http::Method::get, head, consumed, error)) {
    case http::Parse::complete:
      break;
    case http::Parse::need_more:
      return base::fail(std::string("unable to parse the HTTP message: its head has no end"));
    case http::Parse::error:
      return base::fail(
          fmt::format("unable to parse the HTTP message near offset {}: {}", error.at, error.what));
  }
  reply->status = head.status;
  reply->reason = head.reason;
  for (const http::Field& field : head.headers) {
    using enum http::HeaderId;
    if (field.id == content_length || field.id == transfer_encoding || field.id == connection ||
        field.id == keep_alive)
      continue;
    reply->headers.emplace_back(field.name, field.value);
  }
  reply->body = head_bytes.substr(consumed);
  if (head.framing == http::Framing::length && reply->body.size() > head.content_length)
    reply->body.resize(head.content_length);
  return reply;
}

base::Result<std::shared_ptr<const txn::Reply>> load_error_file(const std::string& path,
                                                                std::uint16_t status) {
  auto bytes = read_file(path);
  if (!bytes) return base::fail(bytes.error());
  auto reply = parse_error_message(*bytes, status);
  if (!reply) return base::fail(fmt::format("'{}': {}", path, reply.error()));
  return reply;
}

bool is_error_status(std::uint16_t status) {
  static constexpr std::uint16_t kStatuses[] = {200, 400, 401, 403, 404, 405, 407,
                                                408, 410, 413, 414, 421, 422, 425,
                                                429, 431, 500, 501, 502, 503, 504};
  return std::find(std::begin(kStatuses), std::end(kStatuses), status) != std::end(kStatuses);
}

}  // namespace rules
