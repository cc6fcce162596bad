// The statistics page of a proxy ("stats enable", manual section 4.2): HTML with server rows by
// name,
// ";csv", ";typed" and ";json" for programs, and a form for administrators whose answers are
// redirects. A service that runs in the exchange's fiber; access was checked before it is made.
#pragma once

#include <memory>
#include <string>

#include "admin/page_request.h"
#include "proxy/config.h"
#include "txn/exchange.h"

namespace admin {

// For proxy::set_stats_factory().
std::unique_ptr<txn::ServiceRun> make_stats_service(const proxy::Proxy& proxy,
                                                    txn::Exchange& exchange);

// Shown by every page of the process. Before traffic, once.
struct PageProduct {
  std::string name = "Moongate", version;
};
void set_page_product(PageProduct product);

}  // namespace admin
