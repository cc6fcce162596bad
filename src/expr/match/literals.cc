#include "expr/match/literals.h"

#include <algorithm>

#include "base/text.h"

namespace expr::match {
namespace {

constexpr std::size_t kShortest = 2;  // single characters are in too many texts

std::size_t shortest(const AnyOf& texts) {
  std::size_t size = ~std::size_t{0};
  for (const std::string& text : texts) size = std::min(size, text.size());
  return size;
}

const AnyOf* most_telling(const std::vector<AnyOf>& clauses) {
  const AnyOf* best = nullptr;
  for (const AnyOf& clause : clauses)
    if (best == nullptr || shortest(clause) > shortest(*best)) best = &clause;
  return best;
}

// Syntax of PCRE2 (pcre2pattern(3)), read from left to right.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::vector<AnyOf> read() {
    std::vector<AnyOf> clauses = alternatives(0);
    if (!rest_.empty()) known_ = false;
    return known_ ? clauses : std::vector<AnyOf>();
  }

 private:
  enum class Atom : std::uint8_t { literal, anything, nothing, group };
  struct Piece {
    Atom kind;
    char c = 0;
    std::vector<AnyOf> clauses;  // of a group
  };
  struct Count {
    bool optional = false, repeated = false;
  };

  bool is_end() const { return rest_.empty() || rest_.front() == '|' || rest_.front() == ')'; }
  char take() {
    if (rest_.empty()) {
      known_ = false;
      return 0;
    }
    char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  Piece give_up() {
    known_ = false;
    rest_ = {};
    return {Atom::anything, 0, {}};
  }

  std::vector<AnyOf> alternatives(int depth) {
    std::vector<std::vector<AnyOf>> branches{sequence(depth)};
    while (rest_.starts_with('|')) {
      rest_.remove_prefix(1);
      branches.push_back(sequence(depth));
    }
    if (branches.size() == 1) return std::move(branches.front());
    AnyOf together;
    for (const auto& branch : branches) {
      const AnyOf* clause = most_telling(branch);
      if (clause == nullptr) return {};
      together.insert(together.end(), clause->begin(), clause->end());
    }
    return {together};
  }

  std::vector<AnyOf> sequence(int depth) {
    std::vector<AnyOf> clauses;
    std::string run;
    auto end_run = [&] {
      if (run.size() >= kShortest) clauses.push_back({run});
      run.clear();
    };
    while (known_ && !is_end()) {
      Piece piece = atom(depth);
      Count count = quantifier();
      if (piece.kind == Atom::nothing && !count.repeated) continue;
      if (piece.kind == Atom::literal && !count.optional) run += base::lower(piece.c);
      if (piece.kind == Atom::literal && !count.repeated) continue;
      end_run();
      if (count.optional) continue;
      clauses.insert(clauses.end(), piece.clauses.begin(), piece.clauses.end());
    }
    end_run();
    return clauses;
  }

  Piece atom(int depth) {
    char c = take();
    switch (c) {
      case '^':
      case '$':
        return {Atom::nothing, 0, {}};
      case '.':
        return {Atom::anything, 0, {}};
      case '\\':
        return escape();
      case '[':
        return character_class();
      case '(':
        return depth < 50 ? group(depth + 1) : give_up();
      case '*':
      case '+':
      case '?':
      case '{':
        return give_up();
      default:
        return {Atom::literal, c, {}};
    }
  }

  Piece escape() {
    constexpr std::string_view kClasses = "dDwWsShHvVRNX", kPlaces = "bBAzZGK";
    char c = take();
    if (!base::is_alpha(c) && !base::is_digit(c)) return {Atom::literal, c, {}};
    if (kClasses.find(c) != kClasses.npos && !rest_.starts_with('{'))
      return {Atom::anything, 0, {}};
    if (kPlaces.find(c) != kPlaces.npos) return {Atom::nothing, 0, {}};
    if (base::is_digit(c)) {  // a group, or octal
      while (!rest_.empty() && base::is_digit(rest_.front())) take();
      return {Atom::anything, 0, {}};
    }
    if (c == 't') return {Atom::literal, '\t', {}};
    if (c == 'n') return {Atom::literal, '\n', {}};
    if (c == 'r') return {Atom::literal, '\r', {}};
    return give_up();
  }

  Piece character_class() {
    if (rest_.starts_with('^')) take();
    if (rest_.starts_with(']')) take();
    while (known_ && !rest_.starts_with(']')) {
      char c = take();
      if (c == '\\') {
        if (rest_.starts_with('Q')) return give_up();
        take();
      } else if (c == '[' && rest_.starts_with(':')) {  // "[:alpha:]", or a plain bracket
        std::size_t end = rest_.find_first_not_of("abcdefghijklmnopqrstuvwxyz^", 1);
        if (end != rest_.npos && rest_.substr(end).starts_with(":]")) rest_.remove_prefix(end + 2);
      } else if (c == '[' && (rest_.starts_with('.') || rest_.starts_with('='))) {
        return give_up();
      }
    }
    take();
    return {Atom::anything, 0, {}};
  }

  // Behind "(". Looking around gives nothing to require.
  Piece group(int depth) {
    bool asserts = false;
    if (rest_.starts_with('*')) return give_up();
    if (rest_.starts_with('?')) {
      rest_.remove_prefix(1);
      if (rest_.starts_with(':') || rest_.starts_with('>')) {
        take();
      } else if (rest_.starts_with('=') || rest_.starts_with('!')) {
        asserts = true;
        take();
      } else if (rest_.starts_with("<=") || rest_.starts_with("<!")) {
        asserts = true;
        rest_.remove_prefix(2);
      } else if (rest_.starts_with('<') || rest_.starts_with("P<")) {
        std::size_t end = rest_.find('>');
        if (end == rest_.npos) return give_up();
        rest_.remove_prefix(end + 1);
      } else {
        while (!rest_.empty() &&
               std::string_view("imsn-").find(rest_.front()) != std::string_view::npos)
          take();
        char end = take();
        if (end == ')') return {Atom::nothing, 0, {}};
        if (end != ':') return give_up();
      }
    }
    Piece piece{Atom::group, 0, alternatives(depth)};
    if (take() != ')') return give_up();
    if (asserts) return {Atom::anything, 0, {}};
    return piece;
  }

  Count quantifier() {
    Count count;
    if (rest_.empty()) return count;
    char c = rest_.front();
    if (c == '{') {
      std::size_t end = rest_.find('}');
      std::string_view inside = end == rest_.npos ? std::string_view() : rest_.substr(1, end - 1);
      auto least = base::parse_int<unsigned>(inside.substr(0, inside.find(',')));
      if (!least) {
        give_up();
        return count;
      }
      count = {*least == 0, true};
      rest_.remove_prefix(end + 1);
    } else if (c == '*' || c == '?' || c == '+') {
      count = {c != '+', true};
      take();
    } else {
      return count;
    }
    if (rest_.starts_with('?') || rest_.starts_with('+')) take();
    return count;
  }

  std::string_view rest_;
  bool known_ = true;
};

}  // namespace

std::vector<AnyOf> required_literals(std::string_view expression) {
  return Reader(expression).read();
}

}  // namespace expr::match
