// json_query: a value out of a JSON text by a path (manual section 7.3.1). Paths are made of names,
// indexes and "[*]": "$.a.b[2]", with "\." for a dot in a name.
#include "expr/converter/json_query.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

using simdjson::ondemand::value;

struct Step {
  enum Kind : std::uint8_t { name_of, index, any } kind = name_of;
  std::string name;
  std::size_t number = 0;
};
struct Query {
  std::vector<Step> steps;
  bool as_integer = false;
  bool valid = true;
};

// False when the path is none: the converter then finds nothing.
bool parse_path(std::string_view path, std::vector<Step>& out) {
  if (!path.starts_with('$')) return false;
  path.remove_prefix(1);
  while (!path.empty()) {
    Step step;
    if (path.front() == '[') {
      std::size_t end = path.find(']');
      if (end == std::string_view::npos) return false;
      std::string_view inside = path.substr(1, end - 1);
      path.remove_prefix(end + 1);
      bool quoted = inside.size() >= 2 && (inside.front() == '\'' || inside.front() == '"');
      auto index = base::parse_int<std::size_t>(inside);
      if (quoted) {
        step.name = inside.substr(1, inside.size() - 2);
      } else if (inside == "*") {
        step.kind = Step::any;
      } else if (index) {
        step.kind = Step::index;
        step.number = *index;
      } else {
        return false;
      }
    } else {
      if (path.front() != '.') return false;
      path.remove_prefix(1);
      while (!path.empty() && path.front() != '.' && path.front() != '[') {
        if (path.front() == '\\' && path.size() > 1) path.remove_prefix(1);
        step.name += path.front();
        path.remove_prefix(1);
      }
      if (step.name.empty()) return false;
    }
    out.push_back(std::move(step));
  }
  return true;
}

bool follow(value from, std::span<const Step> steps, const Query& query, Context& context,
            Value& out);

bool follow_any(value from, std::span<const Step> steps, const Query& query, Context& context,
                Value& out) {
  simdjson::ondemand::array items;
  if (from.get_array().get(items) != simdjson::SUCCESS) return false;
  for (auto item : items) {
    value one;
    if (item.get(one) == simdjson::SUCCESS && follow(one, steps, query, context, out)) return true;
  }
  return false;
}

bool give_float(double number, Context& context, Value& out) {
  char buffer[32];
  char* end = fmt::format_to_n(buffer, sizeof buffer, "{:g}", number).out;
  return give_text(out, context.arena.copy({buffer, static_cast<std::size_t>(end - buffer)}));
}

bool give_number(value& found, const Query& query, Context& context, Value& out) {
  std::int64_t whole;
  if (found.get_int64().get(whole) == simdjson::SUCCESS) return give(out, whole);
  double number;
  if (found.get_double().get(number) != simdjson::SUCCESS) return false;
  if (query.as_integer) return give(out, static_cast<std::int64_t>(number));
  return give_float(number, context, out);
}

bool give_element(value& found, const Query& query, Context& context, Value& out) {
  simdjson::ondemand::json_type type;
  std::string_view text;
  bool truth;
  simdjson::ondemand::array items;
  if (found.type().get(type) != simdjson::SUCCESS) return false;
  switch (type) {
    case simdjson::ondemand::json_type::string:
      return found.get_string().get(text) == simdjson::SUCCESS &&
             give_text(out, context.arena.copy(text));
    case simdjson::ondemand::json_type::boolean:
      return found.get_bool().get(truth) == simdjson::SUCCESS && give_bool(out, truth);
    case simdjson::ondemand::json_type::number:
      return give_number(found, query, context, out);
    case simdjson::ondemand::json_type::array:
      return found.get_array().get(items) == simdjson::SUCCESS &&
             items.raw_json().get(text) == simdjson::SUCCESS &&
             give_text(out, context.arena.copy(text.substr(0, text.rfind(']') + 1)));
    case simdjson::ondemand::json_type::object:
    case simdjson::ondemand::json_type::null:
      break;
  }
  return false;
}

bool follow(value from, std::span<const Step> steps, const Query& query, Context& context,
            Value& out) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i];
    if (step.kind == Step::any) return follow_any(from, steps.subspan(i + 1), query, context, out);
    value next;
    auto found =
        step.kind == Step::index ? from.at(step.number) : from.find_field_unordered(step.name);
    if (found.get(next) != simdjson::SUCCESS) return false;
    from = next;
  }
  return give_element(from, query, context, out);
}

// A document that is one text or number has no parts.
bool whole_scalar(simdjson::ondemand::document& document, const Query& query, Context& context,
                  Value& out) {
  if (!query.steps.empty()) return false;
  std::string_view text;
  if (document.get_string().get(text) == simdjson::SUCCESS)
    return give_text(out, context.arena.copy(text));
  double number;
  if (document.get_double().get(number) != simdjson::SUCCESS) return false;
  return give_float(number, context, out);
}

}  // namespace

bool run_json_query(const Argument& compiled, Context& context, Value& sample) {
  const Query& query = *compiled.object<Query>();
  if (!query.valid) return false;
  // Both keep their memory; the parser reads some bytes behind the text.
  thread_local simdjson::ondemand::parser parser;
  thread_local std::string padded;
  padded.assign(sample.text);
  padded.resize(sample.text.size() + simdjson::SIMDJSON_PADDING);
  simdjson::padded_string_view text(padded.data(), sample.text.size(), padded.size());
  simdjson::ondemand::document document;
  if (parser.iterate(text).get(document) != simdjson::SUCCESS) return false;
  bool scalar;
  if (document.is_scalar().get(scalar) != simdjson::SUCCESS) return false;
  if (scalar) return whole_scalar(document, query, context, sample);
  value root;
  if (document.get_value().get(root) != simdjson::SUCCESS) return false;
  return follow(root, query.steps, query, context, sample);
}

bool compile_json_query(std::vector<Argument>& args, std::string& error) {
  auto query = std::make_shared<Query>();
  if (args[0].text().empty()) {
    error = "json_path must not be empty";
    return false;
  }
  query->valid = parse_path(args[0].text(), query->steps);
  if (args.size() > 1 && !args[1].text().empty()) {
    query->as_integer = args[1].text() == "int";
    if (!query->as_integer) {
      error = "output_type only supports \"int\" as argument";
      return false;
    }
  }
  args[0].value = std::static_pointer_cast<void>(query);
  return true;
}

namespace {

bool json_query(Args args, Context& context, Value& sample, const ConverterRow&) {
  return run_json_query(args[0], context, sample);
}
bool check_json_query(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                      std::string& error) {
  return compile_json_query(args, error);
}

constexpr ConverterRow kRows[] = {
    {{"json_query", "s[s", "The value at a path of a JSON text."},
     Type::string,
     Type::any,
     json_query,
     check_json_query},
};

}  // namespace

std::span<const ConverterRow> json_query_converters() { return kRows; }

}  // namespace expr::converter
