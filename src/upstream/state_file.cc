#include "upstream/state_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "config/diagnostics.h"
#include "upstream/checker.h"
#include "upstream/counting.h"

namespace upstream {

namespace {

// Columns of version 1 (management guide, "show servers state").
enum Column : std::size_t {
  kBackendId,
  kBackendName,
  kServerId,
  kServerName,
  kAddress,
  kOper,
  kAdmin,
  kUserWeight,
  kInitialWeight,
  kSinceChange,
  kCheckStatus,
  kCheckResult,
  kCheckHealth,
  kCheckState,
  kAgentState,
  kBackendForcedId,
  kServerForcedId,
  kHostname,
  kPort,
};

int number(const std::string& text, int otherwise) {
  return base::parse_int<int>(text).value_or(otherwise);
}

}  // namespace

StateFile::StateFile(const std::string& path, config::Diagnostics& diagnostics) {
  if (path.empty()) return;
  std::ifstream file(path);
  if (!file) {
    diagnostics.warning(
        {}, fmt::format("cannot open server state file '{}': {}", path, std::strerror(errno)));
    return;
  }
  std::string line;
  if (!std::getline(file, line) || line != "1") {
    diagnostics.warning({}, fmt::format("server state file '{}' has no known version", path));
    return;
  }
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Row row;
    for (std::string word; words >> word;) row.push_back(std::move(word));
    if (row.size() <= kServerForcedId) {
      diagnostics.warning(
          {}, fmt::format("server state file '{}': a line with {} fields is ignored", path,
                          row.size()));
      continue;
    }
    std::string name = row[kBackendName] + '/' + row[kServerName];
    rows_.insert_or_assign(std::move(name), std::move(row));
  }
}

const StateFile::Row* StateFile::row_of(const Server& server) const {
  const auto found = rows_.find(server.state().proxy->name + '/' + server.state().name);
  return found == rows_.end() ? nullptr : &found->second;
}

std::string StateFile::address_of(const Server& server) const {
  const Row* row = row_of(server);
  return row == nullptr || (*row)[kAddress] == "-" ? std::string() : (*row)[kAddress];
}

void StateFile::apply(Server& server) const {
  const Row* row = row_of(server);
  if (row == nullptr) return;
  state::Server& st = server.state();
  const int admin = number((*row)[kAdmin], 0), oper = number((*row)[kOper], 2);
  const std::uint8_t kept =
      static_cast<std::uint8_t>(admin & (state::kForcedMaintenance | state::kForcedDrain));
  st.admin.fetch_or(kept);
  // A weight that the configuration changed meanwhile wins.
  if (number((*row)[kInitialWeight], -1) == static_cast<int>(st.initial_weight.load()))
    st.user_weight = static_cast<std::uint32_t>(std::clamp(number((*row)[kUserWeight], 1), 0, 256));
  const bool known = oper >= 0 && oper <= 3;
  if (st.in_maintenance())
    st.oper = state::OperState::stopped;
  else if (known && server.checker() != nullptr)
    st.oper = static_cast<state::OperState>(oper);
  if (server.checker() != nullptr) {
    const std::lock_guard guard(st.mutex);
    st.check.health = std::clamp(number((*row)[kCheckHealth], st.rise), 0, st.rise + st.fall - 1);
  }
  st.last_change = wall_seconds() - number((*row)[kSinceChange], 0);
  if (row->size() > kPort) {
    const auto port = base::parse_int<std::uint16_t>((*row)[kPort]);
    net::Address address = server.address();
    if (address.is_ip() && port && *port != 0) {
      const net::Ip ip = net::Ip::parse((*row)[kAddress]);
      if (ip.family != 0) address.set_ip(ip);
      address.set_port(*port);
      server.change_address(address);
    }
  }
}

}  // namespace upstream
