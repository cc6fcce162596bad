// What the kernel knows about TCP connections (manual section 7.3.3).
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"
#include "net/connection.h"

namespace expr::fetch {
namespace {

bool read_info(net::Connection* connection, tcp_info& info) {
  if (connection == nullptr) return false;
  socklen_t size = sizeof(info);
  return getsockopt(connection->io().fd(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
}
net::Connection* client(Context& context) {
  return context.session != nullptr ? context.session->connection : nullptr;
}
net::Connection* server(Context& context) {
  return context.exchange != nullptr ? context.exchange->server_connection : nullptr;
}

// The kernel counts round trips in microseconds; check() left how many make the wanted unit.
bool check_unit(std::vector<Argument>& args, std::string& error) {
  std::string unit = !args.empty() && args[0].present() ? args[0].text() : "ms";
  if (unit != "ms" && unit != "us") {
    error = "the time unit must be 'us' or 'ms', not '" + unit + "'";
    return false;
  }
  if (args.empty()) args.resize(1);
  args[0].value = std::int64_t{unit == "us" ? 1 : 1000};
  return true;
}

template <net::Connection* (*Side)(Context&), __u32 tcp_info::*Member>
bool time_of(Args args, Context& context, Value& out, const FetchRow&) {
  tcp_info info{};
  return read_info(Side(context), info) && give(out, info.*Member / integer_or(args, 0, 1000));
}
template <__u32 tcp_info::*Member>
bool count_of(Args, Context& context, Value& out, const FetchRow&) {
  tcp_info info{};
  return read_info(client(context), info) && give(out, info.*Member);
}
bool saved_syn(Args, Context& context, Value& out, const FetchRow&) {
  net::Connection* connection = client(context);
  if (connection == nullptr) return false;
  char bytes[256];
  socklen_t size = sizeof(bytes);
  if (getsockopt(connection->io().fd(), IPPROTO_TCP, TCP_SAVED_SYN, bytes, &size) != 0)
    return false;
  return give_binary(out, context.arena.copy({bytes, size}));
}

// clang-format off
constexpr FetchRow kRows[] = {
    {{"bc_rtt", "[s", "Round-trip time towards the server, in ms or us."},
     Type::integer, kClientL4, time_of<server, &tcp_info::tcpi_rtt>, check_unit},
    {{"bc_rttvar", "[s", "How much the round-trip time towards the server varies."},
     Type::integer, kClientL4, time_of<server, &tcp_info::tcpi_rttvar>, check_unit},
    {{"fc_rtt", "[s", "Round-trip time towards the client, in ms or us."},
     Type::integer, kClientL4, time_of<client, &tcp_info::tcpi_rtt>, check_unit},
    {{"fc_rttvar", "[s", "How much the round-trip time towards the client varies."},
     Type::integer, kClientL4, time_of<client, &tcp_info::tcpi_rttvar>, check_unit},
    {{"fc_fackets", "[s", "Forward-acknowledged segments."},
     Type::integer, kClientL4, count_of<&tcp_info::tcpi_fackets>},
    {{"fc_lost", "[s", "Segments counted as lost."},
     Type::integer, kClientL4, count_of<&tcp_info::tcpi_lost>},
    {{"fc_reordering", "[s", "The reordering the kernel reckons with."},
     Type::integer, kClientL4, count_of<&tcp_info::tcpi_reordering>},
    {{"fc_retrans", "[s", "Segments sent again and not acknowledged."},
     Type::integer, kClientL4, count_of<&tcp_info::tcpi_retrans>},
    {{"fc_sacked", "[s", "Selectively acknowledged segments."},
     Type::integer, kClientL4, count_of<&tcp_info::tcpi_sacked>},
    {{"fc_unacked", "[s", "Segments not acknowledged yet."},
     Type::integer, kClientL4, count_of<&tcp_info::tcpi_unacked>},
    {{"fc_saved_syn", "", "The SYN packet, where the listener keeps it."},
     Type::binary, kClientL4, saved_syn},
};
// clang-format on

}  // namespace

std::span<const FetchRow> tcp_info_fetches() { return kRows; }

}  // namespace expr::fetch
