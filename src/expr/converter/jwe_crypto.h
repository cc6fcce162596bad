// The operations that encrypted tokens are made of (RFC 7518 sections 4 and 5), on bytes.
#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <string_view>

namespace expr::converter {

// A symmetric key on the stack; wiped when it goes.
class KeyBytes {
 public:
  explicit KeyBytes(std::size_t size) : size_(size) {}
  KeyBytes(const KeyBytes&) = delete;
  KeyBytes& operator=(const KeyBytes&) = delete;
  ~KeyBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  unsigned char* data() { return bytes_.data(); }
  std::size_t size() const { return size_; }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }
  // False unless it has just this size.
  bool assign(std::string_view from);

 private:
  std::array<unsigned char, 64> bytes_{};
  std::size_t size_;
};

// What authenticated encryption gave.
struct Sealed {
  std::string_view nonce, text, tag, aad;
};

// All of these are false when something does not fit: sizes, or the proof that nobody changed it.
// `out` has room for the text; `size` is what was written.
bool open_gcm(std::string_view key, const Sealed& sealed, unsigned char* out, std::size_t& size);
bool open_cbc_hmac(std::string_view key, const Sealed& sealed, unsigned char* out,
                   std::size_t& size);
bool unwrap_aes(std::string_view key, std::string_view wrapped, KeyBytes& out);  // RFC 3394

// Never tells whether the padding was right: a key of chance comes out when it was not, and the
// content then fails as it does with any other wrong key (RFC 7516 section 11.5). False for keys
// of another kind and texts of another size than the key's, which everybody can see.
bool decrypt_rsa_pkcs1(EVP_PKEY* key, std::string_view wrapped, KeyBytes& out);
bool decrypt_rsa_oaep(EVP_PKEY* key, const EVP_MD* digest, std::string_view wrapped, KeyBytes& out);

// What both sides put into the derivation of a common key.
struct Parties {
  std::string_view algorithm, producer, consumer;
};
// Elliptic curves, then the derivation of NIST SP 800-56A with SHA-256.
bool agree_on_key(EVP_PKEY* mine, EVP_PKEY* theirs, const Parties& parties, KeyBytes& out);

}  // namespace expr::converter
