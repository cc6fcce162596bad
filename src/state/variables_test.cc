#include "state/variables.h"

#include <gtest/gtest.h>

namespace state {
namespace {

TEST(Variables, ParsesNames) {
  auto name = parse_variable("txn.user_1");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->scope, Scope::transaction);
  EXPECT_EQ(variable_text(name->id), "user_1");
  EXPECT_EQ(parse_variable("sess.user_1")->id, name->id);
  EXPECT_FALSE(parse_variable("user"));
  EXPECT_FALSE(parse_variable("zz.user"));
  EXPECT_FALSE(parse_variable("txn."));
  EXPECT_FALSE(parse_variable("txn.a/b"));
  EXPECT_EQ(parse_variable("ptxn.user_1")->id, 0u);
  EXPECT_EQ(variable_error("txn.a/b"), "invalid syntax at char '/'");
}

TEST(Variables, KeepTheirOwnTexts) {
  Variables all;
  std::uint32_t id = variable_id("x");
  EXPECT_EQ(all.get(id), nullptr);
  std::string text = "value";
  all.set(id, Value::str(text));
  text = "other";
  EXPECT_EQ(all.get(id)->view().text, "value");
  all.set(id, all.get(id)->view());
  EXPECT_EQ(all.get(id)->view().text, "value");
  all.set(id, Value::of(std::int64_t{5}));
  EXPECT_EQ(all.get(id)->view().integer, 5);
  EXPECT_TRUE(all.unset(id));
  EXPECT_FALSE(all.unset(id));
  EXPECT_EQ(all.get(id), nullptr);
  all.set(0, Value::of(true));
  EXPECT_EQ(all.get(0), nullptr);
}

}  // namespace
}  // namespace state
