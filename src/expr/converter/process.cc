// Proxies and servers by a name that is known only at run time (manual section 7.3.1).
#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

state::Server* server_of(const Context& context, std::string_view name) {
  return context.registry.find_server(name, context.proxy);
}

bool nbsrv(Args, Context& context, Value& value, const ConverterRow&) {
  const state::Proxy* backend = context.registry.find(value.text, state::kBackend);
  return backend != nullptr && give(value, backend->usable_servers.load(std::memory_order_relaxed));
}

bool fe_exists(Args, Context& context, Value& value, const ConverterRow&) {
  return give_bool(value, context.registry.find(value.text, state::kFrontend) != nullptr);
}

bool srv_is_up(Args, Context& context, Value& value, const ConverterRow&) {
  const state::Server* server = server_of(context, value.text);
  if (server == nullptr) return false;
  bool up = !server->in_maintenance() &&
            server->oper.load(std::memory_order_relaxed) != state::OperState::stopped;
  return give_bool(value, up);
}

bool srv_queue(Args, Context& context, Value& value, const ConverterRow&) {
  const state::Server* server = server_of(context, value.text);
  return server != nullptr && give(value, server->queued.load(std::memory_order_relaxed));
}

// Stores into a capture slot and passes the text on.
void capture(std::vector<std::string_view>& slots, const std::vector<state::CaptureSlot>& known,
             std::int64_t id, Context& context, std::string_view text) {
  if (id < 0 || static_cast<std::size_t>(id) >= known.size()) return;
  auto index = static_cast<std::size_t>(id);
  if (slots.size() < known.size()) slots.resize(known.size());
  slots[index] = context.exchange->arena.copy(text.substr(0, known[index].length));
}

template <bool kRequest>
bool capture_slot(Args args, Context& context, Value& value, const ConverterRow&) {
  txn::Exchange* exchange = context.exchange;
  if (exchange == nullptr || exchange->frontend == nullptr) return true;
  const state::Proxy& frontend = *exchange->frontend;
  if (kRequest)
    capture(exchange->request_captures, frontend.request_captures, args[0].integer(), context,
            value.text);
  else
    capture(exchange->response_captures, frontend.response_captures, args[0].integer(), context,
            value.text);
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"capture-req", "i", "Keeps the text in a capture slot of the request."},
     Type::string,
     Type::string,
     capture_slot<true>},
    {{"capture-res", "i", "Keeps the text in a capture slot of the response."},
     Type::string,
     Type::string,
     capture_slot<false>},
    {{"fe_exists", "", "Whether there is a frontend of that name."},
     Type::string,
     Type::boolean,
     fe_exists},
    {{"nbsrv", "", "How many servers of the backend of that name are usable."},
     Type::string,
     Type::integer,
     nbsrv},
    {{"srv_is_up", "", "Whether the server of that name is up."},
     Type::string,
     Type::boolean,
     srv_is_up},
    {{"srv_queue", "", "How many requests wait for the server of that name."},
     Type::string,
     Type::integer,
     srv_queue},
};

}  // namespace

std::span<const ConverterRow> process_converters() { return kRows; }

}  // namespace expr::converter
