#include "expr/converter/jwe_crypto.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <cstdint>
#include <cstring>
#include <memory>

namespace expr::converter {
namespace {

constexpr std::size_t kGcmNonce = 12, kGcmTag = 16, kBlock = 16;
constexpr std::size_t kLongestRsa = 2048;   // bytes: keys of 16384 bits
constexpr std::size_t kLongestSecret = 66;  // bytes of a number of P-521

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Release<EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;

const unsigned char* raw(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
int length(std::string_view s) { return static_cast<int>(s.size()); }

// The cipher for a key of this many bytes; none for other sizes.
const EVP_CIPHER* gcm_for(std::size_t key) {
  return key == 16   ? EVP_aes_128_gcm()
         : key == 24 ? EVP_aes_192_gcm()
         : key == 32 ? EVP_aes_256_gcm()
                     : nullptr;
}
const EVP_CIPHER* cbc_for(std::size_t key) {
  return key == 16   ? EVP_aes_128_cbc()
         : key == 24 ? EVP_aes_192_cbc()
         : key == 32 ? EVP_aes_256_cbc()
                     : nullptr;
}
const EVP_CIPHER* wrap_for(std::size_t key) {
  return key == 16   ? EVP_aes_128_wrap()
         : key == 24 ? EVP_aes_192_wrap()
         : key == 32 ? EVP_aes_256_wrap()
                     : nullptr;
}
const EVP_MD* digest_for(std::size_t half) {
  return half == 16 ? EVP_sha256() : half == 24 ? EVP_sha384() : EVP_sha512();
}

bool put_number(EVP_MD_CTX* digest, std::uint32_t number) {  // most significant byte first
  const unsigned char bytes[] = {
      static_cast<unsigned char>(number >> 24), static_cast<unsigned char>(number >> 16),
      static_cast<unsigned char>(number >> 8), static_cast<unsigned char>(number)};
  return EVP_DigestUpdate(digest, bytes, sizeof bytes) == 1;
}
bool put_text(EVP_MD_CTX* digest, std::string_view text) {
  return put_number(digest, static_cast<std::uint32_t>(text.size())) &&
         EVP_DigestUpdate(digest, text.data(), text.size()) == 1;
}

// The first half of the code over header, nonce, text and the header's size in bits (RFC 7518
// section 5.2.2.1) is the tag.
bool authentic(std::string_view key, const Sealed& sealed) {
  static EVP_MAC* const kHmac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  char* name = const_cast<char*>(EVP_MD_get0_name(digest_for(key.size())));  // is only read
  const OSSL_PARAM settings[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
  unsigned char made[EVP_MAX_MD_SIZE];
  std::size_t made_size = 0;
  unsigned char bits[8];
  for (unsigned i = 0; i < 8; ++i)
    bits[i] = static_cast<unsigned char>(std::uint64_t{sealed.aad.size()} * 8 >> (56 - 8 * i));
  std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX_free>> code(EVP_MAC_CTX_new(kHmac));
  if (code == nullptr || EVP_MAC_init(code.get(), raw(key), key.size(), settings) != 1 ||
      EVP_MAC_update(code.get(), raw(sealed.aad), sealed.aad.size()) != 1 ||
      EVP_MAC_update(code.get(), raw(sealed.nonce), sealed.nonce.size()) != 1 ||
      EVP_MAC_update(code.get(), raw(sealed.text), sealed.text.size()) != 1 ||
      EVP_MAC_update(code.get(), bits, sizeof bits) != 1 ||
      EVP_MAC_final(code.get(), made, &made_size, sizeof made) != 1)
    return false;
  return sealed.tag.size() == key.size() && made_size == 2 * key.size() &&
         CRYPTO_memcmp(made, sealed.tag.data(), sealed.tag.size()) == 0;
}

// 0xff when the byte is zero, else 0, without a branch.
unsigned mask_of_zero(unsigned byte) { return (byte - 1) >> 8 & 0xff; }

// 0xff when `block` is 0, 2, at least eight bytes other than zero, 0, and `size` more bytes (RFC
// 8017 section 7.2.2); takes the same time whatever is in it.
unsigned mask_of_padding(const unsigned char* block, std::size_t block_size, std::size_t size) {
  const std::size_t separator = block_size - size - 1;
  unsigned good = mask_of_zero(block[0]) & mask_of_zero(block[1] ^ 2u);
  for (std::size_t i = 2; i < separator; ++i) good &= ~mask_of_zero(block[i]) & 0xff;
  return good & mask_of_zero(block[separator]);
}

// A context to decrypt with an RSA key, when the text has the key's size.
KeyContext rsa_context(EVP_PKEY* key, std::string_view wrapped, int padding) {
  const auto size = static_cast<std::size_t>(EVP_PKEY_get_size(key));
  if (EVP_PKEY_is_a(key, "RSA") != 1 || wrapped.size() != size || size > kLongestRsa)
    return nullptr;
  KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  if (context == nullptr || EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), padding) <= 0)
    return nullptr;
  return context;
}

// Decrypted blocks of RSA, wiped when they go.
struct Block {
  std::array<unsigned char, kLongestRsa> bytes{};
  ~Block() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

bool common_secret(EVP_PKEY* mine, EVP_PKEY* theirs, unsigned char* out, std::size_t& size) {
  KeyContext context(EVP_PKEY_CTX_new(mine, nullptr));
  std::size_t wanted = 0;
  // Checks the other side's point, too.
  if (context == nullptr || EVP_PKEY_derive_init(context.get()) <= 0 ||
      EVP_PKEY_derive_set_peer(context.get(), theirs) <= 0 ||
      EVP_PKEY_derive(context.get(), nullptr, &wanted) <= 0 || wanted > size)
    return false;
  return EVP_PKEY_derive(context.get(), out, &size) > 0;
}

// One round of the derivation; `out` has room for a SHA-256 digest.
bool derive_round(std::uint32_t round, std::string_view secret, const Parties& parties,
                  std::size_t bits, unsigned char* out) {
  DigestContext digest(EVP_MD_CTX_new());
  return digest != nullptr && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1 &&
         put_number(digest.get(), round) &&
         EVP_DigestUpdate(digest.get(), secret.data(), secret.size()) == 1 &&
         put_text(digest.get(), parties.algorithm) && put_text(digest.get(), parties.producer) &&
         put_text(digest.get(), parties.consumer) &&
         put_number(digest.get(), static_cast<std::uint32_t>(bits)) &&
         EVP_DigestFinal_ex(digest.get(), out, nullptr) == 1;
}

}  // namespace

bool KeyBytes::assign(std::string_view from) {
  if (from.size() != size_) return false;
  std::memcpy(bytes_.data(), from.data(), from.size());
  return true;
}

bool open_gcm(std::string_view key, const Sealed& sealed, unsigned char* out, std::size_t& size) {
  const EVP_CIPHER* cipher = gcm_for(key.size());
  if (cipher == nullptr || sealed.nonce.size() != kGcmNonce || sealed.tag.size() != kGcmTag)
    return false;
  CipherContext context(EVP_CIPHER_CTX_new());
  int done = 0, last = 0;
  auto* tag = const_cast<char*>(sealed.tag.data());  // is only read
  if (context == nullptr ||
      EVP_DecryptInit_ex(context.get(), cipher, nullptr, raw(key), raw(sealed.nonce)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTag, tag) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &done, raw(sealed.aad), length(sealed.aad)) != 1 ||
      EVP_DecryptUpdate(context.get(), out, &done, raw(sealed.text), length(sealed.text)) != 1 ||
      EVP_DecryptFinal_ex(context.get(), out + done, &last) != 1)
    return false;
  size = static_cast<std::size_t>(done + last);
  return true;
}

bool open_cbc_hmac(std::string_view key, const Sealed& sealed, unsigned char* out,
                   std::size_t& size) {
  const std::size_t half = key.size() / 2;
  const EVP_CIPHER* cipher = cbc_for(half);
  if (cipher == nullptr || sealed.nonce.size() != kBlock) return false;
  if (!authentic(key.substr(0, half), sealed)) return false;
  CipherContext context(EVP_CIPHER_CTX_new());
  int done = 0, last = 0;
  if (context == nullptr ||
      EVP_DecryptInit_ex(context.get(), cipher, nullptr, raw(key.substr(half)),
                         raw(sealed.nonce)) != 1 ||
      EVP_DecryptUpdate(context.get(), out, &done, raw(sealed.text), length(sealed.text)) != 1 ||
      EVP_DecryptFinal_ex(context.get(), out + done, &last) != 1)
    return false;
  size = static_cast<std::size_t>(done + last);
  return true;
}

bool unwrap_aes(std::string_view key, std::string_view wrapped, KeyBytes& out) {
  const EVP_CIPHER* cipher = wrap_for(key.size());
  if (cipher == nullptr || wrapped.size() != out.size() + 8) return false;
  CipherContext context(EVP_CIPHER_CTX_new());
  if (context == nullptr) return false;
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  int done = 0;
  return EVP_DecryptInit_ex(context.get(), cipher, nullptr, raw(key), nullptr) == 1 &&
         EVP_DecryptUpdate(context.get(), out.data(), &done, raw(wrapped), length(wrapped)) == 1 &&
         static_cast<std::size_t>(done) == out.size();
}

bool decrypt_rsa_pkcs1(EVP_PKEY* key, std::string_view wrapped, KeyBytes& out) {
  // The library's own removal of the padding tells how it went; the size that must come out is
  // known, so the padding is checked here, all of it at once.
  KeyContext context = rsa_context(key, wrapped, RSA_NO_PADDING);
  KeyBytes chance(out.size());
  Block block;
  std::size_t size = block.bytes.size();
  if (context == nullptr || wrapped.size() < out.size() + 11 ||
      RAND_priv_bytes(chance.data(), static_cast<int>(chance.size())) != 1 ||
      EVP_PKEY_decrypt(context.get(), block.bytes.data(), &size, raw(wrapped), wrapped.size()) <=
          0 ||
      size != wrapped.size())
    return false;
  const unsigned good = mask_of_padding(block.bytes.data(), size, out.size());
  const unsigned char* found = block.bytes.data() + size - out.size();
  for (std::size_t i = 0; i < out.size(); ++i)
    out.data()[i] =
        static_cast<unsigned char>((found[i] & good) | (chance.data()[i] & ~good & 0xff));
  return true;
}

bool decrypt_rsa_oaep(EVP_PKEY* key, const EVP_MD* digest, std::string_view wrapped,
                      KeyBytes& out) {
  KeyContext context = rsa_context(key, wrapped, RSA_PKCS1_OAEP_PADDING);
  Block block;
  std::size_t size = block.bytes.size();
  if (context == nullptr || EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), digest) <= 0 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), digest) <= 0 ||
      RAND_priv_bytes(out.data(), static_cast<int>(out.size())) != 1)
    return false;
  const bool good =
      EVP_PKEY_decrypt(context.get(), block.bytes.data(), &size, raw(wrapped), wrapped.size()) > 0;
  if (good && size == out.size()) std::memcpy(out.data(), block.bytes.data(), size);
  return true;
}

bool agree_on_key(EVP_PKEY* mine, EVP_PKEY* theirs, const Parties& parties, KeyBytes& out) {
  constexpr std::size_t kRound = 32;
  unsigned char secret[kLongestSecret];
  unsigned char made[2 * kRound];
  std::size_t size = sizeof secret;
  bool good = out.size() <= sizeof made && common_secret(mine, theirs, secret, size);
  const std::string_view common(reinterpret_cast<const char*>(secret), size);
  for (std::uint32_t i = 0; good && i * kRound < out.size(); ++i)
    good = derive_round(i + 1, common, parties, out.size() * 8, made + i * kRound);
  if (good) std::memcpy(out.data(), made, out.size());
  OPENSSL_cleanse(secret, sizeof secret);
  OPENSSL_cleanse(made, sizeof made);
  return good;
}

}  // namespace expr::converter
