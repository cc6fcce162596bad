#include "txn/large_body.h"

namespace txn {

namespace {
std::size_t large_size = 0;
}

void set_large_buffer_size(std::size_t size) { large_size = size; }
std::size_t large_buffer_size() { return large_size; }

}  // namespace txn
