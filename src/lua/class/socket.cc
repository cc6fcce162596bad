// Socket: a client connection as LuaSocket has it, which waits in its fiber only.
#include <cmath>

#include "lua/box.h"
#include "lua/class/all.h"
#include "lua/destination.h"
#include "lua/on_worker.h"
#include "lua/stack.h"
#include "net/connection.h"

namespace lua {

namespace {

constexpr rt::Duration kConnectTimeout = std::chrono::seconds(5);
constexpr std::size_t kReadAtOnce = 16384;

struct Socket {
  unsigned worker = 0;  // the connection's
  std::shared_ptr<net::Connection> connection;
  rt::Duration timeout = rt::kForever;
  std::string input;
  bool ended = false;  // the peer sends no more
  bool reading = false, writing = false;

  ~Socket() { close(); }
  // Ends waits of other calls on it as well.
  void close() {
    if (connection) leave_to(worker, [gone = std::move(connection)] { gone->io().close(); });
    connection.reset();
    input.clear();
    ended = true;
  }
};

// The connection, deleted where it lives.
std::shared_ptr<net::Connection> keep(std::unique_ptr<net::Connection> connection) {
  return {connection.release(), [worker = rt::worker_index()](net::Connection* gone) {
            leave_to(worker, [gone] { delete gone; });
          }};
}

// One call at a time in each direction.
class Busy {
 public:
  Busy(lua_State* L, bool& flag) : flag_(flag) {
    if (flag) raise(L, "the socket is in use by another call");
    flag = true;
  }
  ~Busy() { flag_ = false; }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  bool& flag_;
};

Socket& self(lua_State* L) { return check_boxed<Socket>(L, 1, Class::socket); }

Call& waiting_call(lua_State* L, const char* name) {
  Call& call = current_call(L, name);
  if (rt::current() == nullptr) luaL_error(L, "%s: not available before the proxy runs", name);
  return call;
}

int fail(lua_State* L, const char* why) {
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

int socket_connect(lua_State* L) {
  if (lua_gettop(L) < 2) luaL_error(L, "connect: need at least 2 arguments");
  lua_settop(L, 3);
  Socket& socket = self(L);
  Call& call = waiting_call(L, "connect");
  if (socket.connection) raise(L, "connect: already connected");
  std::string address(check_text(L, 2));
  if (address.empty()) address = "0.0.0.0";  // this host, as the reference
  const lua_Integer port = lua_isnil(L, 3) ? -1 : luaL_checkinteger(L, 3);
  if (port == 0) luaL_error(L, "connect: invalid port");
  if (port > 65535) return fail(L, "Can't connect");
  auto destination = Destination::parse(address, static_cast<int>(port));
  if (!destination) luaL_error(L, "connect: %s", destination.error().c_str());
  {
    const Unlocked unlocked;
    const rt::Duration patience = socket.timeout == rt::kForever ? kConnectTimeout : socket.timeout;
    auto connected = destination->connect(rt::deadline(patience));
    if (connected) {
      socket.worker = rt::worker_index();
      socket.connection = keep(std::move(*connected));
      socket.ended = false;
    }
  }
  call.check_cancelled(L);
  if (!socket.connection) return fail(L, "Can't connect");
  lua_pushinteger(L, 1);
  return 1;
}

int socket_connect_ssl(lua_State* L) {
  self(L);
  raise(L, "connect_ssl: TLS is not supported yet");
}

int socket_close(lua_State* L) {
  self(L).close();
  return 0;
}

// What a receive wants.
struct Wanted {
  enum class Kind : std::uint8_t { line, all, bytes } kind = Kind::line;
  std::size_t bytes = 0;
};

Wanted check_pattern(lua_State* L, int index) {
  if (lua_isnoneornil(L, index)) return {};
  if (lua_type(L, index) == LUA_TSTRING) {
    std::string_view pattern = to_text(L, index);
    if (pattern == "*a") return {Wanted::Kind::all};
    if (pattern == "*l") return {};
    if (lua_isnumber(L, index) == 0) raise(L, "Unsupported pattern.");
  }
  if (lua_type(L, index) != LUA_TSTRING && lua_type(L, index) != LUA_TNUMBER)
    raise(L, "Unsupported pattern.");
  const lua_Integer size = luaL_checkinteger(L, index);
  if (size < 0) raise(L, "Unsupported size.");
  return {Wanted::Kind::bytes, static_cast<std::size_t>(size)};
}

// Takes what is wanted off the input if it is complete, or all of it with `whatever`.
bool take(Socket& socket, const Wanted& wanted, std::size_t& searched, bool whatever,
          std::string& out) {
  std::string& input = socket.input;
  std::size_t size = input.size();
  bool complete = whatever;
  if (wanted.kind == Wanted::Kind::line) {
    const std::size_t end = input.find('\n', searched);
    searched = input.size();
    if (end != std::string::npos) {
      complete = true;
      size = end + 1;
    }
  } else if (wanted.kind == Wanted::Kind::bytes && input.size() >= wanted.bytes) {
    complete = true;
    size = wanted.bytes;
  }
  if (!complete) return false;
  std::string_view taken(input.data(), size);
  if (wanted.kind == Wanted::Kind::line) {
    for (const char c : taken)
      if (c != '\r' && c != '\n') out += c;
  } else {
    out.append(taken);
  }
  input.erase(0, size);
  return true;
}

// False when the time was over.
bool read_more(Socket& socket, net::Connection& connection) {
  char chunk[kReadAtOnce];
  auto got = connection.read(chunk, rt::deadline(socket.timeout));
  if (got && *got != 0)
    socket.input.append(chunk, *got);
  else if (!got && got.error() == net::IoError::timed_out)
    return false;
  else
    socket.ended = true;
  return true;
}

int socket_receive(lua_State* L) {
  const int count = lua_gettop(L);
  if (count < 1 || count > 3)
    luaL_error(L, "The 'receive' function requires between 1 and 3 arguments.");
  Socket& socket = self(L);
  const Wanted wanted = check_pattern(L, 2);
  std::string out;
  if (!lua_isnoneornil(L, 3)) out = check_text(L, 3);
  const std::size_t prefix = out.size();
  const auto connection = socket.connection;
  if (!connection) return fail(L, "connection closed.");
  Call& call = waiting_call(L, "receive");
  const Busy busy(L, socket.reading);
  std::size_t searched = 0;
  bool timed_out = false;
  bool complete = take(socket, wanted, searched, false, out);
  if (!complete) {
    const Unlocked unlocked;
    run_on(socket.worker, [&] {
      while (!complete && !socket.ended && !timed_out) {
        timed_out = !read_more(socket, *connection);
        complete = take(socket, wanted, searched, false, out);
      }
      if (!complete) take(socket, wanted, searched, true, out);
    });
  }
  call.check_cancelled(L);
  // What came before the end counts as received, as in the reference.
  if (!complete && out.size() == prefix)
    return fail(L, timed_out ? "timeout" : "connection closed.");
  push(L, out);
  return 1;
}

int socket_send(lua_State* L) {
  const int count = lua_gettop(L);
  if (count < 2 || count > 4) luaL_error(L, "'send' needs between 2 and 4 arguments");
  Socket& socket = self(L);
  const std::string_view bytes = check_text(L, 2);
  const auto size = static_cast<lua_Integer>(bytes.size());
  lua_Integer from = luaL_optinteger(L, 3, 1), to = luaL_optinteger(L, 4, -1);
  if (from < 0) from = std::max<lua_Integer>(size + from + 1, 1);
  if (from == 0) from = 1;
  if (to < 0) to = size + to + 1;
  to = std::min(to, size);
  if (!socket.connection) {
    fail(L, "closed");
    lua_pushinteger(L, from - 1);
    return 3;
  }
  if (from > to) {
    lua_pushinteger(L, from - 1);
    return 1;
  }
  Call& call = waiting_call(L, "send");
  const Busy busy(L, socket.writing);
  const auto connection = socket.connection;
  net::IoError error{};
  bool good = false;
  {
    const Unlocked unlocked;
    const std::string_view part =
        bytes.substr(static_cast<std::size_t>(from - 1), static_cast<std::size_t>(to - from + 1));
    run_on(socket.worker, [&] {
      auto written = connection->write(part, rt::deadline(socket.timeout));
      good = written.has_value();
      if (!good) error = written.error();
    });
  }
  call.check_cancelled(L);
  if (!good) {
    fail(L, error == net::IoError::timed_out ? "timeout" : "closed");
    lua_pushinteger(L, from - 1);
    return 3;
  }
  lua_pushinteger(L, to);
  return 1;
}

int push_address(lua_State* L, const net::Address& address) {
  if (address.kind() == net::Address::Kind::none)
    lua_pushnil(L);
  else if (address.is_unix())
    lua_pushstring(L, "unix");
  else
    push(L, address.text());
  return 1;
}

int socket_getpeername(lua_State* L) {
  check_count(L, 1, "getpeername");
  Socket& socket = self(L);
  return push_address(L, socket.connection ? socket.connection->peer() : net::Address());
}

int socket_getsockname(lua_State* L) {
  check_count(L, 1, "getsockname");
  Socket& socket = self(L);
  return push_address(L, socket.connection ? socket.connection->local() : net::Address());
}

int socket_settimeout(lua_State* L) {
  if (lua_gettop(L) < 2) check_count(L, 2, "settimeout");
  Socket& socket = self(L);
  const lua_Number seconds = luaL_checknumber(L, 2);
  if (seconds < 0) raise(L, "settimeout: cannot set negatives values");
  constexpr lua_Number kMost = 2147483;  // as the reference: a signed number of milliseconds
  if (!(seconds <= kMost)) raise(L, "settimeout: cannot set values larger than 2147483 seconds");
  const auto ms = std::max<std::int64_t>(std::llround(std::ceil(seconds * 1000)), 1);
  socket.timeout = rt::milliseconds(ms);
  lua_pushinteger(L, 1);
  return 1;
}

int socket_setoption(lua_State* L) {
  self(L);
  return 0;
}

constexpr luaL_Reg kMethods[] = {{"connect", socket_connect},
                                 {"connect_ssl", socket_connect_ssl},
                                 {"close", socket_close},
                                 {"receive", socket_receive},
                                 {"send", socket_send},
                                 {"getpeername", socket_getpeername},
                                 {"getsockname", socket_getsockname},
                                 {"settimeout", socket_settimeout},
                                 {"setoption", socket_setoption}};

}  // namespace

int core_tcp(lua_State* L) {
  push_boxed<Socket>(L, Class::socket);
  return 1;
}

void define_socket(lua_State* L) {
  State::of(L).define(L, {.id = Class::socket,
                          .name = "Socket",
                          .methods = kMethods,
                          .collect = &Box<Socket>::collect_object});
}

}  // namespace lua
