// How sessions describe themselves to traces; an exchange does by Run::trace_h1() and
// Run::trace_stream(). Called only where something is traced.
#pragma once

#include <string_view>

#include "obs/trace_sources.h"
#include "proxy/session.h"

namespace proxy {

void trace_session(const Session& session, obs::trace::Events of, obs::trace::Level level,
                   std::string_view text,
                   const obs::trace::Place& where = obs::trace::Place::current());
// Of its connection, where that is HTTP.
void trace_connection(const Session& session, obs::trace::Events of, obs::trace::Level level,
                      std::string_view text,
                      const obs::trace::Place& where = obs::trace::Place::current());

}  // namespace proxy
