#include "upstream/client_network.h"

#include "net/connection.h"
#include "net/network_namespace.h"

namespace upstream {

std::string_view network_of_client(const txn::Session& session) {
  if (session.extras)
    for (const net::ProxyTlv& tlv : session.extras->tlvs)
      if (tlv.type == net::kProxyNetns && net::knows_namespace(tlv.value)) return tlv.value;
  return session.connection == nullptr ? std::string_view()
                                       : net::namespace_of_socket(session.connection->io().fd());
}

}  // namespace upstream
