// The head of a request or response as everything else sees it. Texts are views: into the receive
// buffer where nobody changed them, into the exchange's arena where somebody did, or constants.
// Header names are lower case (the parser lowers them in place), as HAProxy shows them to rules,
// scripts and servers.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace http {

enum class Method : std::uint8_t {
  other,
  options,
  get,
  head,
  post,
  put,
  delete_,
  trace,
  connect,
  patch
};
Method method_of(std::string_view name);  // case-sensitive (RFC 9110 section 9.1)
std::string_view name_of(Method method);  // "" for other

// The headers the proxy itself looks at get a number at parse time, so that looking costs nothing.
enum class HeaderId : std::uint8_t {
  other,
  host,
  connection,
  content_length,
  transfer_encoding,
  expect,
  upgrade,
  keep_alive,
  proxy_connection,
  te,
  trailer,
  cookie,
  set_cookie,
  content_type,
  date,
  server,
  user_agent,
  x_forwarded_for,
  authorization,
  proxy_authorization,
  cache_control,
  location,
  accept_encoding,
  content_encoding,
  count_
};
HeaderId id_of(std::string_view lowercase_name);

struct Field {
  Field() = default;
  Field(std::string_view lower_name, std::string_view text, HeaderId number = HeaderId::other)
      : name(lower_name), value(text), id(number) {}

  std::string_view name;   // lower case
  std::string_view value;  // without surrounding blanks
  HeaderId id = HeaderId::other;
};

// Fields in order. Names given to these functions may have any case. Values and names that are
// added must outlive the message (use the arena of the exchange).
class Headers {
 public:
  using Storage = std::vector<Field>;

  std::size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  const Field& operator[](std::size_t i) const { return fields_[i]; }
  Field& at(std::size_t i) { return fields_[i]; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

  void clear() { fields_.clear(); }
  void reserve(std::size_t fields) { fields_.reserve(fields); }
  void add_parsed(const Field& field);
  void add_parsed(std::string_view name, std::string_view value, HeaderId id) {
    fields_.emplace_back(name, value, id);
  }
  // `name` is lowered into `arena` when it holds capitals.
  void add(std::string_view name, std::string_view value, base::Arena& arena);
  void insert_at(std::size_t index, const Field& field);
  // Removes every field of the name; how many there were.
  std::size_t remove(std::string_view name);
  std::size_t remove(HeaderId id);
  void remove_at(std::size_t index);
  // The same name in another case.
  void rename_at(std::size_t index, std::string_view name) { fields_[index].name = name; }
  void set(std::string_view name, std::string_view value, base::Arena& arena) {
    remove(name);
    add(name, value, arena);
  }
  // First of the name or id; null when there is none.
  const Field* find(std::string_view name) const;
  const Field* find(HeaderId id) const;
  std::size_t count(std::string_view name) const;

 private:
  Storage fields_;
};

// How the end of a body is found (RFC 9112 section 6).
enum class Framing : std::uint8_t { none, length, chunked, until_close };

struct Version {
  std::uint8_t major = 1, minor = 1;
  bool operator==(const Version&) const = default;
};

struct RequestHead {
  Method method = Method::get;
  std::string_view method_text;
  std::string_view target;  // as on the request line, or as rewritten
  Version version;
  std::string_view version_text;  // "HTTP/1.0"; empty: derived from version when written
  Headers headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;  // with Framing::length
  bool keep_alive = true;            // what the peer's version and Connection header ask for
  bool insecure_lengths = false;     // a length beside chunked alone ended keep_alive
  bool upgrade = false;              // "Connection: upgrade" with an Upgrade header
  bool expect_continue = false;
  void clear();
};

struct ResponseHead {
  Version version;
  std::string_view version_text;  // "HTTP/1.0"; empty: derived from version when written
  std::uint16_t status = 0;
  std::string_view reason;
  Headers headers;
  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool insecure_lengths = false;  // as in requests
  bool upgrade = false;           // 101, or 2xx to CONNECT: a tunnel follows the head
  void clear();
};

}  // namespace http
