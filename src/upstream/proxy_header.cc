#include "upstream/proxy_header.h"

#include <array>

#include "base/hash.h"
#include "expr/context.h"
#include "expr/log_format.h"
#include "net/proxy_protocol.h"
#include "upstream/client_network.h"

namespace upstream {

namespace {

constexpr std::uint8_t kTlvAuthority = 0x02;  // doc/proxy-protocol.txt, section 2.2
constexpr std::uint8_t kTlvCrc32c = 0x03;
constexpr std::uint8_t kTlvUniqueId = 0x05;

// The CRC TLV covers the whole header with its own value as zero; it is the last one written.
void seal(std::string& header) {
  const std::uint32_t crc = base::hash_crc32c(header);
  for (std::size_t i = 0; i < 4; ++i)
    header[header.size() - 4 + i] = static_cast<char>(crc >> (24 - 8 * i));
}

}  // namespace

std::string proxy_header_for(const Server& server, txn::Exchange& exchange) {
  const ServerSettings& settings = server.settings();
  net::ProxyHeader header;
  header.source = exchange.session.source;
  header.destination = exchange.session.destination;
  if (settings.send_proxy == 1) return net::write_proxy_v1(header);
  if (settings.proxy_v2_options & kProxyV2Authority && exchange.session.extras) {
    for (const net::ProxyTlv& tlv : exchange.session.extras->tlvs)
      if (tlv.type == kTlvAuthority) header.tlvs.push_back(tlv);
  }
  if (settings.proxy_v2_options & kProxyV2UniqueId && !exchange.unique_id.empty())
    header.tlvs.push_back({kTlvUniqueId, std::string(exchange.unique_id)});
  expr::Context context{const_cast<Server&>(server).backend().registry(), exchange.arena};
  context.session = &exchange.session;
  context.exchange = &exchange;
  context.proxy = exchange.backend;
  for (const auto& [type, format] : settings.proxy_v2_tlvs)
    header.tlvs.push_back({type, std::string(format->text(context))});
  if (const std::string_view network = network_of_client(exchange.session); !network.empty())
    header.tlvs.push_back({net::kProxyNetns, std::string(network)});
  const bool sealed = settings.proxy_v2_options & kProxyV2Crc32c;
  if (sealed) header.tlvs.push_back({kTlvCrc32c, std::string(4, '\0')});
  std::string bytes = net::write_proxy_v2(header);
  if (sealed) seal(bytes);
  return bytes;
}

std::string proxy_header_for_check(int version, const net::Connection& connection, bool as_client) {
  net::ProxyHeader header;
  header.local = !as_client || version == 1;
  if (!header.local) {
    header.source = connection.local();
    header.destination = connection.peer();
  }
  return version == 1 ? net::write_proxy_v1(header) : net::write_proxy_v2(header);
}

}  // namespace upstream
