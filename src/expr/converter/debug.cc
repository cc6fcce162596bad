// Converters that watch or hold back a sample: debug, when (manual section 7.3.1).
#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "expr/condition.h"
#include "expr/converter/support.h"
#include "expr/converter/tables.h"
#include "obs/ring.h"

namespace expr::converter {
namespace {

struct Sink {
  std::string prefix = "debug";
  int fd = -1;
  std::shared_ptr<obs::Ring> ring;

  void write(std::string line) const {
    if (ring != nullptr) return ring->append(line);
    if (fd < 0) return;
    line += '\n';
    // A full pipe loses the line: nobody waits for a debugging aid.
    if (::write(fd, line.data(), line.size()) < 0) return;
  }
};

bool debug(Args args, Context& context, Value& value, const ConverterRow&) {
  Value shown = value;
  std::string text;
  if (cast(shown, Type::string, context.arena)) {
    for (char c : shown.text) text += c >= 0x20 && c < 0x7f ? c : '.';
  }
  const Sink& sink = *args[0].object<Sink>();
  sink.write(
      fmt::format("[debug] {}: type={} <{}>", sink.prefix, state::name_of(value.type), text));
  return true;
}

bool check_debug(std::vector<Argument>& args, ParseContext& context, const config::Keyword&,
                 std::string&) {
  auto sink = std::make_shared<Sink>();
  if (!args.empty() && !args[0].text().empty()) sink->prefix = args[0].text();
  std::string name = args.size() > 1 && !args[1].text().empty() ? args[1].text() : "buf0";
  if (name == "stdout" || name == "stderr") {
    sink->fd = name == "stdout" ? STDOUT_FILENO : STDERR_FILENO;
  } else {
    sink->ring = name == obs::kBufferRing ? obs::buffer_ring() : obs::find_ring(name);
    // Its section may stand further down; a ring that never comes gets nothing.
    if (sink->ring == nullptr)
      context.deferred.push_back([sink, name] { sink->ring = obs::find_ring(name); });
  }
  args.resize(1);
  args[0].value = std::static_pointer_cast<void>(sink);
  return true;
}

bool is_forwarded(const Context& context) {
  const txn::Exchange* e = context.exchange;
  return e != nullptr && (e->server_connection != nullptr || e->times.connected != rt::kNever);
}
bool is_service(const Context& context) {
  return context.exchange != nullptr &&
         (context.exchange->service != nullptr || !context.exchange->service_name.empty());
}
// As "option dontlog-normal" has it.
bool is_error(const Context& context) {
  const txn::Exchange* e = context.exchange;
  if (e == nullptr) return false;
  bool failed = e->end && e->end.cause != txn::Cause::local;
  return failed || e->retries != 0 || e->redispatched ||
         (e->response_valid && e->response.status >= 500);
}
bool is_normal(const Context& context) { return !is_error(context); }
bool is_processed(const Context& context) { return is_forwarded(context) || is_service(context); }
bool is_stopping(const Context& context) {
  return context.registry.process().stopping.load(std::memory_order_relaxed);
}

struct WhenName {
  std::string_view name;
  bool (*holds)(const Context&);
};
constexpr std::array<WhenName, 6> kWhen{{{"stopping", is_stopping},
                                         {"normal", is_normal},
                                         {"error", is_error},
                                         {"forwarded", is_forwarded},
                                         {"toapplet", is_service},
                                         {"processed", is_processed}}};

struct When {
  bool negated = false;
  bool (*holds)(const Context&) = nullptr;
  std::shared_ptr<Acl> acl;  // instead of `holds`
};

bool when(Args args, Context& context, Value&, const ConverterRow&) {
  const When& how = *args[0].object<When>();
  bool holds = how.acl != nullptr ? how.acl->evaluate(context) > 0 : how.holds(context);
  return holds != how.negated;
}

bool check_when(std::vector<Argument>& args, ParseContext& context, const config::Keyword&,
                std::string& error) {
  auto how = std::make_shared<When>();
  std::string_view name = args[0].text();
  how->negated = name.starts_with('!');
  if (how->negated) name.remove_prefix(1);
  if (name == "acl") {
    std::string_view acl = text_or(args, 1, "");
    if (acl.empty()) {
      error = "'acl' selector requires an extra argument with the ACL name";
      return false;
    }
    if (acl.starts_with('!')) {
      how->negated = !how->negated;
      acl.remove_prefix(1);
    }
    how->acl = Acl::find(acl, context);
    if (how->acl == nullptr) {
      error = fmt::format("ACL '{}' not found", acl);
      return false;
    }
  } else {
    for (const WhenName& row : kWhen)
      if (row.name == name) how->holds = row.holds;
    if (how->holds == nullptr) {
      error = fmt::format(
          "expects a supported keyword among "
          "{{stopping,normal,error,forwarded,toapplet,processed,acl}} "
          "but got '{}'",
          name);
      return false;
    }
  }
  args[0].value = std::static_pointer_cast<void>(how);
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"debug", "[ss", "Sends the sample to a ring, stdout or stderr and passes it on."},
     Type::any,
     Type::any,
     debug,
     check_debug,
     nullptr,
     true},
    {{"when", "s[ss", "Passes the sample on under a condition, else gives nothing."},
     Type::any,
     Type::any,
     when,
     check_when},
};

}  // namespace

std::span<const ConverterRow> debug_converters() { return kRows; }

}  // namespace expr::converter
