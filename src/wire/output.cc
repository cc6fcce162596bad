#include "wire/output.h"

#include <array>

namespace wire {

namespace {

constexpr std::size_t kLargestKept = 65536;  // capacity that is worth keeping

iovec part(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

void Output::attach(net::Connection* connection) {
  connection_ = connection;
  kept_.clear();
  kept_at_ = 0;
  sent_ = 0;
  broken_ = false;
}

void Output::detach() {
  connection_ = nullptr;
  if (kept_.capacity() > kLargestKept) std::string().swap(kept_);
  kept_.clear();
  kept_at_ = 0;
}

void Output::keep(std::span<const iovec> parts, std::size_t skip) {
  for (const iovec& p : parts) {
    if (skip >= p.iov_len) {
      skip -= p.iov_len;
      continue;
    }
    kept_.append(static_cast<const char*>(p.iov_base) + skip, p.iov_len - skip);
    skip = 0;
  }
}

bool Output::send(std::span<const iovec> parts, bool more_follows) {
  if (broken_) return false;
  for (const iovec& p : parts) sent_ += p.iov_len;
  if (blocked()) {
    keep(parts, 0);
    return true;
  }
  auto put = connection_->write_now(parts, more_follows);
  if (put) {
    keep(parts, *put);
    return true;
  }
  if (put.error() == net::IoError::would_block) {
    keep(parts, 0);
    return true;
  }
  broken_ = true;
  return false;
}

std::string Output::take_kept() {
  std::string rest = kept_.substr(kept_at_);
  kept_.clear();
  kept_at_ = 0;
  return rest;
}

bool Output::send(std::string_view bytes) {
  iovec one = part(bytes);
  return send({&one, 1});
}

bool Output::flush() {
  if (broken_) return false;
  while (blocked() && connection_->io().writable()) {
    iovec rest = part(std::string_view(kept_).substr(kept_at_));
    auto put = connection_->write_now({&rest, 1});
    if (put) {
      kept_at_ += *put;
    } else if (put.error() != net::IoError::would_block) {
      broken_ = true;
      return false;
    }
  }
  if (!blocked() && kept_at_ != 0) {
    kept_.clear();
    kept_at_ = 0;
  }
  return true;
}

bool Output::send_body(std::string_view head, std::string_view payload, bool chunked, bool last,
                       const http::Headers* trailers) {
  std::array<iovec, 5> parts;
  std::size_t count = 0;
  auto add = [&](std::string_view bytes) {
    if (!bytes.empty()) parts[count++] = part(bytes);
  };
  char size_line[18];
  std::string trailer_bytes;
  add(head);
  if (!chunked) {
    add(payload);
  } else {
    if (!payload.empty()) {
      add({size_line, http::write_chunk_size(payload.size(), size_line)});
      add(payload);
    }
    if (last && trailers != nullptr && !trailers->empty()) {
      trailer_bytes.resize(http::write_trailers(*trailers, {}));
      http::write_trailers(*trailers, trailer_bytes);
      add(payload.empty() ? "0\r\n" : "\r\n0\r\n");
      add(trailer_bytes);
    } else if (last) {
      add(payload.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n");
    } else if (!payload.empty()) {
      add("\r\n");
    }
  }
  return count == 0 || send({parts.data(), count});
}

}  // namespace wire
