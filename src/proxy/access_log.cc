// The line that tells of an exchange (manual, section 8).
#include <fmt/format.h>

#include "expr/log_format.h"
#include "obs/log.h"
#include "proxy/run.h"
#include "proxy/session.h"

namespace proxy {

namespace {

constexpr int kSilent = 8;

bool successful(const txn::Exchange& e) {
  if (e.end) return false;
  return !e.is_http || e.response.status < 500;
}

// Without a format (manual, section 8.2.1).
std::string connect_line(const txn::Exchange& e) {
  return fmt::format("Connect from {} to {} ({}/{})", e.session.source.text(),
                     e.session.destination.text(), e.frontend->name, e.is_http ? "HTTP" : "TCP");
}

}  // namespace

void Run::log() {
  txn::Exchange& e = x();
  logged_ = true;
  if (e.dont_log || frontend_->log_targets.empty()) return;
  const bool good = successful(e);
  if (good && frontend_->options.has(Option::dontlog_normal) && e.retries == 0) return;
  if (frontend_->options.has(Option::dontlognull) && !e.is_http && e.bytes_in == 0 &&
      e.bytes_out == 0 && e.server == nullptr)
    return;
  log_line("txn_close");
}

void Run::log_line(std::string_view origin) {
  txn::Exchange& e = x();
  const bool good = successful(e);
  const expr::LogFormat* format = frontend_->log_format.get();
  if (!good && frontend_->error_log_format != nullptr && !e.request_valid)
    format = frontend_->error_log_format.get();
  if (format == nullptr && e.is_http && !e.request_valid) return;
  const int level = e.log_level >= 0 ? e.log_level
                    : session_->facts.extras != nullptr && session_->facts.extras->log_level >= 0
                        ? session_->facts.extras->log_level
                        : -1;
  if (level == kSilent) return;
  const txn::Point point = e.point;
  e.point = txn::Point::log;
  expr::Context ctx = context(*frontend_, txn::Direction::response);
  ctx.log_origin = origin;
  log_text_.clear();
  if (format != nullptr)
    format->format(ctx, log_text_, true);
  else
    log_text_ = connect_line(e);
  std::string structured;
  if (frontend_->log_format_sd != nullptr) frontend_->log_format_sd->format(ctx, structured, true);
  e.point = point;
  const bool raise = !good && frontend_->options.has(Option::log_separate_errors);
  obs::LogLine line;
  line.level = level >= 0 ? static_cast<obs::Level>(level)
               : raise    ? obs::Level::err
                          : obs::Level::info;
  line.tag = frontend_->log_tag.empty() ? std::string_view(config_->log_tag) : frontend_->log_tag;
  line.text = log_text_;
  line.structured = structured;
  line.host = config_->log_send_hostname;
  frontend_->state->logged.fetch_add(1, std::memory_order_relaxed);
  obs::send(frontend_->log_targets, line);
}

void Run::log_now(std::string_view origin, std::string_view) { log_line(origin); }

std::string_view Run::make_unique_id() {
  txn::Exchange& e = x();
  if (e.unique_id.empty() && frontend_->unique_id_format != nullptr) {
    expr::Context ctx = context(*frontend_, txn::Direction::request);
    e.unique_id = e.arena.copy(frontend_->unique_id_format->text(ctx));
  }
  return e.unique_id;
}

}  // namespace proxy
