// The lines that tell of an exchange (manual, section 8).
#include "proxy/access_log.h"

#include <fmt/format.h>

#include <ctime>

#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

bool successful(const txn::Exchange& e) {
  if (e.end) return false;
  return !e.is_http || e.response.status < 500;
}

obs::LogLine line_of(const Proxy& frontend, obs::Level level) {
  const Config& config = running();
  obs::LogLine line;
  line.level = level;
  line.tag = frontend.log_tag.empty() ? std::string_view(config.log_tag) : frontend.log_tag;
  line.host = config.log_send_hostname;
  return line;
}

// Structured data only shows in RFC 5424 lines; what a ring makes of its lines is the ring's.
bool may_show_structure(const obs::LogTarget& target) {
  return target.format == obs::LogFormatKind::rfc5424 ||
         target.kind != obs::LogTarget::Kind::datagram;
}

}  // namespace

void write_access_line(const Proxy& frontend, const AccessLine& wanted, expr::Context& context,
                       std::string& text) {
  context.log_origin = txn::printed(wanted.origin);
  frontend.state->logged.fetch_add(1, std::memory_order_relaxed);
  const expr::LogFormat* formatted = nullptr;  // what `text` was made of
  std::string structured;
  for (std::size_t i = 0; i < frontend.log_targets.size(); ++i) {
    const obs::LogTarget& target = *frontend.log_targets[i];
    const expr::LogProfile* profile = wanted.profile != nullptr ? wanted.profile
                                      : frontend.log_profiles.empty()
                                          ? nullptr
                                          : frontend.log_profiles[i].get();
    const expr::LogProfile::Step* step = profile != nullptr ? profile->at(wanted.origin) : nullptr;
    if (step != nullptr && step->drop) continue;
    const expr::LogFormat* format =
        step != nullptr && step->format != nullptr ? step->format.get() : wanted.format;
    if (format == nullptr) continue;
    if (format != formatted) {
      text.clear();
      format->format(context, text, true);
      formatted = format;
    }
    obs::LogLine line = line_of(frontend, wanted.level);
    if (profile != nullptr && !profile->tag.empty()) line.tag = profile->tag;
    const expr::LogFormat* sd = step != nullptr && step->structured != nullptr
                                    ? step->structured.get()
                                    : frontend.log_format_sd.get();
    if (sd != nullptr && may_show_structure(target)) {
      structured.clear();
      sd->format(context, structured, true);
      line.structured = structured;
    }
    line.text = text;
    obs::send(target, line);
  }
}

// One of the steps that "log-steps" chooses among, or the one at which a line has all it needs.
void Run::log_this_step(txn::LogOrigin origin) {
  const LogPlan& plan = frontend_->log_plan;
  txn::Exchange& e = x();
  // Where one line has all it needs of a connection once a server is reached, what has become a
  // request still lacks its response.
  if (origin == txn::LogOrigin::connect && e.is_http && plan.once) return;
  if (plan.once) logged_ = true;
  if (plan.announces) return announce();
  if (successful(e) && frontend_->options.has(Option::dontlog_normal) && e.retries == 0) return;
  log_line(origin, nullptr);
}

// The end of the exchange, or of the attempt to receive one.
void Run::log_end() {
  txn::Exchange& e = x();
  if (e.is_http && !e.request_valid) {
    if (!std::exchange(logged_, true)) log_line(txn::LogOrigin::session_error, nullptr);
    return;
  }
  if (frontend_->options.has(Option::dontlognull) && !e.is_http && e.bytes_in == 0 &&
      e.bytes_out == 0 && e.server == nullptr)
    return;
  log_step(txn::LogOrigin::close);
}

// Without a format (manual, section 8.2.1).
void Run::announce() {
  const txn::Exchange& e = x();
  log_text_ =
      fmt::format("Connect from {} to {} ({}/{})", e.session.source.text(),
                  e.session.destination.text(), e.frontend->name, e.is_http ? "HTTP" : "TCP");
  obs::LogLine line = line_of(*frontend_, obs::Level::info);
  line.text = log_text_;
  obs::send(frontend_->log_targets, line);
}

void Run::log_line(txn::LogOrigin origin, const expr::LogProfile* profile) {
  txn::Exchange& e = x();
  if (e.dont_log || frontend_->log_targets.empty()) return;
  const bool failed_early = origin == txn::LogOrigin::session_error;
  AccessLine line;
  line.origin = origin;
  line.profile = profile;
  line.format = failed_early && frontend_->error_log_format != nullptr
                    ? frontend_->error_log_format.get()
                    : frontend_->log_format.get();
  const txn::SessionExtras* extras = session_->facts.extras.get();
  const int level = e.log_level >= 0 ? e.log_level : extras != nullptr ? extras->log_level : -1;
  if (level == kSilent) return;
  if (level >= 0)
    line.level = static_cast<obs::Level>(level);
  else if (!successful(e) && frontend_->options.has(Option::log_separate_errors))
    line.level = obs::Level::err;
  const txn::Point point = std::exchange(e.point, txn::Point::log);
  expr::Context ctx = context(*frontend_, txn::Direction::response);
  write_access_line(*frontend_, line, ctx, log_text_);
  e.point = point;
}

void Run::log_now(txn::LogOrigin origin, const expr::LogProfile* profile) {
  log_line(origin, profile);
}

// "do-log" before there is an exchange.
void Session::log_now(txn::LogOrigin origin, const expr::LogProfile* profile) {
  if (frontend.log_targets.empty()) return;
  AccessLine line;
  line.origin = origin;
  line.profile = profile;
  line.format = frontend.log_format.get();
  if (facts.extras != nullptr && facts.extras->log_level >= 0) {
    if (facts.extras->log_level == kSilent) return;
    line.level = static_cast<obs::Level>(facts.extras->log_level);
  }
  base::Arena arena;
  std::string text;
  expr::Context context{
      .registry = *running().registry, .arena = arena, .session = &facts, .proxy = frontend.state};
  write_access_line(frontend, line, context, text);
}

namespace {

// "127.0.0.1:4711 [03/Dec/2012:17:35:10.380] fe/1: what failed" (manual, section 8.2.5).
std::string failure_text(const Session& session, const txn::Session& facts) {
  const std::time_t second = static_cast<std::time_t>(facts.accepted_wall_us / 1000000);
  std::tm parts{};
  localtime_r(&second, &parts);
  char date[40];
  const std::size_t size = std::strftime(date, sizeof date, "%d/%b/%Y:%H:%M:%S", &parts);
  const std::string door = session.bind.name.empty() && facts.listener != nullptr
                               ? std::to_string(facts.listener->id)
                               : session.bind.name;
  return fmt::format("{} [{}.{:03}] {}/{}: {}", facts.source.text(), std::string_view(date, size),
                     facts.accepted_wall_us / 1000 % 1000, session.frontend.name, door,
                     txn::text_of(session.client_error()));
}

}  // namespace

// The connection ends before there was anything to serve.
void Session::log_failure() {
  if (frontend.log_targets.empty()) return;
  if (received.empty() && frontend.options.has(Option::dontlognull)) return;
  const obs::Level level =
      frontend.options.has(Option::log_separate_errors) ? obs::Level::err : obs::Level::info;
  if (frontend.error_log_format == nullptr) {
    const std::string text = failure_text(*this, facts);
    obs::LogLine line = line_of(frontend, level);
    line.text = text;
    return obs::send(frontend.log_targets, line);
  }
  txn::Exchange failed(facts);
  failed.frontend = frontend.state;
  failed.end = {txn::Cause::proxy, txn::Phase::request};
  AccessLine line;
  line.origin = txn::LogOrigin::session_error;
  line.format = frontend.error_log_format.get();
  line.level = level;
  std::string text;
  expr::Context context{.registry = *running().registry,
                        .arena = failed.arena,
                        .session = &facts,
                        .exchange = &failed,
                        .session_engine = this,
                        .proxy = frontend.state};
  write_access_line(frontend, line, context, text);
}

std::string_view Run::make_unique_id() {
  txn::Exchange& e = x();
  if (e.unique_id.empty() && frontend_->unique_id_format != nullptr) {
    expr::Context ctx = context(*frontend_, txn::Direction::request);
    e.unique_id = e.arena.copy(frontend_->unique_id_format->text(ctx));
  }
  return e.unique_id;
}

}  // namespace proxy
