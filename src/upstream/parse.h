// The keywords of a backend that belong to this room, as tables of rows: lines of a section
// ("balance", "server" …), "option" words, and what may follow a server's address. app/ walks a
// section and calls these; "defaults" sections fill a BackendSettings that backends then copy.
#pragma once

#include <span>

#include "config/arguments.h"
#include "config/keyword.h"
#include "expr/parse.h"
#include "upstream/backend.h"

namespace upstream {

struct BackendParse {
  config::Arguments& args;
  expr::ParseContext& context;
  BackendSettings& settings;
  state::Mode mode = state::Mode::tcp;
  bool in_defaults = false;
  bool negated = false;  // "no option …"
};

// A line of a section; `parse` takes the words after the keyword (after "option <name>" for
// options) and reports what it does not like.
struct BackendRow : config::Keyword {
  bool (*parse)(BackendParse& parse);
  bool may_negate = false;
};

std::span<const BackendRow> backend_keywords();  // "balance", "hash-type", "http-check" …
std::span<const BackendRow> backend_options();   // "httpchk", "redispatch" …

// What follows the address of a server.
struct ServerParse {
  config::Arguments& args;
  expr::ParseContext& context;
  const BackendSettings& backend;
  ServerSettings& settings;
  state::Mode mode = state::Mode::tcp;
  bool is_default = false;  // a "default-server" line
};
struct ServerRow : config::Keyword {
  bool (*parse)(ServerParse& parse);
};
std::span<const ServerRow> server_keywords();

// "server <name> <address> …", "server-template <prefix> <range> <fqdn> …": the words after the
// keyword; the servers are added. "default-server …" changes `settings`. All report errors.
bool parse_server(config::Arguments& args, expr::ParseContext& context, Backend& backend);
// As parse_server(), of a server that is to be added at run time: without the default-server, and
// not added yet. Null with a report.
std::shared_ptr<ServerSettings> parse_runtime_server(config::Arguments& args,
                                                     expr::ParseContext& context, Backend& backend);
bool parse_server_template(config::Arguments& args, expr::ParseContext& context, Backend& backend);
bool parse_default_server(config::Arguments& args, expr::ParseContext& context,
                          BackendSettings& settings, state::Mode mode);

// The file that load-server-state-from-file means, given the global server-state-file and -base;
// empty: none.
std::string state_file_path(const BackendSettings& settings, std::string_view backend,
                            const std::string& global_file, const std::string& base);

// Looks at what only the whole section can tell; call once per backend before Backend::prepare().
bool finish_settings(Backend& backend, config::Diagnostics& diagnostics);

}  // namespace upstream
