// What the process holds: descriptors, memory, libraries.
#include <dirent.h>
#include <fmt/format.h>
#include <link.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>

#include "admin/command/families.h"
#include "base/text.h"

namespace admin {
namespace {

// Numbers of the open descriptors, in order.
std::vector<int> open_descriptors() {
  std::vector<int> numbers;
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return numbers;
  while (dirent* entry = ::readdir(folder)) {
    auto number = base::parse_int<int>(entry->d_name);
    if (number && *number != ::dirfd(folder)) numbers.push_back(*number);
  }
  ::closedir(folder);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// What a link of /proc points to: "socket:[1234]", "/dev/null".
std::string link_text(const std::string& path) {
  char text[256];
  ssize_t size = ::readlink(path.c_str(), text, sizeof text);
  return size < 0 ? "?" : std::string(text, static_cast<std::size_t>(size));
}

// [[<tgid>]/[<fd>] | <fd>]
void show_fd(Call& call) {
  std::string_view wanted = call.arg(0);
  if (std::size_t slash = wanted.find('/'); slash != wanted.npos) wanted.remove_prefix(slash + 1);
  auto only = base::parse_int<int>(wanted);
  for (int fd : open_descriptors())
    if (!only || fd == *only)
      if (!call.print(
              fmt::format("{:7} : {}\n", fd, link_text(fmt::format("/proc/self/fd/{}", fd)))))
        return;
}

int add_library(dl_phdr_info* info, std::size_t, void* out) {
  std::uintptr_t low = UINTPTR_MAX, high = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    low = std::min<std::uintptr_t>(low, info->dlpi_addr + segment.p_vaddr);
    high = std::max<std::uintptr_t>(high, info->dlpi_addr + segment.p_vaddr + segment.p_memsz);
  }
  if (high <= low) return 0;
  std::string name = info->dlpi_name;
  if (name.empty()) name = link_text("/proc/self/exe");
  static_cast<std::string*>(out)->append(
      fmt::format("0x{:012x}-0x{:012x} (0x{:07x}) {}\n", low, high - 1, high - low, name));
  return 0;
}

void show_libs(Call& call) {
  std::string out;
  ::dl_iterate_phdr(add_library, &out);
  call.print(out);
}

// Memory comes from the allocator of the C library: one pool.
void show_pools(Call& call) {
  struct mallinfo2 info = ::mallinfo2();
  std::size_t allocated = info.arena + info.hblkhd, used = info.uordblks + info.hblkhd;
  call.print(
      fmt::format("Dumping pools usage.\n  - Pool heap : {} bytes allocated, {} used\n"
                  "Total: 1 pools, {} bytes allocated, {} used.\n",
                  allocated, used, allocated, used));
}

constexpr Command kCommands[] = {
    {{"show fd", "[num]", "list the open descriptors or one of them"}, Access::operator_, show_fd},
    {{"show libs", "", "list the loaded libraries"}, Access::operator_, show_libs},
    {{"show pools", "", "print how much memory is in use"}, Access::operator_, show_pools},
};

}  // namespace

std::span<const Command> resource_commands() { return kCommands; }

}  // namespace admin
