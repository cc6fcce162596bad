#include "obs/ring_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace obs {
namespace {

constexpr std::size_t kSmallestCircle = 64;

// Empty rings of ours, which each check of a configuration leaves behind, are not worth keeping.
bool worth_keeping(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat facts {};
  RingMarks found;
  const RingMarks fresh;
  const bool filled = ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && facts.st_size != 0;
  const bool whole = ::pread(fd, &found, sizeof found, 0) == sizeof found;
  ::close(fd);
  const bool empty_ring =
      whole && std::memcmp(found.kind, fresh.kind, sizeof fresh.kind) == 0 && found.next == 0;
  return filled && !empty_ring;
}

}  // namespace

base::Result<std::unique_ptr<RingFile>> RingFile::open(const std::string& path, std::size_t size) {
  // Where the folder may not be written to, the older lines go (manual, "backing-file").
  if (worth_keeping(path)) (void)::rename(path.c_str(), (path + ".bak").c_str());
  const auto failed = [&] { return base::fail(std::string(std::strerror(errno))); };
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return failed();
  size = std::max(size, sizeof(RingMarks) + kSmallestCircle);
  void* map = MAP_FAILED;
  if (::ftruncate(fd, 0) == 0 && ::ftruncate(fd, static_cast<off_t>(size)) == 0)
    map = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  const int error = errno;
  ::close(fd);
  errno = error;
  if (map == MAP_FAILED) return failed();
  auto* marks = new (map) RingMarks;
  marks->size = size - sizeof(RingMarks);
  return std::unique_ptr<RingFile>(new RingFile(path, {static_cast<char*>(map), size}));
}

RingFile::~RingFile() { ::munmap(map_.data(), map_.size()); }

}  // namespace obs
