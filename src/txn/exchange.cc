#include "txn/exchange.h"

namespace txn {

Exchange::~Exchange() {
  for (auto& call : on_end) call();
  std::destroy(tracked.begin(), tracked.end());
}

}  // namespace txn
