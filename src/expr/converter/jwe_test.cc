#include <gtest/gtest.h>
#include <openssl/rsa.h>

#include "expr/converter/base64.h"
#include "expr/converter/jwe_crypto.h"
#include "expr/converter/jwk.h"

namespace expr::converter {
namespace {

std::string decoded(std::string_view text) {
  base::Arena arena;
  std::string_view out;
  EXPECT_TRUE(base64_decode(text, true, arena, out));
  return std::string(out);
}

std::shared_ptr<EVP_PKEY> rsa_key() {
  static const std::shared_ptr<EVP_PKEY> key(EVP_RSA_gen(1024), EVP_PKEY_free);
  return key;
}

// A block as it is, or with the padding of PKCS #1 around it.
std::string encrypted(std::string_view block, int padding) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new(rsa_key().get(), nullptr);
  std::string out(static_cast<std::size_t>(EVP_PKEY_get_size(rsa_key().get())), '\0');
  std::size_t size = out.size();
  EXPECT_GT(EVP_PKEY_encrypt_init(context), 0);
  EXPECT_GT(EVP_PKEY_CTX_set_rsa_padding(context, padding), 0);
  EXPECT_GT(EVP_PKEY_encrypt(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                             reinterpret_cast<const unsigned char*>(block.data()), block.size()),
            0);
  EVP_PKEY_CTX_free(context);
  return out;
}

// What comes out, twice: the same both times is a key that was found, else they are of chance.
bool is_found(std::string_view wrapped, std::string_view key) {
  KeyBytes one(16), two(16);
  EXPECT_TRUE(decrypt_rsa_pkcs1(rsa_key().get(), wrapped, one));
  EXPECT_TRUE(decrypt_rsa_pkcs1(rsa_key().get(), wrapped, two));
  EXPECT_EQ(one.view() == key, two.view() == key);
  if (one.view() != key) {
    EXPECT_NE(one.view(), two.view());
  }
  return one.view() == key;
}

TEST(TokenCrypto, TakesAKeyOfChanceWhenThePaddingIsWrong) {
  const std::string key = "0123456789abcdef";
  EXPECT_TRUE(is_found(encrypted(key, RSA_PKCS1_PADDING), key));
  EXPECT_FALSE(is_found(encrypted("x" + key, RSA_PKCS1_PADDING), key));
  EXPECT_FALSE(is_found(encrypted(key.substr(1), RSA_PKCS1_PADDING), key));
  std::string block(128, '\1');
  block[0] = '\0';
  block[1] = '\2';
  block[111] = '\0';
  block.replace(112, 16, key);
  EXPECT_TRUE(is_found(encrypted(block, RSA_NO_PADDING), key));
  for (const auto& [at, byte] :
       {std::pair{0, '\1'}, {1, '\1'}, {1, '\0'}, {2, '\0'}, {9, '\0'}, {110, '\0'}, {111, '\1'}}) {
    std::string other = block;
    other[static_cast<std::size_t>(at)] = byte;
    EXPECT_FALSE(is_found(encrypted(other, RSA_NO_PADDING), key)) << at;
  }
}

TEST(TokenCrypto, RefusesTextsOfAnotherSizeThanTheKey) {
  KeyBytes out(16);
  EXPECT_FALSE(decrypt_rsa_pkcs1(rsa_key().get(), std::string(127, 'a'), out));
  EXPECT_FALSE(decrypt_rsa_oaep(rsa_key().get(), EVP_sha1(), std::string(129, 'a'), out));
}

// RFC 7518 appendix C.
TEST(TokenCrypto, DerivesTheKeyOfTheStandard) {
  JsonWebKey alice, bob;
  std::string error;
  ASSERT_TRUE(
      read_jwk(R"({"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
    "y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps",
    "d":"0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"})",
               alice, error));
  ASSERT_TRUE(
      read_jwk(R"({"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",
    "y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck",
    "d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"})",
               bob, error));
  const Parties parties{"A128GCM", "Alice", "Bob"};
  for (auto [mine, theirs] : {std::pair{&alice, &bob}, {&bob, &alice}}) {
    KeyBytes out(16);
    ASSERT_TRUE(agree_on_key(mine->pair.get(), theirs->pair.get(), parties, out));
    EXPECT_EQ(out.view(), decoded("VqqN6vgjbSBcIijNcacQGg"));
  }
}

// RFC 3394 section 4.1.
TEST(TokenCrypto, UnwrapsTheKeyOfTheStandard) {
  const std::string key("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16);
  std::string wrapped(
      "\x1f\xa6\x8b\x0a\x81\x12\xb4\x47\xae\xf3\x4b\xd8\xfb\x5a\x7b\x82"
      "\x9d\x3e\x86\x23\x71\xd2\xcf\xe5",
      24);
  KeyBytes out(16), longer(24);
  ASSERT_TRUE(unwrap_aes(key, wrapped, out));
  EXPECT_EQ(out.view(),
            std::string("\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16));
  EXPECT_FALSE(unwrap_aes(key, wrapped, longer));
  wrapped.back() = '\0';
  EXPECT_FALSE(unwrap_aes(key, wrapped, out));
}

TEST(JsonWebKey, MustBeCompleteAndOnItsCurve) {
  JsonWebKey key;
  std::string error;
  for (std::string_view json :
       {"", "[]", "{}", R"({"kty":"oct"})", R"({"kty":"oct","k":1})", R"({"kty":"oct","k":"AA"} x)",
        R"({"kty":"RSA","n":"AQAB","e":"AQAB"})",
        // The point of the standard's key with another last byte.
        R"({"kty":"EC","crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
            "y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFppo",
            "d":"0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo"})"})
    EXPECT_FALSE(read_jwk(json, key, error)) << json;
  EXPECT_TRUE(read_jwk(R"({"kty":"oct","k":"AA"})", key, error));
  EXPECT_EQ(key.octets, std::string(1, '\0'));
}

}  // namespace
}  // namespace expr::converter
