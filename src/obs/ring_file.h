// The file that a ring of "backing-file" keeps its lines in (manual, section 12.5), mapped into
// memory, so that they outlive the process however it ends. Layout, in the machine's byte order:
// RingMarks, then a circle of records, each the length of a line in 4 bytes and the line.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"

namespace obs {

// Where the records stand.
struct RingMarks {
  char kind[8] = {'R', 'I', 'N', 'G', 0, 0, 0, 1};
  std::uint64_t size = 0;             // bytes of the circle
  std::uint64_t head = 0, used = 0;   // in it: the oldest record, bytes in use
  std::uint64_t first = 0, next = 0;  // sequence numbers: oldest kept, next written
  std::uint64_t dropped = 0;
};

class RingFile {
 public:
  // A file that holds lines is first renamed to "<path>.bak", or overwritten where that is not
  // possible. The new one has `size` bytes and is its owner's alone.
  static base::Result<std::unique_ptr<RingFile>> open(const std::string& path, std::size_t size);
  ~RingFile();
  RingFile(const RingFile&) = delete;
  RingFile& operator=(const RingFile&) = delete;

  RingMarks& marks() { return *reinterpret_cast<RingMarks*>(map_.data()); }
  std::span<char> circle() { return map_.subspan(sizeof(RingMarks)); }
  const std::string& path() const { return path_; }

 private:
  RingFile(std::string path, std::span<char> map) : path_(std::move(path)), map_(map) {}
  std::string path_;
  std::span<char> map_;
};

}  // namespace obs
