#include "config/load.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace config {
namespace {

constexpr std::string_view kSections[] = {"global", "defaults", "frontend", "backend"};

struct Loaded {
  Tree tree;
  Diagnostics diagnostics;
  std::vector<std::string> texts(Severity severity) const {
    std::vector<std::string> out;
    for (const Message& m : diagnostics.messages())
      if (m.severity == severity) out.push_back(m.text);
    return out;
  }
};

int ask(std::string_view name, std::span<const std::string> args, std::string& error) {
  if (name == "feature") return args[0] == "LUA";
  if (name == "awslc_api_atleast") {
    error = "invalid argument";
    return -1;
  }
  return 0;
}

Loaded load_it(std::string_view text) {
  static const Predicates predicates{ask};
  LoadOptions options;
  options.sections = kSections;
  options.predicates = &predicates;
  Loaded out;
  out.tree = load_text(text, "t.cfg", options, out.diagnostics);
  return out;
}

// The words of the second line of a "global" section.
std::vector<std::string> words(const std::string& line) {
  Loaded loaded = load_it("global\n " + line + "\n");
  EXPECT_FALSE(loaded.diagnostics.failed()) << loaded.texts(Severity::alert)[0];
  std::vector<std::string> out;
  if (loaded.tree.sections.empty() || loaded.tree.sections[0].lines.empty()) return out;
  for (const Word& w : loaded.tree.sections[0].lines[0].words) out.push_back(w.text);
  return out;
}

std::string first_alert(const std::string& text) {
  Loaded loaded = load_it(text);
  auto alerts = loaded.texts(Severity::alert);
  return alerts.empty() ? "" : alerts[0];
}

using Words = std::vector<std::string>;

TEST(Words, QuotesAndEscapes) {
  EXPECT_EQ(words("x a#b"), (Words{"x", "a"}));
  EXPECT_EQ(words(R"(x a\,b\ c\#d\\e\'f\"g\$h\qi\x41)"), (Words{"x", R"(a\,b c#d\e'f"g\$h\qiA)"}));
  EXPECT_EQ(words(R"(x "a\$b 'c' # d" 'e\n "f" $g')"),
            (Words{"x", "a$b 'c' # d", R"(e\n "f" $g)"}));
  EXPECT_EQ(words(R"(x a"b c"'d e'f ''y)"), (Words{"x", "ab cd ef", "y"}));
  EXPECT_EQ(words(R"(x a\tb\nc\rd)"), (Words{"x", "a\tb\nc\rd"}));
  EXPECT_EQ(words("x a\\"), (Words{"x", "a\\"}));
  EXPECT_EQ(words("x\t 1 \r"), (Words{"x", "1"}));
  EXPECT_EQ(words(R"(x a\x00b)"), (Words{"x", "a"}));
}

TEST(Words, Environment) {
  ::setenv("MG_A", "v", 1);
  ::setenv("MG_L", " a b  c ", 1);
  ::setenv("MG_E", "", 1);
  ::unsetenv("MG_NO");
  EXPECT_EQ(words(R"(x "$MG_A ${MG_A}-$MG_A-y" $MG_A '$MG_A')"),
            (Words{"x", "v v-v-y", "$MG_A", "$MG_A"}));
  EXPECT_EQ(words(R"(x "${MG_NO-d e}" "-${MG_E-d}" "-${MG_NO}" "${MG_NO-a\"b}")"),
            (Words{"x", "d e", "-", "-", R"(a\"b)"}));
  EXPECT_EQ(words(R"(x <"${MG_L[*]}"> y)"), (Words{"x", "<a", "b", "c>", "y"}));
  EXPECT_EQ(words(R"(x "${MG_E[*]}" y)"), (Words{"x", "y"}));
  EXPECT_EQ(words(R"(x "${MG_NO[*]-p q}" "${MG_NO-p[*]}")"), (Words{"x", "p", "q", "p[*]"}));
  EXPECT_EQ(words(R"(x "${.FILE}:${.LINE} $.SECTION")"), (Words{"x", "t.cfg:2 global"}));
}

TEST(Words, Mistakes) {
  EXPECT_EQ(first_alert("global\n x \"1\n"), "unmatched quote at position 4");
  EXPECT_EQ(first_alert("global\n x '1\n"), "unmatched quote at position 4");
  EXPECT_EQ(first_alert("global\n x 1\\x3\n"),
            "truncated or invalid hexadecimal sequence at position 5");
  EXPECT_EQ(first_alert("global\n x \"$1\"\n"),
            "forbidden first char in environment variable name at position 6");
  EXPECT_EQ(first_alert("global\n x \"${.FOO}\"\n"),
            "forbidden first char in environment variable name at position 7");
  EXPECT_EQ(first_alert("global\n x \"${A\"\n"),
            "unmatched brace in environment variable name at position 6");
  EXPECT_EQ(first_alert("global\n x \"${A[*\"\n"),
            "truncated or invalid word expansion sequence at position 8");
  std::string many = "global\n x";
  for (int i = 0; i < 3000; ++i) many += " a";
  EXPECT_NE(first_alert(many + "\n").find("too many words"), std::string::npos);
}

TEST(Load, SectionsLinesAndPositions) {
  Loaded loaded = load_it("  global#c\n\tdaemon\r\n\nfrontend  www\n  bind :80 # x\n");
  ASSERT_FALSE(loaded.diagnostics.failed());
  ASSERT_EQ(loaded.tree.sections.size(), 2u);
  const Section& www = loaded.tree.sections[1];
  EXPECT_EQ(www.head[1], "www");
  EXPECT_EQ(www.head.number, 4u);
  EXPECT_EQ(www.lines[0].at(1).column, 7u);
  EXPECT_EQ(www.lines[0].at(2).column, 10u);
  EXPECT_EQ(loaded.tree.sections[0].lines[0][0], "daemon");
}

TEST(Load, AllMistakesAreReported) {
  Loaded loaded = load_it("gloabl\nfrontend x\n a \"b\n.foo\n.endif\n.alert stop\nfrontend y");
  EXPECT_EQ(
      loaded.texts(Severity::alert),
      (Words{"Missing LF on last line, file might have been truncated at position 11.",
             "unknown keyword 'gloabl' out of section.", "unmatched quote at position 4",
             "unknown directive '.foo'.", "lone '.endif' with no matching '.if'.", "'stop'."}));
  EXPECT_EQ(loaded.diagnostics.messages()[1].hint, "did you mean 'global' maybe ?");
}

TEST(Load, RenderedMessage) {
  Loaded loaded = load_it("global\n\tmaxconn \"1\n");
  const std::string text = Diagnostics::render(loaded.diagnostics.messages()[0]);
  EXPECT_EQ(text, "[ALERT]    (" + std::to_string(::getpid()) +
                      ") : config : parsing [t.cfg:2] : unmatched quote at position 10\n"
                      "  maxconn \"1\n"
                      "          ^\n");
}

TEST(Load, Conditions) {
  Loaded loaded = load_it(
      ".if 0\n.notice a\n.elif feature(LUA)\n.notice b\n.if 0\n.else\n.notice c\n.endif\n"
      ".elif nonsense\n.else\n.notice d\n.endif\n.notice \"e f\"\n.warning w\n.diag g\n");
  EXPECT_EQ(loaded.texts(Severity::notice), (Words{"'b'.", "'c'.", "'e f'."}));
  EXPECT_EQ(loaded.texts(Severity::warning), (Words{"'w'."}));
  EXPECT_EQ(loaded.texts(Severity::diagnostic), (Words{"'g'."}));
  EXPECT_FALSE(loaded.diagnostics.failed());
}

TEST(Load, ConditionMistakes) {
  EXPECT_EQ(first_alert(".if 1\n"), "non-terminated '.if' block.");
  EXPECT_EQ(first_alert(".if 1\n.else\n.else\n.endif\n"),
            "'.else' after '.else' is not permitted.");
  EXPECT_EQ(first_alert(".if 1\n.else\n.elif 1\n.endif\n"),
            "'.elif' after '.else' is not permitted.");
  EXPECT_EQ(first_alert(".notice a b\n"),
            "Unexpected argument 'b' for '.notice'. Use quotes if the message should contain "
            "spaces.");
  Loaded loaded = load_it(" .if   1  &&   foo\n.notice x\n.else\n.notice y\n.endif\n");
  EXPECT_EQ(loaded.texts(Severity::alert),
            (Words{"unparsable conditional expression 'foo' in '.if' at position 6"}));
  EXPECT_EQ(loaded.diagnostics.messages()[0].at.column, 15u);
  EXPECT_TRUE(loaded.texts(Severity::notice).empty());
}

TEST(Load, EnvironmentKeywordsActAtOnce) {
  ::setenv("MG_KEEP", "k", 1);
  ::unsetenv("MG_NEW");
  Loaded loaded = load_it(
      "global\n setenv MG_NEW 1\n presetenv MG_NEW 2\n presetenv MG_KEEP 2\n"
      ".notice \"$MG_NEW$MG_KEEP\"\n unsetenv MG_NEW MG_KEEP\n.notice \"<$MG_NEW$MG_KEEP>\"\n"
      " setenv MG_NEW\nfrontend x\n setenv MG_NEW 3\n.notice \"<$MG_NEW>\"\n");
  EXPECT_EQ(loaded.texts(Severity::notice), (Words{"'1k'.", "'<>'.", "'<>'."}));
  EXPECT_EQ(loaded.texts(Severity::alert),
            (Words{"'setenv' expects environment variable value for 'MG_NEW'."}));
}

TEST(Load, FilesAndFolders) {
  char folder[] = "/tmp/config_testXXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string dir = folder;
  std::ofstream(dir + "/b.cfg") << "frontend b\n";
  std::ofstream(dir + "/a.cfg") << "frontend a\n x\n";
  std::ofstream(dir + "/.c.cfg") << "frontend hidden\n";
  std::ofstream(dir + "/d.txt") << "frontend other\n";
  ::mkdir((dir + "/e.cfg").c_str(), 0700);
  LoadOptions options;
  options.sections = kSections;
  options.paths = {dir, dir + "/d.txt", dir + "/none"};
  Diagnostics diagnostics;
  Tree tree = load(options, diagnostics);
  ASSERT_EQ(tree.sections.size(), 3u);
  EXPECT_EQ(tree.sections[0].head[1], "a");
  EXPECT_EQ(tree.sections[0].head.file->name, dir + "/a.cfg");
  EXPECT_EQ(tree.sections[2].head[1], "other");
  ASSERT_EQ(diagnostics.messages().size(), 1u);
  EXPECT_EQ(diagnostics.messages()[0].text, "config : Cannot open configuration file/directory " +
                                                dir + "/none : No such file or directory");
  for (const char* name : {"/b.cfg", "/a.cfg", "/.c.cfg", "/d.txt"}) ::unlink((dir + name).c_str());
  ::rmdir((dir + "/e.cfg").c_str());
  ::rmdir(folder);
}

int cc(std::string_view expression) {
  std::string error;
  return evaluate_condition(expression, Predicates{ask}, error);
}

TEST(Condition, Values) {
  ::setenv("MG_V", "1", 1);
  for (const char* yes :
       {"1", "-1000 && 200", "0x10", "!!1", "streq(foo,'foo')", "streq(\"foo bar\",'foo bar')",
        "defined(MG_V) && streq(\"$MG_V\",\"1\")", "feature(LUA) || !feature(LUA)",
        "1&&!0&&!((streq(a,b)||!streq(a,a)&&1)||strneq(a,a))",
        "1   &&!   0&&    !((streq(a,b)||!streq(a,a)&&1)||strneq(a,a))", "1 || 0 && 0",
        "0 && 0 || 1", "strstr(abc,b)", R"(streq(\"a,b\",\"a,b\"))", "streq(a(b,a(b)",
        "1||awslc_api_atleast(3)"})
    EXPECT_EQ(cc(yes), 1) << yes;
  for (const char* no : {"", "0", "streq(foo,bar)", "feature(x)", "defined()",
                         "0&&awslc_api_atleast(3)", "streq( a,a)", "fips_mode", "fips_mode()"})
    EXPECT_EQ(cc(no), 0) << no;
  for (const char* wrong : {"foo", "200rrr", "!(0))", "streq(a,\"a)", "streq(a", "streq(a)",
                            "streq(a,b,c)", "1 &&", "1 || foo", "0 && foo", "(1", "!", "1&1", "()",
                            "awslc_api_atleast(3)", "# foo", "fips_mode(1)"})
    EXPECT_EQ(cc(wrong), -1) << wrong;
  EXPECT_EQ(cc(std::string(5000, '(') + "1" + std::string(5000, ')')), -1);
}

}  // namespace
}  // namespace config
