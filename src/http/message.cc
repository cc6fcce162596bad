#include "http/message.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "http/ids.h"

namespace http {

namespace {

constexpr std::array<std::string_view, 10> kMethods{"",    "OPTIONS", "GET",   "HEAD",    "POST",
                                                    "PUT", "DELETE",  "TRACE", "CONNECT", "PATCH"};

// Lower-cases into `room` names that could have an id; longer ones have none.
HeaderId id_of_any_case(std::string_view name) {
  char room[24];
  if (name.empty() || name.size() > sizeof room) return HeaderId::other;
  for (std::size_t i = 0; i < name.size(); ++i) room[i] = base::lower(name[i]);
  return id_of({room, name.size()});
}

template <class Word>
Word word_at(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Without the call of memcmp(), which costs more than it does for a few bytes.
bool equal(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  const auto same = [&]<class Word>(std::size_t at, Word) {
    return word_at<Word>(&a[at]) == word_at<Word>(&b[at]);
  };
  if (size < 4) return std::equal(a.begin(), a.end(), b.begin());
  if (size < 8) return same(0, 0U) && same(size - 4, 0U);
  for (std::size_t i = 0; i + 8 < size; i += 8)
    if (!same(i, std::uint64_t{})) return false;
  return same(size - 8, std::uint64_t{});
}

bool matches(const Field& field, HeaderId id, std::string_view name) {
  return id != HeaderId::other ? field.id == id : base::iequals(field.name, name);
}

}  // namespace

Method method_of(std::string_view name) {
  if (name == "GET") return Method::get;  // which most are
  for (std::size_t i = 1; i < kMethods.size(); ++i)
    if (kMethods[i] == name) return static_cast<Method>(i);
  return Method::other;
}

std::string_view name_of(Method method) { return kMethods[static_cast<std::size_t>(method)]; }

HeaderId id_of(std::string_view lowercase_name) {
  std::array<char, 8> start{};
  std::copy_n(lowercase_name.begin(), std::min(lowercase_name.size(), start.size()), start.begin());
  const std::uint8_t id =
      detail::kIdTable
          .ids[detail::kIdTable.slot(std::bit_cast<std::uint64_t>(start), lowercase_name.size())];
  return equal(detail::kIdNames[id], lowercase_name) ? static_cast<HeaderId>(id) : HeaderId::other;
}

void Headers::add_parsed(const Field& field) { fields_.push_back(field); }

void Headers::add(std::string_view name, std::string_view value, base::Arena& arena) {
  HeaderId id = id_of(name);  // those with one have no capitals
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (id == HeaderId::other && std::any_of(name.begin(), name.end(), capital)) {
    char* copy = arena.allocate_chars(name.size());
    std::transform(name.begin(), name.end(), copy, base::lower);
    name = {copy, name.size()};
    id = id_of(name);
  }
  fields_.push_back({name, value, id});
}

void Headers::insert_at(std::size_t index, const Field& field) {
  fields_.insert(fields_.begin() + static_cast<std::ptrdiff_t>(std::min(index, fields_.size())),
                 field);
}

std::size_t Headers::remove(std::string_view name) {
  HeaderId id = id_of_any_case(name);
  return std::erase_if(fields_, [&](const Field& f) { return matches(f, id, name); });
}

std::size_t Headers::remove(HeaderId id) {
  return std::erase_if(fields_, [&](const Field& f) { return f.id == id; });
}

void Headers::remove_at(std::size_t index) {
  fields_.erase(fields_.begin() + static_cast<std::ptrdiff_t>(index));
}

const Field* Headers::find(std::string_view name) const {
  HeaderId id = id_of_any_case(name);
  for (const Field& f : fields_)
    if (matches(f, id, name)) return &f;
  return nullptr;
}

const Field* Headers::find(HeaderId id) const {
  for (const Field& f : fields_)
    if (f.id == id) return &f;
  return nullptr;
}

std::size_t Headers::count(std::string_view name) const {
  HeaderId id = id_of_any_case(name);
  return static_cast<std::size_t>(std::count_if(
      fields_.begin(), fields_.end(), [&](const Field& f) { return matches(f, id, name); }));
}

void RequestHead::clear() {
  method = Method::get;
  method_text = {};
  target = {};
  version = {};
  version_text = {};
  headers.clear();
  framing = Framing::none;
  content_length = 0;
  keep_alive = true;
  insecure_lengths = false;
  upgrade = false;
  expect_continue = false;
}

void ResponseHead::clear() {
  version = {};
  version_text = {};
  status = 0;
  reason = {};
  headers.clear();
  framing = Framing::none;
  content_length = 0;
  keep_alive = true;
  insecure_lengths = false;
  upgrade = false;
}

}  // namespace http
