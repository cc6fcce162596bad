// Finds all of many texts in one pass over a subject (Aho and Corasick, 1975). Built once from all
// texts; a text that goes is left to whoever asks. Immutable after build(), any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace expr::match {

class Automaton {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  explicit Automaton(bool fold) : fold_(fold) {}

  void add(std::string_view text, std::uint32_t number);
  void build();

  // Calls visit(number) for each text that the subject contains, in no order and maybe repeatedly.
  template <class Visit>
  void each(std::string_view subject, Visit visit) const {
    if (states_.empty()) return;
    tell(0, visit);
    std::uint32_t at = 0;
    for (char c : subject) {
      at = next(at, folded(c));
      for (std::uint32_t found = states_[at].ends ? at : states_[at].link; found != kNone;
           found = states_[found].link)
        tell(found, visit);
    }
  }
  // The least number of all texts that the subject contains, or kNone.
  std::uint32_t least(std::string_view subject) const {
    if (states_.empty()) return kNone;
    std::uint32_t at = 0, best = states_[0].least;
    for (char c : subject) {
      at = next(at, folded(c));
      best = std::min(best, states_[at].least);
    }
    return best;
  }

 private:
  struct Text {
    std::string text;
    std::uint32_t number;
  };
  // The children of a state stand side by side, in the order of their labels.
  struct State {
    std::uint32_t children = 0;
    std::uint32_t fail = 0;      // the longest proper suffix that is a state
    std::uint32_t link = kNone;  // the next suffix at which a text ends, the empty one left out
    std::uint32_t least = kNone;
    std::uint32_t numbers = 0;  // of the texts that end here
    std::uint32_t ends = 0;     // how many
    std::uint16_t count = 0;    // of children
  };
  struct Range {
    std::uint32_t from, to, depth;
  };

  unsigned char folded(char c) const {
    return static_cast<unsigned char>(fold_ ? base::lower(c) : c);
  }
  template <class Visit>
  void tell(std::uint32_t at, Visit& visit) const {
    const State& state = states_[at];
    for (std::uint32_t i = 0; i < state.ends; ++i) visit(numbers_[state.numbers + i]);
  }
  std::uint32_t child(std::uint32_t at, unsigned char label) const;
  std::uint32_t next(std::uint32_t at, unsigned char label) const {
    for (; at != 0; at = states_[at].fail)
      if (std::uint32_t to = child(at, label); to != kNone) return to;
    return root_[label];
  }
  void expand(std::uint32_t at, const Range& range, std::vector<Range>& ranges);
  void connect(std::uint32_t at);

  bool fold_;
  std::vector<Text> texts_;  // until build()
  std::vector<State> states_;
  std::vector<unsigned char> labels_;
  std::vector<std::uint32_t> numbers_;
  std::array<std::uint32_t, 256> root_{};
};

}  // namespace expr::match
