#include "expr/fetch/tables.h"

namespace expr::fetch {

void add_tables(Catalogue& catalogue) {
  catalogue.add(acl_fetches());
  catalogue.add(body_fetches());
  catalogue.add(capture_fetches());
  catalogue.add(client_hello_fetches());
  catalogue.add(connection_fetches());
  catalogue.add(constant_fetches());
  catalogue.add(cookie_fetches());
  catalogue.add(cost_fetches());
  catalogue.add(distcc_fetches());
  catalogue.add(exchange_fetches());
  catalogue.add(header_fetches());
  catalogue.add(http_auth_fetches());
  catalogue.add(internal_fetches());
  catalogue.add(payload_fetches());
  catalogue.add(process_fetches());
  catalogue.add(proxy_fetches());
  catalogue.add(query_fetches());
  catalogue.add(request_fetches());
  catalogue.add(server_fetches());
  catalogue.add(stick_fetches());
  catalogue.add(stream_fetches());
  catalogue.add(tcp_info_fetches());
  catalogue.add(timer_fetches());
  catalogue.add(tls_fetches());
  catalogue.add(unavailable_fetches());
  catalogue.add(variable_fetches());
  catalogue.add(acl_keywords());
}

}  // namespace expr::fetch
