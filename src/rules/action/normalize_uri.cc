// normalize-uri (RFC 3986 section 6.2.2, manual section 4.4).
#include <fmt/format.h>

#include <algorithm>

#include "rules/action/support.h"
#include "rules/action/tables.h"
#include "rules/action/target.h"

namespace rules::action {
namespace {

// Each normalizer appends its result to `out`; false: the target is invalid (400).
using Normalizer = bool (*)(std::string_view text, bool option, std::string& out);

bool encode_fragment(std::string_view text, bool, std::string& out) {
  for (char c : text) {
    if (c == '#')
      out += "%23";
    else
      out += c;
  }
  return true;
}
bool strip_fragment(std::string_view text, bool, std::string& out) {
  out += text.substr(0, text.find('#'));
  return true;
}
bool merge_slashes(std::string_view path, bool, std::string& out) {
  for (char c : path)
    if (c != '/' || out.empty() || out.back() != '/') out += c;
  return true;
}
bool strip_dot(std::string_view path, bool, std::string& out) {
  std::size_t i = 0;
  while (i < path.size()) {
    // "/./" loses two characters, "/." at the end one.
    if (path[i] == '/' && path.substr(i).starts_with("/./")) {
      i += 2;
      continue;
    }
    if (path.substr(i) == "/.") {
      out += '/';
      break;
    }
    out += path[i++];
  }
  return true;
}

// Walks the segments; ".." takes the one before along, unless that is ".." itself.
bool strip_dotdot(std::string_view path, bool full, std::string& out) {
  std::size_t kept = 0;  // what was written up to here stays: leading "/.."
  std::size_t i = 0;
  while (i < path.size()) {
    std::size_t end = std::min(path.find('/', i + 1), path.size());
    std::string_view segment = path.substr(i, end - i);  // with its leading slash
    bool last = end == path.size();
    i = end;
    if (segment != "/..") {
      out += segment;
      continue;
    }
    std::size_t slash = out.size() > kept ? out.rfind('/') : std::string::npos;
    if (slash != std::string::npos && slash >= kept) {
      out.resize(slash);
      if (last) out += '/';
    } else if (!full) {
      out += segment;
      kept = out.size();
    } else if (last) {
      out += '/';
    }
  }
  return true;
}

bool is_unreserved(char c) {  // RFC 3986 section 2.3
  return base::is_alpha(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}
// Calls each(high digit, low digit) for every well-formed sequence, which writes it.
template <class Each>
bool over_escapes(std::string_view text, bool strict, std::string& out, Each each) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    bool good = text.size() - i > 2 && base::hex_digit(text[i + 1]) >= 0 &&
                base::hex_digit(text[i + 2]) >= 0;
    if (!good) {
      if (strict) return false;
      out += '%';
      continue;
    }
    each(text[i + 1], text[i + 2]);
    i += 2;
  }
  return true;
}
bool decode_unreserved(std::string_view text, bool strict, std::string& out) {
  return over_escapes(text, strict, out, [&](char high, char low) {
    char c = static_cast<char>(base::hex_digit(high) << 4 | base::hex_digit(low));
    if (is_unreserved(c))
      out += c;
    else
      out.append({'%', high, low});
  });
}
bool uppercase_escapes(std::string_view text, bool strict, std::string& out) {
  return over_escapes(text, strict, out, [&](char high, char low) {
    out.append({'%', base::upper(high), base::upper(low)});
  });
}

bool sort_query(std::string_view query, bool, std::string& out) {
  std::vector<std::string_view> pairs;
  for (std::size_t from = 0; from <= query.size();) {
    std::size_t end = std::min(query.find('&', from), query.size());
    pairs.push_back(query.substr(from, end - from));
    from = end + 1;
  }
  auto name = [](std::string_view pair) { return pair.substr(0, pair.find('=')); };
  std::stable_sort(pairs.begin(), pairs.end(),
                   [&](std::string_view a, std::string_view b) { return name(a) < name(b); });
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i != 0) out += '&';
    out += pairs[i];
  }
  return true;
}

struct Row {
  std::string_view name, option;
  TargetPart part;
  Normalizer run;
};
constexpr Row kNormalizers[] = {
    {"fragment-encode", "", TargetPart::path_and_query, encode_fragment},
    {"fragment-strip", "", TargetPart::path_and_query, strip_fragment},
    {"path-merge-slashes", "", TargetPart::path, merge_slashes},
    {"path-strip-dot", "", TargetPart::path, strip_dot},
    {"path-strip-dotdot", "full", TargetPart::path, strip_dotdot},
    {"percent-decode-unreserved", "strict", TargetPart::path_and_query, decode_unreserved},
    {"percent-to-uppercase", "strict", TargetPart::path_and_query, uppercase_escapes},
    {"query-sort-by-name", "", TargetPart::query, sort_query},
};

class NormalizeUri : public Action {
 public:
  NormalizeUri(const Row& row, bool option) : row_(row), option_(option) {}
  Verdict run(expr::Context& context) override {
    if (context.exchange == nullptr) return Verdict::next;
    std::string_view text = part_of_target(context.exchange->request.target, row_.part);
    if (text.empty()) return Verdict::next;
    std::string changed;
    if (!row_.run(text, option_, changed)) {
      finish(context, txn::Cause::proxy);
      return Verdict::invalid;
    }
    if (changed == text) return Verdict::next;
    return change_target(context, row_.part, changed) ? Verdict::next : rewrite_failed(context);
  }

 private:
  const Row& row_;
  bool option_;
};

Made parse(config::Arguments& args, ParseContext& context, std::string_view word,
           const ActionRow&) {
  Reader in(args, context, word);
  if (!context.experimental)
    return in.fail_at_previous(
        "'normalize-uri' directive is experimental, must be allowed via a global "
        "'expose-experimental-directives'");
  auto name = in.text("missing argument <normalizer>");
  if (!name) return nullptr;
  std::vector<std::string_view> names;
  for (const Row& row : kNormalizers) {
    names.push_back(row.name);
    if (row.name != *name) continue;
    bool option = !row.option.empty() && in.accept(row.option);
    return std::make_unique<NormalizeUri>(row, option);
  }
  std::string_view near = base::nearest(*name, names.data(), names.size());
  return in.fail_at_previous(
      fmt::format("unknown normalizer '{}'", *name),
      near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
}

// clang-format off
constexpr ActionRow kRows[] = {
    {{"normalize-uri", "<normalizer> [ full | strict ]", "Normalizes the request's target."},
     kHttpRequest, parse},
};
// clang-format on

}  // namespace

std::span<const ActionRow> normalize_uri_rows() { return kRows; }

}  // namespace rules::action
