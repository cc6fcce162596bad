// add-headers-bin, set-headers-bin, del-headers-bin: many header fields in one binary text, as
// req.hdrs_bin gives them (manual section 4.4).
#include <fmt/format.h>

#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

// Lengths in the variable-length coding of SPOE (doc/SPOE.txt, section 3.1), then the bytes.
bool take_text(std::string_view& bytes, std::string_view& out) {
  if (bytes.empty()) return false;
  std::uint64_t size = static_cast<unsigned char>(bytes[0]);
  std::size_t at = 1;
  if (size >= 240) {
    unsigned shift = 4;
    for (unsigned char c = 128; c >= 128; shift += 7) {
      if (at == bytes.size() || shift > 56) return false;
      c = static_cast<unsigned char>(bytes[at++]);
      size += static_cast<std::uint64_t>(c) << shift;
    }
  }
  if (bytes.size() - at < size) return false;
  out = bytes.substr(at, size);
  bytes.remove_prefix(at + size);
  return true;
}

enum class What { add, set, remove };
enum class Match { exact, prefix, suffix, substring };

class BinaryHeaders : public Action {
 public:
  BinaryHeaders(What what, std::unique_ptr<expr::Expression> bytes, std::string prefix, Match match)
      : what_(what), bytes_(std::move(bytes)), prefix_(std::move(prefix)), match_(match) {}

  Verdict run(expr::Context& context) override {
    http::Headers* fields = headers(context);
    expr::Value value;
    if (fields == nullptr || !bytes_->evaluate(context, value) ||
        !expr::cast(value, expr::Type::binary, context.arena))
      return Verdict::next;
    std::string_view rest = value.text, name, text;
    while (take_text(rest, name)) {
      if (what_ == What::remove) {
        if (name.empty()) break;
        remove(*fields, name);
        continue;
      }
      if (!take_text(rest, text) || name.empty()) break;
      if (!base::istarts_with(name, prefix_)) continue;
      if (!take_room(context, name.size() + text.size() + 4)) return rewrite_failed(context);
      if (what_ == What::set) fields->remove(name);
      fields->add(context.exchange->arena.copy(name), context.exchange->arena.copy(text),
                  context.exchange->arena);
    }
    return Verdict::next;
  }

 private:
  void remove(http::Headers& fields, std::string_view wanted) const {
    std::string low = base::to_lower(wanted);
    for (std::size_t i = fields.size(); i-- > 0;) {
      std::string_view name = fields[i].name;
      bool gone = match_ == Match::exact    ? name == low
                  : match_ == Match::prefix ? name.starts_with(low)
                  : match_ == Match::suffix ? name.ends_with(low)
                                            : name.find(low) != std::string_view::npos;
      if (gone) fields.remove_at(i);
    }
  }

  What what_;
  std::unique_ptr<expr::Expression> bytes_;
  std::string prefix_;
  Match match_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  What what = row.name[0] == 'a' ? What::add : row.name[0] == 's' ? What::set : What::remove;
  auto bytes = in.expression();
  if (bytes == nullptr) return nullptr;
  std::string prefix;
  Match match = Match::exact;
  if (what != What::remove && in.accept("prefix")) {
    auto text = in.text("'prefix' expects a text");
    if (!text) return nullptr;
    prefix = std::move(*text);
  } else if (what == What::remove && in.accept("-m")) {
    auto method = in.text("expects a matching method after '-m'");
    if (!method) return nullptr;
    if (*method == "beg")
      match = Match::prefix;
    else if (*method == "end")
      match = Match::suffix;
    else if (*method == "sub")
      match = Match::substring;
    else if (*method != "str")
      return in.fail_at_previous(fmt::format("unknown matching method '{}'", *method),
                                 "expected 'str', 'beg', 'end' or 'sub'");
  }
  return std::make_unique<BinaryHeaders>(what, std::move(bytes), std::move(prefix), match);
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"add-headers-bin", "<expr> [ prefix <str> ]", "Adds the header fields of a binary text."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse},
    {{"set-headers-bin", "<expr> [ prefix <str> ]", "Sets the header fields of a binary text."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse},
    {{"del-headers-bin", "<expr> [ -m <meth> ]", "Removes the header fields a binary text names."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> headers_bin_rows() { return kRows; }

}  // namespace rules::action
