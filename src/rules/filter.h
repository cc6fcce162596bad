// Filters ("filter" lines): they watch messages and streams pass, change them, hold them up. A
// Filter is made while the configuration is read and shared by all workers; it attaches a FilterRun
// to each stream, which belongs to the fiber that serves it and may wait in every callback.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "config/arguments.h"
#include "config/keyword.h"
#include "expr/context.h"
#include "rt/time.h"

namespace rules {

// What goes on after a callback. `wait`: called again when something happened or wake_at has come.
enum class Filtered : std::uint8_t { go_on, wait, error };

// One direction as one filter sees it: the bytes that came to it and that it has not passed on. For
// HTTP they are the body.
class FilterChannel : public txn::Channel {
 public:
  // Whether the message ends behind data().
  virtual bool ends() const = 0;
  virtual void set_end(bool ends) = 0;

 protected:
  ~FilterChannel() = default;
};

struct FilterCall {
  expr::Context& context;  // its direction is the callback's
  FilterChannel& request;
  FilterChannel& response;
  FilterChannel& channel() const {
    return context.direction == txn::Direction::request ? request : response;
  }
};

class FilterRun {
 public:
  virtual ~FilterRun() = default;
  // The stream goes to exchange.backend, whose filters have been attached.
  virtual void backend_chosen(FilterCall&) {}
  // Before any rule looks at the direction.
  virtual Filtered start(FilterCall&) { return Filtered::go_on; }
  // HTTP: after all rules, before the body.
  virtual Filtered headers(FilterCall&) { return Filtered::go_on; }
  // New bytes or the end have come: how many of those in sight go on. Nothing: it failed.
  virtual std::optional<std::size_t> payload(FilterCall&) { return SIZE_MAX; }
  // HTTP: the filter has passed the whole message on.
  virtual Filtered end(FilterCall&) { return Filtered::go_on; }
  // The direction is over, however it ended.
  virtual void finish(FilterCall&) {}

  bool takes_payload(txn::Direction direction) const { return takes_[index(direction)]; }
  void take_payload(txn::Direction direction, bool on) { takes_[index(direction)] = on; }
  rt::Instant wake_at = rt::kNever;  // it is called at the latest then, once

 private:
  static std::size_t index(txn::Direction d) { return d == txn::Direction::request ? 0 : 1; }
  bool takes_[2] = {false, false};  // else bytes pass it by
};

class Filter {
 public:
  virtual ~Filter() = default;
  // Leaves `run` empty where it does not want this stream; false when it failed.
  virtual bool attach(expr::Context& context, std::unique_ptr<FilterRun>& run) = 0;
  // The configuration of its proxy is complete.
  virtual void ready(std::string_view) {}
  std::string name;  // as "filter-sequence" calls it
};

// `parse` takes the words after the filter's name, reports its errors and returns null then.
struct FilterRow : config::Keyword {
  std::shared_ptr<Filter> (*parse)(config::Arguments& args, const FilterRow& row) = nullptr;
  void* data = nullptr;
};

}  // namespace rules
