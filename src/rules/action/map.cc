// set-map, del-map, add-acl, del-acl: edits of maps and pattern files (manual section 4.4).
#include "rules/action/support.h"
#include "rules/action/tables.h"

namespace rules::action {
namespace {

enum class Edit : std::uint8_t { set, add, remove };

class EditPatterns : public Action {
 public:
  EditPatterns(Edit edit, state::PatternSet& set, std::unique_ptr<expr::LogFormat> key,
               std::unique_ptr<expr::LogFormat> value)
      : edit_(edit), set_(set), key_(std::move(key)), value_(std::move(value)) {}

  Verdict run(expr::Context& context) override {
    std::string_view key = key_->text(context);
    switch (edit_) {
      case Edit::remove:
        set_.remove(key);
        break;
      case Edit::set:
        set_.put(key, value_->text(context));
        break;
      case Edit::add:
        set_.put(key, {});
        break;
    }
    return Verdict::next;
  }

 private:
  Edit edit_;
  state::PatternSet& set_;
  std::unique_ptr<expr::LogFormat> key_, value_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow& row) {
  Reader in(args, context, word);
  bool map = row.name.ends_with("map");
  auto name = in.inside();
  if (!name) return nullptr;
  if (name->empty()) return in.fail_at_previous("expects the name of a file between parentheses");
  auto set = context.expr.patterns.open(std::string(*name), map);
  if (!set) return in.fail_at_previous(set.error());
  Edit edit = row.name.starts_with("set")   ? Edit::set
              : row.name.starts_with("add") ? Edit::add
                                            : Edit::remove;
  auto key = in.format("expects a key", expr::FormatUse::raw);
  if (key == nullptr) return nullptr;
  std::unique_ptr<expr::LogFormat> value;
  if (edit == Edit::set) {
    value = in.format("expects a key and a value", expr::FormatUse::raw);
    if (value == nullptr) return nullptr;
  }
  return std::make_unique<EditPatterns>(edit, **set, std::move(key), std::move(value));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"add-acl", "(<file-name>) <key fmt>", "Adds a pattern to a file of patterns."},
     kHttpRequest | kHttpResponse, parse, true},
    {{"del-acl", "(<file-name>) <key fmt>", "Removes a pattern from a file of patterns."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse, true},
    {{"set-map", "(<map-name>) <key fmt> <value fmt>", "Sets the value of a key in a map."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse, true},
    {{"del-map", "(<map-name>) <key fmt>", "Removes a key from a map."},
     kHttpRequest | kHttpResponse | kHttpAfterResponse, parse, true},
};
// clang-format on

}  // namespace

std::span<const ActionRow> map_rows() { return kRows; }

}  // namespace rules::action
