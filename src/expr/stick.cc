#include "expr/stick.h"

#include "expr/expression.h"

namespace expr {
namespace {

using A = StickAct;
using D = state::StickData;

constexpr StickMeasure kMeasures[] = {
    {"bytes_in_rate", "bytes_in_rate", "rate of bytes from clients", A::read, false,
     D::bytes_in_rate},
    {"bytes_out_rate", "bytes_out_rate", "rate of bytes to clients", A::read, false,
     D::bytes_out_rate},
    {"clr_gpc", "clr_gpc", "general purpose counter of an array, cleared,", A::clear, true, D::gpc},
    {"clr_gpc0", "clr_gpc0", "first general purpose counter, cleared,", A::clear, false, D::gpc0},
    {"clr_gpc1", "clr_gpc1", "second general purpose counter, cleared,", A::clear, false, D::gpc1},
    {"conn_cnt", "conn_cnt", "number of connections", A::read, false, D::conn_cnt},
    {"conn_cur", "conn_cur", "number of present connections", A::read, false, D::conn_cur},
    {"conn_rate", "conn_rate", "rate of connections", A::read, false, D::conn_rate},
    {"get_gpc", "gpc", "general purpose counter of an array", A::read, true, D::gpc},
    {"get_gpc0", "gpc0", "first general purpose counter", A::read, false, D::gpc0},
    {"get_gpc1", "gpc1", "second general purpose counter", A::read, false, D::gpc1},
    {"get_gpt", "gpt", "general purpose tag of an array", A::read, true, D::gpt},
    {"get_gpt0", "gpt0", "first general purpose tag", A::read, false, D::gpt0},
    {"glitch_cnt", "glitch_cnt", "number of protocol glitches", A::read, false, D::glitch_cnt},
    {"glitch_rate", "glitch_rate", "rate of protocol glitches", A::read, false, D::glitch_rate},
    {"gpc0_rate", "gpc0_rate", "rate of the first general purpose counter", A::read, false,
     D::gpc0_rate},
    {"gpc1_rate", "gpc1_rate", "rate of the second general purpose counter", A::read, false,
     D::gpc1_rate},
    {"gpc_rate", "gpc_rate", "rate of a general purpose counter of an array", A::read, true,
     D::gpc_rate},
    {"http_err_cnt", "http_err_cnt", "number of request errors", A::read, false, D::http_err_cnt},
    {"http_err_rate", "http_err_rate", "rate of request errors", A::read, false, D::http_err_rate},
    {"http_fail_cnt", "http_fail_cnt", "number of response failures", A::read, false,
     D::http_fail_cnt},
    {"http_fail_rate", "http_fail_rate", "rate of response failures", A::read, false,
     D::http_fail_rate},
    {"http_req_cnt", "http_req_cnt", "number of requests", A::read, false, D::http_req_cnt},
    {"http_req_rate", "http_req_rate", "rate of requests", A::read, false, D::http_req_rate},
    {"inc_gpc", "inc_gpc", "general purpose counter of an array, increased,", A::increase, true,
     D::gpc, D::gpc_rate},
    {"inc_gpc0", "inc_gpc0", "first general purpose counter, increased,", A::increase, false,
     D::gpc0, D::gpc0_rate},
    {"inc_gpc1", "inc_gpc1", "second general purpose counter, increased,", A::increase, false,
     D::gpc1, D::gpc1_rate},
    {"kbytes_in", "kbytes_in", "kilobytes from clients", A::read_kilobytes, false, D::bytes_in_cnt},
    {"kbytes_out", "kbytes_out", "kilobytes to clients", A::read_kilobytes, false,
     D::bytes_out_cnt},
    {"sess_cnt", "sess_cnt", "number of sessions", A::read, false, D::sess_cnt},
    {"sess_rate", "sess_rate", "rate of sessions", A::read, false, D::sess_rate},
};

bool give(Value& out, std::uint64_t number) {
  out = Value::of(static_cast<std::int64_t>(number));
  return true;
}

}  // namespace

std::span<const StickMeasure> stick_measures() { return kMeasures; }

bool stick_key(Context& context, Value sample, const state::StickTable& table,
               std::string_view& key) {
  if (!cast(sample, table.settings().key, context.arena)) return false;
  key = table.key_of(sample, context.arena);
  return true;
}

bool measure(const state::StickRow& row, const StickMeasure& what, unsigned index, Value& out) {
  const std::int64_t now = state::stick_clock_ms();
  std::optional<std::uint64_t> number;
  switch (what.act) {
    case StickAct::read:
    case StickAct::read_kilobytes:
      number = row.get(what.data, index, now);
      if (number && what.act == StickAct::read_kilobytes) *number >>= 10;
      break;
    case StickAct::increase:
      number = row.increase(what.data, what.rate, index, 1, now).value_or(0);
      break;
    case StickAct::clear:
      number = row.clear(what.data, index);
      break;
  }
  return number && give(out, *number);
}

bool measure(state::StickTable& table, std::string_view key, const StickMeasure& what,
             unsigned index, Value& out) {
  const std::int64_t now = state::stick_clock_ms();
  if (what.act == StickAct::increase || what.act == StickAct::clear) {
    const state::StickRef entry = table.open(key, now);
    return entry && measure(entry, what, index, out);
  }
  bool stored = true;
  const bool found = table.look(
      key, now, [&](const state::StickRow& row) { stored = measure(row, what, index, out); });
  return found ? stored : give(out, 0);
}

}  // namespace expr
