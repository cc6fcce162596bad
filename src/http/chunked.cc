#include <algorithm>

#include "base/text.h"
#include "http/fields.h"
#include "http/h1.h"

namespace http {

namespace {

constexpr std::uint16_t kMaxSizeLine = 4096;     // extensions included
constexpr std::uint64_t kMaxChunk = 1ull << 56;  // nothing that is added to it overflows
constexpr std::size_t kMaxTrailers = 15360;

// Fields that would frame or route a message mean nothing behind it (RFC 9110 section 6.5.1).
bool belongs_in_head(HeaderId id) {
  return id == HeaderId::content_length || id == HeaderId::transfer_encoding ||
         id == HeaderId::host;
}

}  // namespace

void ChunkedReader::reset() {
  state_ = State::size;
  any_digit_ = quoted_ = escaped_ = false;
  line_ = 0;
  left_ = 0;
  trailers_.clear();
}

void ChunkedReader::skip_payload(std::uint64_t count) {
  left_ -= count;
  if (left_ == 0) state_ = State::data_cr;
}

// One byte of a size line; false with the error set when it cannot be.
bool ChunkedReader::step_size_line(char c, std::size_t at, ParseError& error) {
  auto fail = [&](const char* what) {
    error = {at, what, 400};
    return false;
  };
  if (++line_ > kMaxSizeLine) return fail("chunk size line too long");
  if (state_ == State::size_lf) {
    if (c != '\n') return fail("CR without LF");
    line_ = 0;
    state_ = left_ == 0 ? State::trailers : State::data;
    return true;
  }
  if (state_ == State::size) {
    if (int digit = base::hex_digit(c); digit >= 0) {
      any_digit_ = true;
      left_ = left_ * 16 + static_cast<unsigned>(digit);
      return left_ <= kMaxChunk || fail("chunk size too large");
    }
    if (!any_digit_) return fail("no chunk size");
    any_digit_ = false;
  }
  if (c == '\r') {
    if (quoted_) return fail("unfinished string in a chunk extension");
    state_ = State::size_lf;
  } else if (state_ != State::extension) {
    if (c == ';')
      state_ = State::extension;
    else if (c == ' ' || c == '\t')
      state_ = State::blanks;
    else
      return fail("invalid character in a chunk size");
  } else if ((static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f) {
    return fail("invalid character in a chunk extension");
  } else if (escaped_) {
    escaped_ = false;
  } else if (c == '"') {
    quoted_ = !quoted_;
  } else if (c == '\\') {
    if (!quoted_) return fail("invalid character in a chunk extension");
    escaped_ = true;
  }
  return true;
}

Parse ChunkedReader::step_trailers(std::span<char> bytes, std::size_t& consumed,
                                   ParseError& error) {
  char* p = bytes.data() + consumed;
  char* end = bytes.data() + bytes.size();
  trailers_.clear();
  detail::Seen seen;
  Parse result = detail::parse_fields(p, end, ParseLimits{}, trailers_, seen, error);
  if (result == Parse::need_more && bytes.size() - consumed > kMaxTrailers) {
    error = {bytes.size(), "trailers too large", 431};
    return Parse::error;
  }
  if (result == Parse::error) error.at = static_cast<std::size_t>(p - bytes.data());
  if (result != Parse::complete) return result;
  for (std::size_t i = trailers_.size(); i-- > 0;) {
    const Field& field = trailers_[i];
    if (!belongs_in_head(field.id)) continue;
    const bool good = field.id == HeaderId::host ? detail::valid_host(field.value)
                      : field.id == HeaderId::content_length
                          ? base::parse_int<std::uint64_t>(field.value).has_value()
                          : base::iequals(field.value, "chunked");
    if (!good) {
      error = {consumed, "invalid trailer", 400};
      return Parse::error;
    }
    trailers_.remove_at(i);
  }
  consumed = static_cast<std::size_t>(p - bytes.data());
  state_ = State::done;
  return Parse::complete;
}

Parse ChunkedReader::step(std::span<char> bytes, std::size_t& consumed, std::string_view& payload,
                          ParseError& error) {
  consumed = 0;
  payload = {};
  while (consumed < bytes.size()) {
    char c = bytes[consumed];
    switch (state_) {
      case State::data:
        payload = {bytes.data() + consumed, static_cast<std::size_t>(std::min<std::uint64_t>(
                                                left_, bytes.size() - consumed))};
        skip_payload(payload.size());
        return Parse::need_more;
      case State::data_cr:
      case State::data_lf:
        if (c != (state_ == State::data_cr ? '\r' : '\n')) {
          error = {consumed, "no CRLF behind a chunk", 400};
          return Parse::error;
        }
        state_ = state_ == State::data_cr ? State::data_lf : State::size;
        ++consumed;
        break;
      case State::trailers:
        return step_trailers(bytes, consumed, error);
      case State::done:
        return Parse::complete;
      default:
        if (!step_size_line(c, consumed, error)) return Parse::error;
        ++consumed;
    }
  }
  return state_ == State::done ? Parse::complete : Parse::need_more;
}

}  // namespace http
