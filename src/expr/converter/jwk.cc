#include "expr/converter/jwk.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <vector>

#include "expr/converter/base64.h"

namespace expr::converter {
namespace {

using simdjson::dom::object;

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};

struct Curve {
  std::string_view name;
  const char* group;
  std::size_t number;  // bytes of a coordinate
};
constexpr Curve kCurves[] = {
    {"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};

std::string_view text_of(object key, const char* name) {
  std::string_view text;
  return key[name].get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool bytes_of(object key, const char* name, base::Arena& arena, std::string_view& out) {
  const std::string_view text = text_of(key, name);
  return !text.empty() && base64_decode(text, true, arena, out);
}

// Collects the parts of a key and makes it.
class Builder {
 public:
  Builder() : parts_(OSSL_PARAM_BLD_new()) { good_ = parts_ != nullptr; }

  Builder& number(const char* name, std::string_view bytes, bool secret) {
    Number made(secret ? BN_secure_new() : BN_new());
    good_ = good_ && made != nullptr &&
            BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                      static_cast<int>(bytes.size()), made.get()) != nullptr &&
            OSSL_PARAM_BLD_push_BN(parts_.get(), name, made.get()) == 1;
    numbers_.push_back(std::move(made));
    return *this;
  }
  Builder& name(const char* name, const char* text) {
    good_ = good_ && OSSL_PARAM_BLD_push_utf8_string(parts_.get(), name, text, 0) == 1;
    return *this;
  }
  Builder& octets(const char* name, std::string_view bytes) {
    good_ = good_ &&
            OSSL_PARAM_BLD_push_octet_string(parts_.get(), name, bytes.data(), bytes.size()) == 1;
    return *this;
  }
  std::shared_ptr<EVP_PKEY> make(const char* type, int selection) {
    if (!good_) return nullptr;
    std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>> all(
        OSSL_PARAM_BLD_to_param(parts_.get()));
    std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>> context(
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (all == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &key, selection, all.get()) <= 0)
      return nullptr;
    return {key, EVP_PKEY_free};
  }

 private:
  using Number = std::unique_ptr<BIGNUM, Release<BN_clear_free>>;
  std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>> parts_;
  std::vector<Number> numbers_;  // the builder only refers to them
  bool good_;
};

std::shared_ptr<EVP_PKEY> read_curve(object key, bool with_private) {
  const std::string_view name = text_of(key, "crv");
  const Curve* curve = nullptr;
  for (const Curve& each : kCurves)
    if (each.name == name) curve = &each;
  base::Arena arena;
  std::string_view x, y, d;
  if (curve == nullptr || text_of(key, "kty") != "EC" || !bytes_of(key, "x", arena, x) ||
      !bytes_of(key, "y", arena, y) || x.size() != curve->number || y.size() != curve->number)
    return nullptr;
  std::string point("\4");  // not compressed
  point.append(x).append(y);
  Builder builder;
  builder.name(OSSL_PKEY_PARAM_GROUP_NAME, curve->group).octets(OSSL_PKEY_PARAM_PUB_KEY, point);
  if (!with_private) return builder.make("EC", EVP_PKEY_PUBLIC_KEY);
  if (!bytes_of(key, "d", arena, d) || d.size() > curve->number) return nullptr;
  return builder.number(OSSL_PKEY_PARAM_PRIV_KEY, d, true).make("EC", EVP_PKEY_KEYPAIR);
}

std::shared_ptr<EVP_PKEY> read_rsa(object key) {
  struct Part {
    const char *name, *parameter;
  };
  static constexpr Part kPublic[] = {{"n", OSSL_PKEY_PARAM_RSA_N}, {"e", OSSL_PKEY_PARAM_RSA_E}};
  static constexpr Part kPrivate[] = {
      {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
      {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
      {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
  base::Arena arena;
  std::string_view bytes;
  Builder builder;
  for (const Part& part : kPublic) {
    if (!bytes_of(key, part.name, arena, bytes)) return nullptr;
    builder.number(part.parameter, bytes, false);
  }
  for (const Part& part : kPrivate) {
    if (!bytes_of(key, part.name, arena, bytes)) return nullptr;
    builder.number(part.parameter, bytes, true);
  }
  return builder.make("RSA", EVP_PKEY_KEYPAIR);
}

bool read_octets(object key, std::string& out) {
  base::Arena arena;
  std::string_view bytes;
  if (!bytes_of(key, "k", arena, bytes)) return false;
  out = bytes;
  return true;
}

}  // namespace

bool read_jwk(std::string_view json, JsonWebKey& out, std::string& error) {
  simdjson::dom::parser parser;
  object key;
  const bool parsed =
      parser.parse(json.data(), json.size()).get_object().get(key) == simdjson::SUCCESS;
  const std::string_view type = parsed ? text_of(key, "kty") : std::string_view();
  if (type != "oct" && type != "EC" && type != "RSA") {
    error = "Missing key type (expected 'oct', 'RSA' or 'EC').";
    return false;
  }
  error = "the JSON web key is not complete or not valid";
  if (type == "oct") {
    out.kind = JsonWebKey::Kind::octets;
    return read_octets(key, out.octets);
  }
  out.kind = type == "EC" ? JsonWebKey::Kind::curve : JsonWebKey::Kind::rsa;
  out.pair = type == "EC" ? read_curve(key, true) : read_rsa(key);
  return out.pair != nullptr;
}

std::shared_ptr<EVP_PKEY> read_public_curve(object key) { return read_curve(key, false); }

}  // namespace expr::converter
