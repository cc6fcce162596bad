// Bodies that a rule waits for as a whole and that may have more room than tune.bufsize: a large
// buffer (tune.bufsize.large). What has a body to offer implements it beside txn::Channel.
#pragma once

#include <cstddef>

namespace txn {

// Said once the settings are known; 0: there are no large buffers.
void set_large_buffer_size(std::size_t size);
std::size_t large_buffer_size();

class LargeBody {
 public:
  // False: it has its large buffer already, or there are none.
  virtual bool enlarge() = 0;

 protected:
  ~LargeBody() = default;
};

}  // namespace txn
