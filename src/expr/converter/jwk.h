// JSON web keys (RFC 7517): octets, elliptic curves and RSA.
#pragma once

#include <openssl/evp.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

namespace expr::converter {

struct JsonWebKey {
  enum class Kind : std::uint8_t { octets, curve, rsa } kind = Kind::octets;
  std::string octets;
  std::shared_ptr<EVP_PKEY> pair;
};

// A key that decrypts: the private half of a pair must be there.
bool read_jwk(std::string_view json, JsonWebKey& out, std::string& error);
// The public half of a key on a curve; null when it is none.
std::shared_ptr<EVP_PKEY> read_public_curve(simdjson::dom::object key);

}  // namespace expr::converter
