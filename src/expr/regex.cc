#include "expr/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>

#include "base/text.h"
#include "expr/support.h"

namespace expr {
namespace {

constexpr std::size_t kGroups = 10;

// One block of match data and one JIT stack a thread: matching never waits.
struct ThreadMatch {
  pcre2_match_data* data = pcre2_match_data_create(kGroups, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(32 << 10, 512 << 10, nullptr);
  ThreadMatch() { pcre2_jit_stack_assign(context, nullptr, stack); }
  ~ThreadMatch() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};

ThreadMatch& thread_match() {
  thread_local ThreadMatch mine;
  return mine;
}

int run(void* code, std::string_view subject, std::size_t start) {
  ThreadMatch& t = thread_match();
  const char* text = subject.data() == nullptr ? "" : subject.data();
  return pcre2_match(static_cast<pcre2_code*>(code), reinterpret_cast<PCRE2_SPTR>(text),
                     subject.size(), start, 0, t.data, t.context);
}

}  // namespace

base::Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view pattern,
                                                          bool ignore_case) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   ignore_case ? PCRE2_CASELESS : 0, &error, &offset, nullptr);
  if (code == nullptr) {
    unsigned char text[256];
    pcre2_get_error_message(error, text, sizeof text);
    return base::fail(fmt::format("regex '{}' is invalid (error={}, erroffset={})", pattern,
                                  reinterpret_cast<const char*>(text), offset));
  }
  // Without JIT it still works, slower.
  (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return std::shared_ptr<const Regex>(new Regex(code));
}

Regex::~Regex() { pcre2_code_free(static_cast<pcre2_code*>(code_)); }

bool Regex::matches(std::string_view subject) const { return run(code_, subject, 0) >= 0; }

std::size_t Regex::match(std::string_view subject, std::size_t start,
                         std::span<Group> groups) const {
  int found = run(code_, subject, start);
  if (found < 0) return 0;
  // 0: more groups than there is room for.
  std::size_t count = found == 0 ? kGroups : static_cast<std::size_t>(found);
  count = std::min(count, groups.size());
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(thread_match().data);
  for (std::size_t i = 0; i < count; ++i) groups[i] = {offsets[2 * i], offsets[2 * i + 1]};
  return count;
}

namespace {

// `add` takes each piece.
template <class Add>
void expand(std::string_view replacement, std::string_view subject,
            std::span<const Regex::Group> groups, Add add) {
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    char c = replacement[i];
    if (c != '\\' || i + 1 == replacement.size()) {
      add(std::string_view(&c, 1));
      continue;
    }
    char next = replacement[++i];
    if (base::is_digit(next)) {
      auto n = static_cast<std::size_t>(next - '0');
      if (n < groups.size() && groups[n].from != Regex::kUnset)
        add(subject.substr(groups[n].from, groups[n].to - groups[n].from));
    } else if (next == 'x' && i + 2 < replacement.size() &&
               base::hex_digit(replacement[i + 1]) >= 0 &&
               base::hex_digit(replacement[i + 2]) >= 0) {
      const char byte = static_cast<char>(base::hex_digit(replacement[i + 1]) * 16 +
                                          base::hex_digit(replacement[i + 2]));
      add(std::string_view(&byte, 1));
      i += 2;
    } else {
      add(std::string_view(&next, 1));
    }
  }
}

}  // namespace

void expand_groups(std::string_view replacement, std::string_view subject,
                   std::span<const Regex::Group> groups, std::string& out) {
  expand(replacement, subject, groups, [&](std::string_view text) { out += text; });
}

void expand_groups(std::string_view replacement, std::string_view subject,
                   std::span<const Regex::Group> groups, GrowingText& out) {
  expand(replacement, subject, groups, [&](std::string_view text) { out.add(text); });
}

}  // namespace expr
