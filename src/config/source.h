// The text of a configuration as read: files, lines, words with their places. Immutable after
// loading and kept as long as anything refers to it: positions are how errors, logs
// (last_rule_file/line) and explanations name a line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace config {

struct SourceFile {
  std::string name;                // as given with -f, or as found in a folder
  std::vector<std::string> lines;  // raw, without line ends
};

struct Position {
  const SourceFile* file = nullptr;
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // byte offset in the raw line, from 0
};

// One argument after quoting, escapes and environment have been resolved.
struct Word {
  std::string text;
  std::uint32_t column = 0;
};

struct Line {
  const SourceFile* file = nullptr;
  std::uint32_t number = 0;
  std::vector<Word> words;  // at least one
  std::uint32_t end = 0;    // column just past the last word

  // Past the last word: the end of the line's text.
  Position at(std::size_t word = 0) const {
    return {file, number, word < words.size() ? words[word].column : end};
  }
  std::string_view operator[](std::size_t i) const {
    return i < words.size() ? std::string_view(words[i].text) : std::string_view();
  }
  std::size_t size() const { return words.size(); }
};

// "frontend www", "defaults x from y", "global" and the lines below it.
struct Section {
  Line head;
  std::vector<Line> lines;
};

struct Tree {
  std::vector<std::unique_ptr<SourceFile>> files;
  std::vector<Section> sections;  // in order
};

}  // namespace config
