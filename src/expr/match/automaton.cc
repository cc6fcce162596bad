#include "expr/match/automaton.h"

#include <algorithm>

namespace expr::match {

void Automaton::add(std::string_view text, std::uint32_t number) {
  Text& added = texts_.emplace_back(Text{std::string(text), number});
  for (char& c : added.text) c = static_cast<char>(folded(c));
}

std::uint32_t Automaton::child(std::uint32_t at, unsigned char label) const {
  const State& state = states_[at];
  const unsigned char* labels = labels_.data() + state.children;
  if (state.count <= 8) {
    for (std::uint32_t i = 0; i < state.count; ++i)
      if (labels[i] == label) return state.children + i;
    return kNone;
  }
  const unsigned char* found = std::lower_bound(labels, labels + state.count, label);
  if (found == labels + state.count || *found != label) return kNone;
  return state.children + static_cast<std::uint32_t>(found - labels);
}

// Gives a state, which stands for the sorted texts of `range`, its texts and children.
void Automaton::expand(std::uint32_t at, const Range& range, std::vector<Range>& ranges) {
  std::uint32_t i = range.from;
  states_[at].numbers = static_cast<std::uint32_t>(numbers_.size());
  for (; i < range.to && texts_[i].text.size() == range.depth; ++i)
    numbers_.push_back(texts_[i].number);
  states_[at].ends = i - range.from;
  states_[at].children = static_cast<std::uint32_t>(states_.size());
  while (i < range.to) {
    const char label = texts_[i].text[range.depth];
    std::uint32_t end = i + 1;
    while (end < range.to && texts_[end].text[range.depth] == label) ++end;
    states_.emplace_back();
    labels_.push_back(static_cast<unsigned char>(label));
    ranges.push_back({i, end, range.depth + 1});
    ++states_[at].count;
    i = end;
  }
}

// Leads the children of a state to their suffixes, which are shorter and hence ready.
void Automaton::connect(std::uint32_t at) {
  const State& parent = states_[at];
  for (std::uint32_t to = parent.children; to < parent.children + parent.count; ++to) {
    State& state = states_[to];
    if (at != 0) state.fail = next(parent.fail, labels_[to]);
    const State& suffix = states_[state.fail];
    if (state.fail != 0) state.link = suffix.ends != 0 ? state.fail : suffix.link;
    state.least = suffix.least;
    for (std::uint32_t i = 0; i < state.ends; ++i)
      state.least = std::min(state.least, numbers_[state.numbers + i]);
  }
}

void Automaton::build() {
  std::sort(texts_.begin(), texts_.end(), [](const Text& a, const Text& b) {
    return a.text != b.text ? a.text < b.text : a.number < b.number;
  });
  std::vector<Range> ranges{{0, static_cast<std::uint32_t>(texts_.size()), 0}};
  states_.assign(1, {});
  labels_.assign(1, 0);
  for (std::uint32_t at = 0; at < states_.size(); ++at) {
    const Range range = ranges[at];
    expand(at, range, ranges);
  }
  for (std::uint32_t i = 0; i < states_[0].ends; ++i)
    states_[0].least = std::min(states_[0].least, numbers_[i]);
  for (std::uint32_t i = 0; i < states_[0].count; ++i)
    root_[labels_[states_[0].children + i]] = states_[0].children + i;
  for (std::uint32_t at = 0; at < states_.size(); ++at) connect(at);
  texts_ = {};
}

}  // namespace expr::match
