#include "lua/globals.h"

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace lua {

namespace {

constexpr std::string_view kHeader = "\x1bLua\x54";
// signature, version, format, LUAC_DATA, three sizes, LUAC_INT, LUAC_NUM, count of upvalues
constexpr std::size_t kHeaderSize = 4 + 1 + 1 + 6 + 3 + 8 + 8 + 1;
constexpr unsigned kSetTabUp = 15;  // UpValue[A][K[B]] := RK(C)
constexpr std::int8_t kAbsoluteLine = -128;

// Reads what lua_dump() wrote (Lua 5.4).
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  void skip(std::size_t count) {
    if (count > bytes_.size() - at_) throw std::runtime_error("unexpected end of a compiled chunk");
    at_ += count;
  }
  std::uint8_t byte() {
    skip(1);
    return static_cast<std::uint8_t>(bytes_[at_ - 1]);
  }
  // Seven bits a byte, the highest first; the last byte is marked.
  std::size_t number() {
    std::size_t value = 0;
    while (true) {
      const std::uint8_t next = byte();
      value = value << 7 | (next & 0x7f);
      if (next & 0x80) return value;
    }
  }
  std::string_view text() {
    const std::size_t size = number();
    if (size == 0) return {};
    skip(size - 1);
    return bytes_.substr(at_ - (size - 1), size - 1);
  }
  std::uint32_t instruction() {
    std::uint32_t value = 0;
    skip(sizeof value);
    std::memcpy(&value, bytes_.data() + at_ - sizeof value, sizeof value);
    return value;
  }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

class Scan {
 public:
  explicit Scan(std::vector<GlobalWrite>& found) : found_(found) {}

  void function(Reader& in, unsigned depth) {
    in.text();  // its file
    const int first_line = static_cast<int>(in.number());
    in.number();
    in.skip(3);  // parameters, whether more, stack size
    std::vector<std::uint32_t> code(in.number());
    for (std::uint32_t& instruction : code) instruction = in.instruction();
    const std::vector<std::string_view> constants = read_constants(in);
    in.skip(3 * in.number());  // upvalues
    const std::size_t inner = in.number();
    for (std::size_t i = 0; i < inner; ++i) function(in, depth + 1);
    const std::vector<int> lines = read_lines(in, first_line);
    for (std::size_t i = in.number(); i > 0; --i) {  // local variables
      in.text();
      in.number();
      in.number();
    }
    std::vector<std::string_view> upvalues(in.number());
    for (std::string_view& name : upvalues) name = in.text();
    if (depth != 0) note(code, constants, upvalues, lines, first_line);
  }

 private:
  static std::vector<std::string_view> read_constants(Reader& in) {
    std::vector<std::string_view> constants(in.number());
    for (std::string_view& constant : constants) {
      switch (in.byte()) {
        case LUA_TNUMBER:             // an integer
        case LUA_TNUMBER | (1 << 4):  // a float
          in.skip(8);
          break;
        case LUA_TSTRING:
        case LUA_TSTRING | (1 << 4):
          constant = in.text();
          break;
        default:
          break;
      }
    }
    return constants;
  }

  static std::vector<int> read_lines(Reader& in, int first_line) {
    std::vector<std::int8_t> steps(in.number());
    for (std::int8_t& step : steps) step = static_cast<std::int8_t>(in.byte());
    std::vector<std::pair<std::size_t, int>> fixed(in.number());
    for (auto& [at, line] : fixed) {
      at = in.number();
      line = static_cast<int>(in.number());
    }
    std::vector<int> lines;
    int line = first_line;
    std::size_t next = 0;
    for (const std::int8_t step : steps) {
      line = step == kAbsoluteLine && next < fixed.size() ? fixed[next++].second : line + step;
      lines.push_back(line);
    }
    return lines;
  }

  void note(const std::vector<std::uint32_t>& code, const std::vector<std::string_view>& constants,
            const std::vector<std::string_view>& upvalues, const std::vector<int>& lines,
            int first_line) {
    for (std::size_t i = 0; i < code.size(); ++i) {
      if ((code[i] & 0x7f) != kSetTabUp) continue;
      const std::size_t table = code[i] >> 7 & 0xff, key = code[i] >> 16 & 0xff;
      if (table >= upvalues.size() || upvalues[table] != "_ENV" || key >= constants.size())
        continue;
      found_.push_back({std::string(constants[key]),
                        "function at line " + std::to_string(first_line),
                        i < lines.size() ? lines[i] : first_line});
    }
  }

  std::vector<GlobalWrite>& found_;
};

int append(lua_State*, const void* bytes, std::size_t size, void* to) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
  return 0;
}

}  // namespace

std::vector<GlobalWrite> find_global_writes(lua_State* L) {
  std::vector<GlobalWrite> found;
  std::string chunk;
  if (lua_dump(L, &append, &chunk, 0) != 0 || !chunk.starts_with(kHeader)) return found;
  Reader in(chunk);
  in.skip(kHeaderSize);
  Scan(found).function(in, 0);
  return found;
}

}  // namespace lua
