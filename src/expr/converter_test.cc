#include <gtest/gtest.h>

#include "expr/testing.h"

namespace expr {
namespace {

constexpr const char* kNone = "<none>";
struct Case {
  std::string_view expression, expected;
};
constexpr Case kCases[] = {
#include "expr/converter/values_test.inc"
};

TEST(Converter, GivesWhatTheReferenceGives) {
  for (const Case& each : kCases) {
    TestBench bench;
    for (std::string_view set : {"int(4),set-var(txn.four)", "int(1),set-var(txn.one)",
                                 "int(-1),set-var(txn.minus)", "str(text),set-var(txn.text)",
                                 "str(42),set-var(txn.num)", "str(Zm9v),set-var(txn.b64key)"})
      bench.evaluate(set);
    bench.exchange.is_http = bench.exchange.request_valid = true;
    bench.exchange.request.method_text = "GET";
    EXPECT_EQ(bench.evaluate(each.expression), each.expected) << each.expression;
  }
}

TEST(Converter, EncryptsAndDecrypts) {
  TestBench bench;
  std::string_view cbc = "128,MTIzNDU2Nzg5MDEyMzQ1Ng==,Zm9vb2Zvb29mb29vb29vbw==";
  std::string_view gcm = "128,MTIzNDU2Nzg5MDEy,Zm9vb2Zvb29mb29vb29vbw==,txn.tag,dGVzdAo=";
  std::string both =
      "str(Hello),aes_cbc_enc(" + std::string(cbc) + "),aes_cbc_dec(" + std::string(cbc) + ")";
  EXPECT_EQ(bench.evaluate(both), "Hello");
  both = "str(Hello),aes_gcm_enc(" + std::string(gcm) + "),aes_gcm_dec(" + std::string(gcm) + ")";
  EXPECT_EQ(bench.evaluate(both), "Hello");
  bench.evaluate("str(AAAAAAAAAAAAAAAAAAAAAA==),set-var(txn.bad)");
  EXPECT_EQ(bench.evaluate(
                "str(Hello),aes_gcm_dec(128,MTIzNDU2Nzg5MDEy,Zm9vb2Zvb29mb29vb29vbw==,txn.bad)"),
            kNone);
}

TEST(Converter, ReadsFixMessages) {
  TestBench bench;
  std::string message =
      "bin("
      "383d4649582e342e3401393d37390133353d410133343d310134393d4558454355544f520135323d323032303130"
      "32"
      "392d31333a30323a34342e3533353336300135363d434c49454e54310139383d30013130383d3330013134313d59"
      "0131303d"
      "30333801)";
  EXPECT_EQ(bench.evaluate(message + ",fix_is_valid"), "1");
  EXPECT_EQ(bench.evaluate(message + ",fix_tag_value(SenderCompID)"), "EXECUTOR");
  EXPECT_EQ(bench.evaluate(message + ",fix_tag_value(10)"), "038");
  EXPECT_EQ(bench.evaluate(message + ",fix_tag_value(4711)"), kNone);
  EXPECT_EQ(bench.evaluate("bin(383d4649582e342e3401393d37390133353d4101),fix_is_valid"), kNone);
}

TEST(Converter, ReadsMqttPackets) {
  TestBench bench;
  std::string connect =
      "bin("
      "107e00044d51545405ee003c182700000014170126000161000162260001630001642100140008746573745f7375"
      "622a03"
      "000a746578742f706c61696e08000c77696c6c727370746f7069632600016500016626000167000168000977696c"
      "6c746f7069"
      "63000b77696c6c7061796c6f61640004746573740006706173737764)";
  std::string connack =
      "bin(20250000221100000078217fff24012501270000ffff22000a2600016100016226000163000164)";
  EXPECT_EQ(bench.evaluate(connect + ",mqtt_is_valid"), "1");
  EXPECT_EQ(bench.evaluate(connack + ",mqtt_is_valid"), "1");
  EXPECT_EQ(bench.evaluate("bin(d000),mqtt_is_valid"), "0");
  EXPECT_EQ(
      bench.evaluate("bin(10ffffffff1400044d5154540402003c0008746573745f737562),mqtt_is_valid"),
      "0");
  EXPECT_EQ(bench.evaluate("bin(101400044d5154540402003c0008746573745f737562),mqtt_is_valid"), "1");
  EXPECT_EQ(bench.evaluate("bin(111400044d5154540402003c0008746573745f737562),mqtt_is_valid"), "0");
  struct {
    std::string_view field, value;
  } of_connect[] = {{"flags", "238"},
                    {"protocol_name", "MQTT"},
                    {"protocol_version", "5"},
                    {"username", "test"},
                    {"client_identifier", "test_sub"},
                    {"39", "20"},
                    {"3", "text/plain"},
                    {"8", "willrsptopic"},
                    {"will_topic", "willtopic"},
                    {"will_payload", "willpayload"},
                    {"password", "passwd"},
                    {"23", "1"}};
  for (const auto& each : of_connect)
    EXPECT_EQ(
        bench.evaluate(connect + ",mqtt_field_value(connect," + std::string(each.field) + ")"),
        each.value);
  EXPECT_EQ(bench.evaluate(connack + ",mqtt_field_value(connack,17)"), "120");
  EXPECT_EQ(bench.evaluate(connack + ",mqtt_field_value(2,protocol_version)"), "5");
}

TEST(Converter, CountsAsAbsentWhatWasLeftOut) {
  TestBench bench;
  EXPECT_EQ(bench.evaluate("str(foo),sha2,hex"),
            "2C26B46B68FFC68FF99B453C1D30413413422D706483BFA0F98A5E886266E7AE");
  EXPECT_EQ(bench.evaluate("str(foo),wt6"), "3349746274");
  EXPECT_EQ(bench.evaluate("str(a%20b+c?d+e),url_dec"), "a b+c?d e");
  EXPECT_EQ(bench.evaluate("int(1700000000),http_date"), "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST(Converter, RefusesByName) {
  TestBench bench;
  EXPECT_EQ(bench.evaluate("str(a),jwt_decrypt_cert(x)"),
            "<error> invalid args in converter 'jwt_decrypt_cert' : 'jwt_decrypt_cert' is not "
            "supported yet");
}

}  // namespace
}  // namespace expr
