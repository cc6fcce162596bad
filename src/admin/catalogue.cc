// All families of commands. A new family is one file in command/ and one line here.
#include "admin/command/families.h"

namespace admin {

void add_builtin(Catalogue& catalogue) {
  catalogue.add(session_commands());
  catalogue.add(process_commands());
  catalogue.add(profiling_commands());
  catalogue.add(statistics_commands());
  catalogue.add(server_commands());
  catalogue.add(server_state_commands());
  catalogue.add(frontend_commands());
  catalogue.add(backend_commands());
  catalogue.add(runtime_server_commands());
  catalogue.add(pattern_commands());
  catalogue.add(table_commands());
  catalogue.add(variable_commands());
  catalogue.add(event_commands());
  catalogue.add(resource_commands());
  catalogue.add(error_commands());
  catalogue.add(session_list_commands());
  catalogue.add(trace_commands());
}

}  // namespace admin
