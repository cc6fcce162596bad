#include "config/load.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "config/condition.h"
#include "config/environment.h"
#include "config/lexer.h"
#include "config/limits.h"

namespace config {

namespace {

// One level of .if: whether its lines count, and what may still come.
struct Block {
  Position at;
  bool live = false;     // the current branch is read
  bool taken = false;    // a branch was, so no other will be
  bool closing = false;  // .else was seen
};

class Loader {
 public:
  Loader(const LoadOptions& options, Diagnostics& diagnostics, Tree& tree)
      : options_(options), diagnostics_(diagnostics), tree_(tree) {}

  void read_path(const std::string& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return cannot_open(path, errno);
    if (!S_ISDIR(info.st_mode)) return read_file(path);
    for (const std::string& name : folder(path)) read_file(path + "/" + name);
  }

  void read_text(std::string_view text, std::string_view name) {
    auto file = std::make_unique<SourceFile>();
    file->name = name;
    file_ = file.get();
    tree_.files.push_back(std::move(file));
    split_lines(text);
    section_ = nullptr;
    blocks_.clear();
    for (std::uint32_t i = 1; i <= file_->lines.size() && !diagnostics_.full(); ++i) read_line(i);
    for (const Block& block : blocks_) diagnostics_.alert(block.at, "non-terminated '.if' block.");
  }

 private:
  void cannot_open(const std::string& path, int error) {
    diagnostics_.alert({}, fmt::format("config : Cannot open configuration file/directory {} : {}",
                                       path, std::strerror(error)));
  }

  // The *.cfg of a folder in the order of their bytes, without hidden ones.
  std::vector<std::string> folder(const std::string& path) {
    std::vector<std::string> names;
    DIR* dir = ::opendir(path.c_str());
    if (dir == nullptr) {
      cannot_open(path, errno);
      return names;
    }
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name.starts_with('.') || !name.ends_with(".cfg")) continue;
      struct stat info {};
      if (::fstatat(::dirfd(dir), entry->d_name, &info, 0) == 0 && S_ISREG(info.st_mode))
        names.emplace_back(name);
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  static bool is_regular(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  }

  void too_large(int fd, const std::string& path) {
    ::close(fd);
    diagnostics_.alert({}, fmt::format("config : Loading {}: input is too large, limited to {}MB.",
                                       path, kLongestInput >> 20));
  }

  void read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_open(path, errno);
    std::string text;
    const bool endless = !is_regular(fd);
    char chunk[65536];
    ssize_t n = 0;
    while ((n = ::read(fd, chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR)) {
      if (n > 0) text.append(chunk, static_cast<std::size_t>(n));
      if (endless && text.size() > kLongestInput) return too_large(fd, path);
    }
    const int error = n < 0 ? errno : 0;
    ::close(fd);
    if (error != 0) return cannot_open(path, error);
    read_text(text, path);
  }

  // The manual's format ends every line with LF: a missing one is how a truncated file shows.
  void split_lines(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = text.find('\n', at);
      std::string_view line = text.substr(at, end == text.npos ? text.npos : end - at);
      const bool cut = end == text.npos;
      at = cut ? text.size() : end + 1;
      if (line.ends_with('\r') && !cut) line.remove_suffix(1);
      file_->lines.emplace_back(line);
      const auto number = static_cast<std::uint32_t>(file_->lines.size());
      if (cut)
        diagnostics_.alert({file_, number, static_cast<std::uint32_t>(line.size())},
                           fmt::format("Missing LF on last line, file might have been truncated "
                                       "at position {}.",
                                       line.size() + 1));
      if (std::size_t nul = line.find('\0'); nul != line.npos)
        diagnostics_.alert({file_, number, static_cast<std::uint32_t>(nul)},
                           fmt::format("NUL character at position {}.", nul + 1));
    }
  }

  std::string_view section_name() const {
    if (section_ == nullptr) return {};
    return section_->head.size() > 1 && !section_->head[1].empty() ? section_->head[1]
                                                                   : section_->head[0];
  }

  void read_line(std::uint32_t number) {
    const std::string& raw = file_->lines[number - 1];
    auto lexed = split_words(raw, {file_->name, number, section_name()});
    if (!lexed) {
      diagnostics_.alert(
          {file_, number, lexed.error().column},
          fmt::format("{} at position {}", lexed.error().text, lexed.error().column + 1));
      return;
    }
    if (lexed->words.empty()) return;
    Line line{file_, number, std::move(lexed->words), lexed->end};
    if (line[0].starts_with('.')) return directive(line);
    if (skipping() || has_empty_argument(line)) return;
    if (is_section(line[0])) {
      tree_.sections.push_back({std::move(line), {}});
      section_ = &tree_.sections.back();
    } else if (section_ == nullptr) {
      out_of_section(line);
    } else {
      if (section_->head[0] == "global") change_environment(line, diagnostics_);
      section_->lines.push_back(std::move(line));
    }
  }

  // Nothing reads what stands behind one: it would be lost without a word.
  bool has_empty_argument(const Line& line) {
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (!line[i].empty()) continue;
      diagnostics_.alert(line.at(i),
                         fmt::format("argument number {} at position {} is empty and marks the end "
                                     "of the argument list",
                                     i, line.at(i).column + 1),
                         "if a variable of the environment is empty, write it without quotes, as "
                         "section 2.3 of the manual tells");
      return true;
    }
    return false;
  }

  bool is_section(std::string_view word) const {
    return std::find(options_.sections.begin(), options_.sections.end(), word) !=
           options_.sections.end();
  }

  void out_of_section(const Line& line) {
    const std::string_view near =
        base::nearest(line[0], options_.sections.data(), options_.sections.size());
    diagnostics_.alert(line.at(), fmt::format("unknown keyword '{}' out of section.", line[0]),
                       near.empty() ? "" : fmt::format("did you mean '{}' maybe ?", near));
  }

  bool skipping() const { return !blocks_.empty() && !blocks_.back().live; }

  // Section 2.4.
  void directive(const Line& line) {
    const std::string_view name = line[0];
    if (name == ".if") return open_block(line);
    if (name == ".elif") return other_branch(line, true);
    if (name == ".else") return other_branch(line, false);
    if (name == ".endif") return close_block(line);
    if (skipping()) return;
    if (name == ".notice" || name == ".warning" || name == ".alert" || name == ".diag")
      return report(line);
    diagnostics_.alert(line.at(), fmt::format("unknown directive '{}'.", name));
  }

  void open_block(const Line& line) {
    Block block{line.at()};
    if (skipping()) {
      block.taken = true;
    } else {
      const int value = condition(line);
      block.live = value > 0;
      block.taken = value != 0;  // after a mistake no branch is read
    }
    blocks_.push_back(block);
  }

  void other_branch(const Line& line, bool conditional) {
    if (blocks_.empty()) {
      diagnostics_.alert(line.at(), fmt::format("lone '{}' with no matching '.if'.", line[0]));
      return;
    }
    Block& block = blocks_.back();
    if (block.closing) {
      diagnostics_.alert(line.at(), fmt::format("'{}' after '.else' is not permitted.", line[0]));
      block.live = false;
      return;
    }
    block.live = false;
    if (!conditional) {
      no_argument(line);
      block.closing = true;
      block.live = !block.taken;
      block.taken = true;
    } else if (!block.taken) {
      const int value = condition(line);
      block.live = value > 0;
      block.taken = value != 0;
    }
  }

  void close_block(const Line& line) {
    no_argument(line);
    if (blocks_.empty())
      diagnostics_.alert(line.at(), "lone '.endif' with no matching '.if'.");
    else
      blocks_.pop_back();
  }

  void no_argument(const Line& line) {
    if (line.size() > 1)
      diagnostics_.alert(line.at(1),
                         fmt::format("Unexpected argument '{}' for '{}'.", line[1], line[0]));
  }

  int condition(const Line& line) {
    std::string expression;
    std::vector<std::size_t> starts;
    for (std::size_t i = 1; i < line.size(); ++i) {
      if (i > 1) expression += ' ';
      starts.push_back(expression.size());
      expression += line[i];
    }
    ConditionResult result = evaluate(expression, options_.predicates);
    if (result.value < 0) {
      Position at = line.at(0);
      for (std::size_t i = 0; i < starts.size() && starts[i] <= result.offset; ++i) {
        at = line.at(i + 1);
        at.column += static_cast<std::uint32_t>(result.offset - starts[i]);
      }
      diagnostics_.alert(
          at, fmt::format("{} in '{}' at position {}", result.error, line[0], result.offset + 1));
    }
    return result.value;
  }

  void report(const Line& line) {
    if (line.size() > 2) {
      diagnostics_.alert(line.at(2),
                         fmt::format("Unexpected argument '{}' for '{}'. Use quotes if the message "
                                     "should contain spaces.",
                                     line[2], line[0]));
      return;
    }
    std::string text = fmt::format("'{}'.", line[1]);
    if (line[0] == ".notice")
      diagnostics_.notice(line.at(), std::move(text));
    else if (line[0] == ".warning")
      diagnostics_.warning(line.at(), std::move(text));
    else if (line[0] == ".diag")
      diagnostics_.diagnostic(line.at(), std::move(text));
    else
      diagnostics_.alert(line.at(), std::move(text));
  }

  const LoadOptions& options_;
  Diagnostics& diagnostics_;
  Tree& tree_;
  SourceFile* file_ = nullptr;
  Section* section_ = nullptr;  // of this file
  std::vector<Block> blocks_;
};

}  // namespace

Tree load(const LoadOptions& options, Diagnostics& diagnostics) {
  Tree tree;
  Loader loader(options, diagnostics, tree);
  for (const std::string& path : options.paths) loader.read_path(path);
  return tree;
}

Tree load_text(std::string_view text, std::string_view name, const LoadOptions& options,
               Diagnostics& diagnostics) {
  Tree tree;
  Loader(options, diagnostics, tree).read_text(text, name);
  return tree;
}

}  // namespace config
