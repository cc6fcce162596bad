// The message as the reference keeps it in memory (manual section 7.3.7): a buffer of blocks, one
// for the start line, one for each header, one for the end of headers, one for the body's bytes
// that are here, then trailers. There is no such buffer here: what would stand in it is worked out
// from the message.
#include <charconv>

#include "base/text.h"
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

constexpr std::size_t kBufferHead = 40;     // of the size of a buffer, what holds no blocks
constexpr std::size_t kBlockOverhead = 8;   // of each block, beside its payload
constexpr std::size_t kStartLineHead = 20;  // in a start line, beside its texts

enum class Kind : std::uint8_t {
  unused,
  request_line,
  status_line,
  header,
  end_of_headers,
  data,
  trailer,
  end_of_trailers
};
std::string_view name_of(Kind kind) {
  constexpr std::string_view kNames[] = {"UNUSED", "REQ_SL", "RES_SL", "HDR",
                                         "EOH",    "DATA",   "TLR",    "EOT"};
  return kNames[static_cast<std::size_t>(kind)];
}

struct Block {
  Kind kind = Kind::unused;
  std::string_view name, value;  // of a header; the value is also the start line, or the data
  std::size_t size() const {
    switch (kind) {
      case Kind::unused:
        return 0;
      case Kind::end_of_headers:
      case Kind::end_of_trailers:
        return 1;
      case Kind::request_line:
      case Kind::status_line:
        return kStartLineHead + value.size() - 2;  // its blanks are not kept
      default:
        return name.size() + value.size();
    }
  }
};

// The blocks of one direction.
class Message {
 public:
  // False when there is no HTTP message in this direction, or not yet.
  bool look_at(Context& context);
  std::size_t count() const {
    const std::size_t body = data_.empty() ? 0 : 1;
    const std::size_t tail = trailers_ == nullptr ? 0 : trailers_->size() + 1;
    return 1 + headers_->size() + 1 + body + tail;
  }
  Block block(std::size_t at) const;
  std::size_t data_size() const {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < count(); ++i) sum += block(i).size();
    return sum;
  }
  std::size_t used() const { return data_size() + count() * kBlockOverhead; }
  std::size_t size() const { return buffer_size_ - kBufferHead; }
  std::size_t free() const { return size() > used() ? size() - used() : 0; }
  std::size_t free_data() const { return free() > kBlockOverhead ? free() - kBlockOverhead : 0; }
  bool whole() const { return whole_; }

 private:
  void look_at_body(const txn::Exchange& exchange, txn::Channel* body);

  Kind start_ = Kind::request_line;
  std::string_view start_line_, data_;
  const http::Headers* headers_ = nullptr;
  const http::Headers* trailers_ = nullptr;
  std::size_t buffer_size_ = 0;
  bool whole_ = false;
};

std::string_view version_of(std::string_view text) { return text.empty() ? "HTTP/1.1" : text; }

std::string_view start_line(base::Arena& arena, const http::RequestHead& head) {
  const std::string_view version = version_of(head.version_text);
  Text text(arena, head.method_text.size() + head.target.size() + version.size() + 2);
  text.add(head.method_text).add(' ').add(head.target).add(' ').add(version);
  return text.view();
}
std::string_view start_line(base::Arena& arena, const http::ResponseHead& head) {
  const std::string_view version = version_of(head.version_text);
  char digits[5];
  const char* end = std::to_chars(digits, digits + sizeof digits, head.status).ptr;
  Text text(arena, version.size() + sizeof digits + head.reason.size() + 2);
  text.add(version).add(' ').add({digits, static_cast<std::size_t>(end - digits)});
  text.add(' ').add(head.reason);
  return text.view();
}

bool Message::look_at(Context& context) {
  const txn::Exchange* exchange = stream_of(context);
  if (exchange == nullptr || !exchange->is_http || exchange->engine == nullptr) return false;
  buffer_size_ = exchange->engine->buffer_size();
  if (context.direction == txn::Direction::request) {
    headers_ = &exchange->request.headers;
    start_line_ = start_line(context.arena, exchange->request);
    look_at_body(*exchange, exchange->request_channel);
    return true;
  }
  if (!exchange->response_valid) return false;
  start_ = Kind::status_line;
  headers_ = &exchange->response.headers;
  start_line_ = start_line(context.arena, exchange->response);
  if (exchange->answered_here) {
    data_ = exchange->engine->reply_body();
    whole_ = true;
    return true;
  }
  look_at_body(*exchange, exchange->response_channel);
  return true;
}

void Message::look_at_body(const txn::Exchange& exchange, txn::Channel* body) {
  if (body == nullptr) {
    whole_ = exchange.service == nullptr;
    return;
  }
  data_ = body->data();
  whole_ = body->whole();
  trailers_ = body->trailers();
}

Block Message::block(std::size_t at) const {
  if (at == 0) return {start_, {}, start_line_};
  at -= 1;
  if (at < headers_->size()) return {Kind::header, (*headers_)[at].name, (*headers_)[at].value};
  at -= headers_->size();
  if (at == 0) return {Kind::end_of_headers, {}, {}};
  at -= 1;
  if (!data_.empty()) {
    if (at == 0) return {Kind::data, {}, data_};
    at -= 1;
  }
  if (trailers_ == nullptr || at > trailers_->size()) return {};
  if (at == trailers_->size()) return {Kind::end_of_trailers, {}, {}};
  return {Kind::trailer, (*trailers_)[at].name, (*trailers_)[at].value};
}

template <std::size_t (Message::*Number)() const>
bool number(Args, Context& context, Value& out, const FetchRow&) {
  Message message;
  return message.look_at(context) && give(out, static_cast<std::int64_t>((message.*Number)()));
}
bool is_whole(Args, Context& context, Value& out, const FetchRow&) {
  Message message;
  return message.look_at(context) && give_bool(out, message.whole());
}
bool is_http(Args, Context& context, Value& out, const FetchRow&) {
  const txn::Exchange* exchange = stream_of(context);
  return exchange != nullptr && give_bool(out, exchange->is_http);
}

// --- single blocks ---------------------------------------------------------------------------

constexpr std::int64_t kTail = -1;

// "head" is where analysis (re)starts as well: nothing is analysed twice here.
bool take_position(std::vector<Argument>& args, std::string& error) {
  if (args.empty() || !args[0].present() || args[0].text().empty()) {
    error = "a block position is expected (> 0) or a special block name (head, tail, first)";
    return false;
  }
  const std::string_view word = args[0].text();
  std::int64_t position = 0;
  if (word == "tail") {
    position = kTail;
  } else if (word != "head" && word != "first") {
    const auto number = base::parse_int<std::int64_t>(word);
    if (!number || *number < 0) {
      error = "invalid block position";
      return false;
    }
    position = *number;
  }
  args[0].value = position;
  return true;
}

bool block_at(Args args, Context& context, Block& out) {
  Message message;
  if (!message.look_at(context)) return false;
  const std::int64_t at = args[0].integer();
  out = message.block(at == kTail ? message.count() - 1 : static_cast<std::size_t>(at));
  return true;
}
bool block_size(Args args, Context& context, Value& out, const FetchRow&) {
  Block block;
  return block_at(args, context, block) && give(out, static_cast<std::int64_t>(block.size()));
}
bool block_type(Args args, Context& context, Value& out, const FetchRow&) {
  Block block;
  if (!block_at(args, context, block)) return false;
  constexpr std::string_view kPrefix = "HTX_BLK_";
  const std::string_view name = name_of(block.kind);
  return give_text(out,
                   Text(context.arena, kPrefix.size() + name.size()).add(kPrefix).add(name).view());
}
bool block_data(Args args, Context& context, Value& out, const FetchRow&) {
  Block block;
  if (!block_at(args, context, block)) return false;
  return give_binary(out, block.kind == Kind::data ? block.value : std::string_view());
}
bool start_line_at(Args args, Context& context, Value& out, const FetchRow&) {
  Block block;
  if (!block_at(args, context, block)) return false;
  const bool fits = block.kind == Kind::request_line || block.kind == Kind::status_line;
  return give_text(out, fits ? block.value : std::string_view());
}
template <std::string_view Block::*Part>
bool header_part(Args args, Context& context, Value& out, const FetchRow&) {
  Block block;
  if (!block_at(args, context, block)) return false;
  const bool fits = block.kind == Kind::header || block.kind == Kind::trailer;
  return give_text(out, fits ? block.*Part : std::string_view());
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"internal.htx.data", "", "Bytes of the blocks that HAProxy would keep this message in."},
     Type::integer, kRequestHttpV | kResponseHttpV, number<&Message::data_size>},
    {{"internal.htx.free", "", "What would be free in the buffer of these blocks."},
     Type::integer, kRequestHttpV | kResponseHttpV, number<&Message::free>},
    {{"internal.htx.free_data", "", "The same, less what one more block takes by itself."},
     Type::integer, kRequestHttpV | kResponseHttpV, number<&Message::free_data>},
    {{"internal.htx.has_eom", "", "Whether the whole message is here."},
     Type::boolean, kRequestHttpV | kResponseHttpV, is_whole},
    {{"internal.htx.nbblks", "", "How many blocks there would be."},
     Type::integer, kRequestHttpV | kResponseHttpV, number<&Message::count>},
    {{"internal.htx.size", "", "The bytes of a buffer for blocks, from tune.bufsize."},
     Type::integer, kRequestHttpV | kResponseHttpV, number<&Message::size>},
    {{"internal.htx.used", "", "Bytes of the blocks with what each takes by itself."},
     Type::integer, kRequestHttpV | kResponseHttpV, number<&Message::used>},
    {{"internal.htx_blk.data", "s", "The body's bytes that are here, if the block holds them."},
     Type::binary, kRequestHttpV | kResponseHttpV, block_data, take_position},
    {{"internal.htx_blk.hdrname", "s", "The name of the header or trailer that the block holds."},
     Type::string, kRequestHttpV | kResponseHttpV, header_part<&Block::name>, take_position},
    {{"internal.htx_blk.hdrval", "s", "The value of the header or trailer that the block holds."},
     Type::string, kRequestHttpV | kResponseHttpV, header_part<&Block::value>, take_position},
    {{"internal.htx_blk.size", "s", "The bytes of a block: a number, head, tail or first."},
     Type::integer, kRequestHttpV | kResponseHttpV, block_size, take_position},
    {{"internal.htx_blk.start_line", "s", "The start line, if it is the block's."},
     Type::string, kRequestHttpV | kResponseHttpV, start_line_at, take_position},
    {{"internal.htx_blk.type", "s", "What the block holds: HTX_BLK_HDR and the like."},
     Type::string, kRequestHttpV | kResponseHttpV, block_type, take_position},
    {{"internal.strm.is_htx", "", "Whether it is HTTP."},
     Type::boolean, kInternal, is_http},
};
// clang-format on

}  // namespace

std::span<const FetchRow> internal_fetches() { return kRows; }

}  // namespace expr::fetch
