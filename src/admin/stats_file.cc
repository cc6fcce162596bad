#include "admin/stats_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "state/registry.h"
#include "upstream/backend.h"

namespace admin {
namespace {

using Proxy = state::ProxyCounters;
using Server = state::ServerCounters;

template <class Block>
struct CountColumn {
  std::string_view name;
  obs::Count Block::*count;
};

constexpr CountColumn<Proxy> kFrontend[] = {
    {"stot", &Proxy::sessions},           {"bin", &Proxy::bytes_in},
    {"bout", &Proxy::bytes_out},          {"dreq", &Proxy::denied_requests},
    {"dresp", &Proxy::denied_responses},  {"ereq", &Proxy::failed_requests},
    {"req_tot", &Proxy::requests},        {"conn_tot", &Proxy::connections},
    {"intercepted", &Proxy::intercepted}, {"dcon", &Proxy::denied_connections},
    {"dses", &Proxy::denied_sessions},    {"wrew", &Proxy::rewrites_failed},
    {"eint", &Proxy::internal_errors}};

// The way to servers: of backends and of servers.
template <class Block>
constexpr CountColumn<Block> kBackend[] = {{"stot", &Block::sessions},
                                           {"bin", &Block::bytes_in},
                                           {"bout", &Block::bytes_out},
                                           {"dresp", &Block::denied_responses},
                                           {"econ", &Block::failed_connections},
                                           {"eresp", &Block::failed_responses},
                                           {"wretr", &Block::retries},
                                           {"wredis", &Block::redispatches},
                                           {"lbtot", &Block::chosen},
                                           {"req_tot", &Block::requests},
                                           {"cli_abrt", &Block::client_aborts},
                                           {"srv_abrt", &Block::server_aborts},
                                           {"connect", &Block::connects},
                                           {"reuse", &Block::reused},
                                           {"eint", &Block::internal_errors}};

constexpr std::array<std::string_view, 6> kResponses = {"hrsp_1xx", "hrsp_2xx", "hrsp_3xx",
                                                        "hrsp_4xx", "hrsp_5xx", "hrsp_other"};

std::string_view guid_of(const state::Server& server) {
  return server.behaviour != nullptr ? std::string_view(server.behaviour->settings().guid)
                                     : std::string_view();
}

// --- writing

template <class Columns>
std::string header(std::string_view kind, const Columns& columns) {
  std::string out = fmt::format("#{} guid,", kind);
  for (const auto& column : columns) out += fmt::format("{},", column.name);
  for (const std::string_view name : kResponses) out += fmt::format("{},", name);
  return out + '\n';
}

template <class Block, class Columns>
void append_row(std::string& out, std::string_view guid, const obs::PerWorker<Block>& counters,
                const Columns& columns) {
  if (guid.empty()) return;
  out += fmt::format("{},", guid);
  for (const auto& column : columns) out += fmt::format("{},", counters.sum(column.count));
  for (std::size_t i = 0; i < kResponses.size(); ++i) {
    std::uint64_t total = 0;
    counters.each([&](const Block& block) { total += block.responses[i].get(); });
    out += fmt::format("{},", total);
  }
  out += '\n';
}

// --- reading

template <class Block, class Columns>
void add(obs::PerWorker<Block>& counters, const Columns& columns, std::string_view name,
         std::uint64_t value) {
  for (const auto& column : columns)
    if (column.name == name) (counters.mine().*column.count).add(value);
  for (std::size_t i = 0; i < kResponses.size(); ++i)
    if (kResponses[i] == name) counters.mine().responses[i].add(value);
}

// Adds one value to the object of this name, on the side that the section is about.
void add_to(state::Registry& registry, bool frontends, std::string_view guid,
            std::string_view column, std::uint64_t value) {
  for (const auto& proxy : registry.proxies()) {
    if (proxy->guid == guid) {
      const auto side = frontends ? state::kFrontend : state::kBackend;
      if ((proxy->capabilities & side) == 0) return;
      return frontends ? add(proxy->frontend, kFrontend, column, value)
                       : add(proxy->backend, kBackend<Proxy>, column, value);
    }
    if (frontends) {
      for (const auto& listener : proxy->listeners)
        if (listener->counts && listener->guid == guid)
          return add(listener->counters, kFrontend, column, value);
    } else {
      for (const auto& server : proxy->servers)
        if (guid_of(*server) == guid) return add(server->counters, kBackend<Server>, column, value);
    }
  }
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t comma = line.find(',');
    words.push_back(line.substr(0, comma));
    line.remove_prefix(comma == line.npos ? line.size() : comma + 1);
  }
  return words;
}

}  // namespace

std::string dump_stats_file(const state::Registry& registry) {
  std::string out = header("fe", kFrontend);
  for (const auto& proxy : registry.proxies()) {
    if (proxy->capabilities & state::kFrontend)
      append_row(out, proxy->guid, proxy->frontend, kFrontend);
    for (const auto& listener : proxy->listeners)
      if (listener->counts) append_row(out, listener->guid, listener->counters, kFrontend);
  }
  out += '\n' + header("be", kBackend<Proxy>);
  for (const auto& proxy : registry.proxies()) {
    if ((proxy->capabilities & state::kBackend) == 0) continue;
    append_row(out, proxy->guid, proxy->backend, kBackend<Proxy>);
    for (const auto& server : proxy->servers)
      append_row(out, guid_of(*server), server->counters, kBackend<Server>);
  }
  return out + '\n';
}

void load_stats_file(std::string_view text, state::Registry& registry) {
  bool known = false, frontends = false;
  std::vector<std::string_view> columns;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.starts_with("//")) continue;
    if (line[0] == '#') {
      frontends = line.starts_with("#fe ");
      known = frontends || line.starts_with("#be ");
      columns = split(line.substr(std::min<std::size_t>(line.size(), 4)));
      continue;
    }
    if (!known) continue;
    const std::vector<std::string_view> words = split(line);
    for (std::size_t i = 1; i < std::min(words.size(), columns.size()); ++i)
      if (const auto value = base::parse_int<std::uint64_t>(words[i]); value && *value != 0)
        add_to(registry, frontends, words[0], columns[i], *value);
  }
}

}  // namespace admin
