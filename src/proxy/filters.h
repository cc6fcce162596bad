// The filters of one exchange and the bytes that are on their way through them: in each direction a
// lane of bytes that have come and not left, and for each filter how far it has passed them on.
// Exists only where a proxy has "filter" lines; belongs to its Run.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config.h"
#include "rules/filter.h"

namespace proxy {

class BodyChannel;
class Filters;
class Run;

class Lane {
 public:
  std::size_t room(std::size_t capacity) const {
    return bytes_.size() < capacity ? capacity - bytes_.size() : 0;
  }
  void add(std::string_view bytes) { bytes_.append(bytes); }
  void end() { over_ = true; }
  bool over() const { return over_; }
  bool engaged = false;     // bytes go through here
  std::size_t started = 0;  // how many filters have begun
  std::size_t asked = 0;    // that have answered headers() or end()
  bool ends_asked = false;  // `asked` counts end()
  std::uint64_t sent = 0;
  bool cut = false;      // a filter ended the message before its source did
  bool unended = false;  // a filter took the message's end away

 private:
  friend class Filters;
  friend class FilterView;
  std::string bytes_;
  bool over_ = false;  // nothing comes behind bytes_
};

// Where one filter stands in one lane. Before bytes go through it, it shows what has come of them.
class FilterView final : public rules::FilterChannel {
 public:
  FilterView(Filters& filters, txn::Direction direction)
      : filters_(filters), direction_(direction) {}
  std::string_view data() override;
  bool complete() const override;
  bool full() const override;
  rt::Wait wait_more(rt::Instant) override { return rt::Wait::timed_out; }
  bool replace(std::size_t offset, std::size_t length, std::string_view with) override;
  bool forward(std::size_t n) override;
  std::size_t output() const override;
  void close() override;
  bool ends() const override;
  void set_end(bool ends) override;

 private:
  friend class Filters;
  std::size_t limit() const;
  Lane& lane() const;
  BodyChannel& body() const;
  Filters& filters_;
  txn::Direction direction_;
  std::size_t from_ = 0;  // what is before has been passed on
  std::size_t seen_ = 0;  // what is before was shown
  bool seen_end_ = false;
};

class Filters {
 public:
  explicit Filters(Run& run) : run_(run) {}
  ~Filters();  // those of the backend first
  Filters(const Filters&) = delete;
  Filters& operator=(const Filters&) = delete;

  // Those of a proxy that the exchange comes to; false when one failed.
  bool attach(const Proxy& of);
  void backend_chosen();

  // The callbacks, filter after filter, from the one that said "wait" last.
  rules::Filtered start(txn::Direction direction);
  rules::Filtered headers(txn::Direction direction);
  // Shows the filters what is new to them; after the last byte asks for the end, where `http`.
  rules::Filtered pump(txn::Direction direction);
  void finish(txn::Direction direction);

  // From here on, whether the direction's bytes go through its lane.
  bool engage(txn::Direction direction);
  bool wants_payload(txn::Direction direction) const;
  Lane& lane(txn::Direction d) { return lanes_[d == txn::Direction::request ? 0 : 1]; }
  // For a tunnel behind the messages: nothing in sight, all bytes go through it.
  void renew(txn::Direction direction);
  const Lane& lane(txn::Direction d) const { return lanes_[d == txn::Direction::request ? 0 : 1]; }
  // What all filters have passed on, and that it has left.
  std::string_view passed(txn::Direction direction) const;
  void left(txn::Direction direction, std::size_t count);
  bool finished(txn::Direction direction) const;
  // When one wants to be called again. Those whose time has come had their call.
  rt::Instant next_wake();

 private:
  friend class FilterView;
  struct Attached {
    Attached(Filters& filters, const Proxy& p, const rules::Filter& f)
        : proxy(p),
          filter(f),
          request(filters, txn::Direction::request),
          response(filters, txn::Direction::response) {}
    const Proxy& proxy;
    const rules::Filter& filter;
    std::unique_ptr<rules::FilterRun> run;
    FilterView request, response;
    bool due[2] = {false, false};  // its time has come; the direction has not been shown since
    FilterView& view(txn::Direction d) { return d == txn::Direction::request ? request : response; }
  };
  using Order = std::vector<Attached*>;

  Order& order(txn::Direction d) { return orders_[d == txn::Direction::request ? 0 : 1]; }
  const Order& order(txn::Direction d) const {
    return orders_[d == txn::Direction::request ? 0 : 1];
  }
  template <class F>
  auto call(Attached& of, txn::Direction direction, F&& callback);
  template <class F>
  rules::Filtered call_rest(txn::Direction direction, std::size_t& done, F&& callback);
  bool show(Attached& to, txn::Direction direction);
  std::size_t limit(const FilterView& of) const;
  rules::Filtered ask_for_end(txn::Direction direction);

  Run& run_;
  std::vector<std::unique_ptr<Attached>> all_;
  Order orders_[2];
  Lane lanes_[2];
};

}  // namespace proxy
