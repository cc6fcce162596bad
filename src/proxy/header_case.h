// Header names in the case that old clients or servers insist on (h1-case-adjust), for as long as a
// head is written: names are in lower case everywhere else.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "http/message.h"

namespace proxy {

using HeaderCases = std::map<std::string, std::string, std::less<>>;

class CaseAdjusted {
 public:
  // Null: nothing is changed.
  CaseAdjusted(http::Headers& headers, const HeaderCases* cases) : headers_(headers) {
    if (cases != nullptr) [[unlikely]]
      adjust(*cases);
  }
  ~CaseAdjusted() {
    if (!changed_.empty()) [[unlikely]]
      restore();
  }
  CaseAdjusted(const CaseAdjusted&) = delete;
  CaseAdjusted& operator=(const CaseAdjusted&) = delete;

 private:
  [[gnu::cold]] void restore() {
    for (const auto& [index, name] : changed_) headers_.rename_at(index, name);
  }
  [[gnu::cold]] void adjust(const HeaderCases& cases) {
    for (std::size_t i = 0; i < headers_.size(); ++i) {
      const auto found = cases.find(headers_[i].name);
      if (found == cases.end()) continue;
      changed_.emplace_back(i, found->first);
      headers_.rename_at(i, found->second);
    }
  }

  http::Headers& headers_;
  std::vector<std::pair<std::size_t, std::string_view>> changed_;
};

}  // namespace proxy
