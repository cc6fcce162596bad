#include "proxy/filters.h"

#include <algorithm>
#include <utility>

#include "proxy/run.h"

namespace proxy {

Lane& FilterView::lane() const { return filters_.lane(direction_); }
BodyChannel& FilterView::body() const {
  return direction_ == txn::Direction::request ? filters_.run_.request_body_
                                               : filters_.run_.response_body_;
}
std::size_t FilterView::limit() const { return filters_.limit(*this); }

std::string_view FilterView::data() {
  if (!lane().engaged) return body().data();
  const std::size_t end = limit();
  return std::string_view(lane().bytes_).substr(std::min(from_, end), end - std::min(from_, end));
}

bool FilterView::complete() const { return lane().engaged ? lane().over_ : body().complete(); }

bool FilterView::full() const { return lane().room(filters_.run_.config_->buffer_size) == 0; }

bool FilterView::replace(std::size_t offset, std::size_t length, std::string_view with) {
  Lane& l = lane();
  const std::size_t at = from_ + offset;
  if (!l.engaged || at + length > limit()) return false;
  if (with.size() > length && with.size() - length > l.room(filters_.run_.config_->buffer_size))
    return false;
  l.bytes_.replace(at, length, with);
  // Those before this one have passed these bytes on: they stand behind them.
  for (Filters::Attached* other : filters_.order(direction_)) {
    FilterView& view = other->view(direction_);
    if (&view == this) break;
    view.from_ += with.size() - length;
    view.seen_ += with.size() - length;
  }
  return true;
}

bool FilterView::forward(std::size_t n) {
  if (lane().engaged) from_ = std::min(from_ + n, limit());
  return lane().engaged;
}

std::size_t FilterView::output() const {
  const wire::Output& out =
      direction_ == txn::Direction::request ? filters_.run_.server_out_ : filters_.run_.client_out_;
  return from_ + out.kept();
}

void FilterView::close() { set_end(true); }

bool FilterView::ends() const {
  if (!lane().engaged) return body().complete();
  return lane().over_ && !lane().unended && limit() == lane().bytes_.size();
}

void FilterView::set_end(bool ends) {
  lane().unended = !ends;
  if (!ends || lane().over_) return;
  lane().cut = true;
  lane().over_ = true;
}

// What the filter before has passed on; bytes pass those by that do not take them.
std::size_t Filters::limit(const FilterView& of) const {
  std::size_t end = lane(of.direction_).bytes_.size();
  for (Attached* other : order(of.direction_)) {
    if (&other->view(of.direction_) == &of) break;
    if (other->run->takes_payload(of.direction_)) end = other->view(of.direction_).from_;
  }
  return end;
}

template <class F>
auto Filters::call(Attached& of, txn::Direction direction, F&& callback) {
  expr::Context context = run_.context(of.proxy, direction);
  rules::FilterCall call{context, of.request, of.response};
  return callback(*of.run, call);
}

template <class F>
rules::Filtered Filters::call_rest(txn::Direction direction, std::size_t& done, F&& callback) {
  for (; done < order(direction).size(); ++done) {
    const rules::Filtered result = call(*order(direction)[done], direction, callback);
    if (result != rules::Filtered::go_on) return result;
  }
  return rules::Filtered::go_on;
}

bool Filters::attach(const Proxy& of) {
  const std::size_t first = all_.size();
  for (const auto& filter : of.filters.all) {
    auto attached = std::make_unique<Attached>(*this, of, *filter);
    expr::Context context = run_.context(of, txn::Direction::request);
    if (!filter->attach(context, attached->run)) return false;
    if (attached->run != nullptr) all_.push_back(std::move(attached));
  }
  const auto add = [&](const std::vector<rules::Filter*>& wanted, Order& to) {
    for (const rules::Filter* filter : wanted)
      for (std::size_t i = first; i < all_.size(); ++i)
        if (&all_[i]->filter == filter) to.push_back(all_[i].get());
  };
  add(of.filters.request, orders_[0]);
  add(of.filters.response, orders_[1]);
  return true;
}

Filters::~Filters() {
  for (auto& of : all_)
    if (&of->proxy != run_.frontend_) of.reset();
}

void Filters::backend_chosen() {
  for (const auto& of : all_)
    call(*of, txn::Direction::request, [](rules::FilterRun& run, rules::FilterCall& c) {
      run.backend_chosen(c);
      return 0;
    });
}

rules::Filtered Filters::start(txn::Direction direction) {
  const rules::Filtered result =
      call_rest(direction, lane(direction).started,
                [](rules::FilterRun& run, rules::FilterCall& c) { return run.start(c); });
  // One that failed hears of the end as well.
  if (result == rules::Filtered::error) ++lane(direction).started;
  return result;
}

rules::Filtered Filters::headers(txn::Direction direction) {
  return call_rest(direction, lane(direction).asked,
                   [](rules::FilterRun& run, rules::FilterCall& c) { return run.headers(c); });
}

void Filters::finish(txn::Direction direction) {
  for (std::size_t i = 0; i < lane(direction).started; ++i)
    call(*order(direction)[i], direction, [](rules::FilterRun& run, rules::FilterCall& c) {
      run.finish(c);
      return 0;
    });
}

bool Filters::wants_payload(txn::Direction direction) const {
  return std::any_of(order(direction).begin(), order(direction).end(),
                     [&](const Attached* of) { return of->run->takes_payload(direction); });
}

bool Filters::engage(txn::Direction direction) {
  return lane(direction).engaged = lane(direction).engaged || wants_payload(direction);
}

// Shows one filter what is new to it, until it passes no more of it on. False when it failed.
bool Filters::show(Attached& to, txn::Direction direction) {
  FilterView& view = to.view(direction);
  Lane& l = lane(direction);
  while (true) {
    if (!to.run->takes_payload(direction)) {
      view.from_ = view.seen_ = view.limit();
      return true;
    }
    if (to.run->wake_at <= rt::now()) {
      to.run->wake_at = rt::kNever;
      to.due[0] = to.due[1] = true;
    }
    const bool due = std::exchange(to.due[direction == txn::Direction::request ? 0 : 1], false);
    if (view.seen_ == view.limit() && (view.seen_end_ || !l.over_) && !due) return true;
    const std::size_t before = view.from_;
    view.seen_end_ = l.over_;
    const std::optional<std::size_t> count = call(
        to, direction, [](rules::FilterRun& run, rules::FilterCall& c) { return run.payload(c); });
    if (!count) return false;
    view.from_ += std::min(*count, view.limit() - view.from_);
    // One that passes a part on is asked again for the rest.
    view.seen_ = view.limit();
    if (view.from_ != before && view.from_ != view.limit()) view.seen_ = view.from_;
  }
}

rules::Filtered Filters::pump(txn::Direction direction) {
  for (Attached* to : order(direction))
    if (!show(*to, direction)) return rules::Filtered::error;
  Lane& l = lane(direction);
  if (!l.over_ || l.unended || passed(direction).size() != l.bytes_.size())
    return rules::Filtered::go_on;
  return run_.x().is_http ? ask_for_end(direction) : rules::Filtered::go_on;
}

rules::Filtered Filters::ask_for_end(txn::Direction direction) {
  Lane& l = lane(direction);
  if (!std::exchange(l.ends_asked, true)) l.asked = 0;
  for (; l.asked < order(direction).size(); ++l.asked) {
    Attached& next = *order(direction)[l.asked];
    if (!next.run->takes_payload(direction)) continue;
    const rules::Filtered result = call(
        next, direction, [](rules::FilterRun& run, rules::FilterCall& c) { return run.end(c); });
    if (result != rules::Filtered::go_on) return result;
  }
  return rules::Filtered::go_on;
}

std::string_view Filters::passed(txn::Direction direction) const {
  const std::string& bytes = lane(direction).bytes_;
  std::size_t end = bytes.size();
  for (Attached* of : order(direction))
    if (of->run->takes_payload(direction)) end = of->view(direction).from_;
  return std::string_view(bytes).substr(0, end);
}

void Filters::left(txn::Direction direction, std::size_t count) {
  lane(direction).bytes_.erase(0, count);
  for (const auto& of : all_) {
    FilterView& view = of->view(direction);
    view.from_ -= std::min(count, view.from_);
    view.seen_ -= std::min(count, view.seen_);
  }
}

void Filters::renew(txn::Direction direction) {
  left(direction, lane(direction).bytes_.size());
  Lane fresh;
  fresh.engaged = true;
  fresh.started = lane(direction).started;
  fresh.asked = order(direction).size();
  fresh.ends_asked = true;
  lane(direction) = fresh;
  for (Attached* of : order(direction)) of->view(direction).seen_end_ = false;
}

bool Filters::finished(txn::Direction direction) const {
  const Lane& l = lane(direction);
  if (!l.over_ || l.unended || passed(direction).size() != l.bytes_.size()) return false;
  return !run_.x().is_http || (l.ends_asked && l.asked == order(direction).size());
}

rt::Instant Filters::next_wake() {
  rt::Instant earliest = rt::kNever;
  for (const auto& of : all_) {
    const auto awaits = [&](txn::Direction direction) {
      return of->run->takes_payload(direction) && lane(direction).engaged && !finished(direction);
    };
    // Its time may have come since it was asked last; one that sees no bytes had its call.
    if (of->run->wake_at <= rt::now())
      of->run->wake_at = awaits(txn::Direction::request) || awaits(txn::Direction::response)
                             ? rt::now() + rt::milliseconds(1)
                             : rt::kNever;
    earliest = std::min(earliest, of->run->wake_at);
  }
  return earliest;
}

}  // namespace proxy
