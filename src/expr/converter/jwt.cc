// JSON web tokens in the compact form: their parts, and signatures (RFC 7515, RFC 7518 section 3,
// manual section 7.3.1).
#include <fmt/format.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <map>
#include <mutex>
#include <shared_mutex>

#include "expr/converter/base64.h"
#include "expr/converter/json_query.h"
#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

// What jwt_verify gives.
enum class Verdict : std::int64_t {
  good = 1,
  bad = 0,
  unknown_algorithm = -1,
  invalid_token = -3,
  unknown_key = -5,
  internal_error = -6
};

enum class Scheme : std::uint8_t { none, hmac, rsa, ecdsa, pss };
struct Algorithm {
  std::string_view name;
  Scheme scheme;
  const EVP_MD* (*digest)();
  std::size_t number = 0;  // bytes of each number of an ECDSA signature
};
constexpr std::array<Algorithm, 13> kAlgorithms{{
    {"HS256", Scheme::hmac, EVP_sha256},
    {"HS384", Scheme::hmac, EVP_sha384},
    {"HS512", Scheme::hmac, EVP_sha512},
    {"RS256", Scheme::rsa, EVP_sha256},
    {"RS384", Scheme::rsa, EVP_sha384},
    {"RS512", Scheme::rsa, EVP_sha512},
    {"ES256", Scheme::ecdsa, EVP_sha256, 32},
    {"ES384", Scheme::ecdsa, EVP_sha384, 48},
    {"ES512", Scheme::ecdsa, EVP_sha512, 66},
    {"PS256", Scheme::pss, EVP_sha256},
    {"PS384", Scheme::pss, EVP_sha384},
    {"PS512", Scheme::pss, EVP_sha512},
    {"none", Scheme::none, nullptr},
}};

const Algorithm* find_algorithm(std::string_view name) {
  for (const Algorithm& each : kAlgorithms)
    if (each.name == name) return &each;
  return nullptr;
}

const unsigned char* raw(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using Key = std::shared_ptr<EVP_PKEY>;

// Public keys by path. They are read with the configuration, which names all that variables may
// hold later, and stay for the life of the process.
class KnownKeys {
 public:
  Key load(const std::string& path) {
    std::unique_lock lock(lock_);
    Key& known = keys_[path];
    if (known != nullptr) return known;
    std::unique_ptr<BIO, Release<BIO_free>> file(BIO_new_file(path.c_str(), "r"));
    if (file == nullptr) return nullptr;
    EVP_PKEY* key = PEM_read_bio_PUBKEY(file.get(), nullptr, nullptr, nullptr);
    known = Key(key, EVP_PKEY_free);
    if (key == nullptr) keys_.erase(path);
    return key == nullptr ? nullptr : keys_.at(path);
  }
  Key find(std::string_view path) const {
    std::shared_lock lock(lock_);
    auto found = keys_.find(path);
    return found == keys_.end() ? nullptr : found->second;
  }

 private:
  mutable std::shared_mutex lock_;
  std::map<std::string, Key, std::less<>> keys_;
};

KnownKeys& known_keys() {
  static KnownKeys keys;
  return keys;
}

// "header.payload.signature", each in base64url.
struct Token {
  std::array<std::string_view, 3> parts;
  std::string_view signed_text;  // header and payload
};

// False unless there are `least` to `most` parts; only the first three are kept.
bool split(std::string_view text, std::size_t least, std::size_t most, Token& out) {
  std::size_t count = 0;
  std::string_view rest = text;
  for (;;) {
    std::size_t dot = rest.find('.');
    if (count < out.parts.size()) out.parts[count] = rest.substr(0, dot);
    ++count;
    if (dot == rest.npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (count < least || count > most) return false;
  const std::size_t end = out.parts[0].size() + 1 + out.parts[1].size();
  out.signed_text = text.substr(0, end);
  return true;
}

Verdict verdict(bool good) { return good ? Verdict::good : Verdict::bad; }

Verdict verify_hmac(const Algorithm& how, std::string_view key, const Token& token,
                    std::string_view signature) {
  unsigned char made[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(how.digest(), key.data(), static_cast<int>(key.size()), raw(token.signed_text),
           token.signed_text.size(), made, &size) == nullptr)
    return Verdict::internal_error;
  return verdict(size == signature.size() && CRYPTO_memcmp(made, signature.data(), size) == 0);
}

// Two numbers side by side (RFC 7518 section 3.4) as the library wants them.
std::string_view as_der(std::string_view signature, std::size_t number, base::Arena& arena) {
  std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>> both(ECDSA_SIG_new());
  const int size = static_cast<int>(number);
  BIGNUM* r = BN_bin2bn(raw(signature), size, nullptr);
  BIGNUM* s = BN_bin2bn(raw(signature) + number, size, nullptr);
  if (both == nullptr || ECDSA_SIG_set0(both.get(), r, s) != 1) return {};
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(both.get(), &der);
  if (length <= 0) return {};
  std::string_view out =
      arena.copy({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
  OPENSSL_free(der);
  return out;
}

Verdict verify_with_key(const Algorithm& how, EVP_PKEY* key, const Token& token,
                        std::string_view signature, base::Arena& arena) {
  if (how.scheme == Scheme::ecdsa) {
    if (signature.size() != 2 * how.number) return Verdict::invalid_token;
    signature = as_der(signature, how.number, arena);
    if (signature.empty()) return Verdict::invalid_token;
  }
  std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), &settings, how.digest(), nullptr, key) != 1)
    return Verdict::internal_error;
  if (how.scheme == Scheme::pss &&
      (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) <= 0 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_AUTO) <= 0))
    return Verdict::internal_error;
  return verdict(EVP_DigestVerify(context.get(), raw(signature), signature.size(),
                                  raw(token.signed_text), token.signed_text.size()) == 1);
}

Verdict check_token(std::string_view text, const Algorithm& how, std::string_view key,
                    Context& context) {
  Token token;
  if (!split(text, 2, 3, token)) return Verdict::invalid_token;
  std::string_view signature;
  if (!base64_decode(token.parts[2], true, context.arena, signature)) return Verdict::invalid_token;
  if (how.scheme == Scheme::none) return verdict(signature.empty());
  if (signature.empty()) return Verdict::invalid_token;
  if (how.scheme == Scheme::hmac) return verify_hmac(how, key, token, signature);
  const Key known = known_keys().find(key);
  if (known == nullptr) return Verdict::unknown_key;
  return verify_with_key(how, known.get(), token, signature, context.arena);
}

bool verify(Args args, Context& context, Value& value, const ConverterRow&) {
  std::string_view name, key;
  if (!text_of(args[0], context, name) || !text_of(args[1], context, key)) return false;
  const Algorithm* how = find_algorithm(name);
  const Verdict found =
      how == nullptr ? Verdict::unknown_algorithm : check_token(value.text, *how, key, context);
  return give(value, static_cast<std::int64_t>(found));
}

bool check_verify(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  const std::string algorithm = args[0].text(), key = args[1].text();
  const Algorithm* how = find_algorithm(algorithm);
  if (how == nullptr) {
    auto variable = state::parse_variable(algorithm);
    if (!variable) {
      error = fmt::format("unknown JWT algorithm : {}", algorithm);
      return false;
    }
    args[0].value = *variable;
  }
  if (auto variable = state::parse_variable(key)) {
    args[1].value = *variable;
    return true;
  }
  // With an algorithm that is not known yet it may be a secret.
  const bool needs_key = how != nullptr && how->scheme != Scheme::hmac;
  if (known_keys().load(key) != nullptr || !needs_key) return true;
  error = fmt::format("cannot read a public key from '{}'", key);
  return false;
}

// A part of a token, or what json_query finds in it.
template <std::size_t kPart>
bool part(Args args, Context& context, Value& value, const ConverterRow&) {
  Token token;
  if (!split(value.text, 2, kPart == 0 ? 5 : 3, token)) return false;
  std::string_view decoded;
  if (!base64_decode(token.parts[kPart], true, context.arena, decoded)) return false;
  give_text(value, decoded);
  return !has(args, 0) || run_json_query(args[0], context, value);
}

bool check_part(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                std::string& error) {
  return !has(args, 0) || compile_json_query(args, error);
}

constexpr ConverterRow kRows[] = {
    {{"jwt_header_query", "[ss", "The header of a JSON web token, or the value at a path of it."},
     Type::binary,
     Type::any,
     part<0>,
     check_part},
    {{"jwt_payload_query", "[ss", "The payload of a JSON web token, or the value at a path of it."},
     Type::binary,
     Type::any,
     part<1>,
     check_part},
    {{"jwt_verify", "ss",
      "Checks the signature of a JSON web token: 1 good, 0 bad, negative for other errors."},
     Type::binary,
     Type::integer,
     verify,
     check_verify},
};

}  // namespace

std::span<const ConverterRow> jwt_converters() { return kRows; }

}  // namespace expr::converter
