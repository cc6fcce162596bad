// Encrypted JSON web tokens in the compact form (RFC 7516, RFC 7518, manual section 7.3.1). All
// tokens that cannot be decrypted are alike: there is no value.
#include "expr/jwe.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <memory>

#include "expr/converter/base64.h"
#include "expr/converter/base64_argument.h"
#include "expr/converter/jwe_crypto.h"
#include "expr/converter/jwk.h"
#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {
namespace {

// How the key of the content gets to the receiver.
enum class Management : std::uint8_t {
  none,
  direct,
  aes_wrap,
  gcm_wrap,
  rsa_pkcs1,
  rsa_oaep,
  rsa_oaep_256,
  agreement,
  agreement_and_wrap
};
struct Algorithm {
  std::string_view name;
  Management how;
  std::size_t key = 0;  // bytes of the key that wraps the content's
};
constexpr std::array<Algorithm, 17> kAlgorithms{{
    {"RSA1_5", Management::rsa_pkcs1},
    {"RSA-OAEP", Management::rsa_oaep},
    {"RSA-OAEP-256", Management::rsa_oaep_256},
    {"A128KW", Management::aes_wrap, 16},
    {"A192KW", Management::aes_wrap, 24},
    {"A256KW", Management::aes_wrap, 32},
    {"dir", Management::direct},
    {"ECDH-ES", Management::agreement},
    {"ECDH-ES+A128KW", Management::agreement_and_wrap, 16},
    {"ECDH-ES+A192KW", Management::agreement_and_wrap, 24},
    {"ECDH-ES+A256KW", Management::agreement_and_wrap, 32},
    {"A128GCMKW", Management::gcm_wrap, 16},
    {"A192GCMKW", Management::gcm_wrap, 24},
    {"A256GCMKW", Management::gcm_wrap, 32},
    // May be named in a list, like the others of RFC 7518.
    {"PBES2-HS256+A128KW", Management::none},
    {"PBES2-HS384+A192KW", Management::none},
    {"PBES2-HS512+A256KW", Management::none},
}};

static_assert(kAlgorithms[0].name == "RSA1_5", "the bit that kUsualKeyManagement leaves out");

struct Encryption {
  std::string_view name;
  bool gcm;
  std::size_t key;
};
constexpr std::array<Encryption, 6> kEncryptions{{
    {"A128CBC-HS256", false, 32},
    {"A192CBC-HS384", false, 48},
    {"A256CBC-HS512", false, 64},
    {"A128GCM", true, 16},
    {"A192GCM", true, 24},
    {"A256GCM", true, 32},
}};

// Bits by the index in the tables above.
std::atomic<AlgorithmSet> allowed_algorithms{kUsualKeyManagement};
std::atomic<AlgorithmSet> allowed_encryptions{kUsualContentEncryption};

template <class Table>
std::size_t index_of(const Table& table, std::string_view name) {
  std::size_t i = 0;
  while (i < table.size() && table[i].name != name) ++i;
  return i;
}

// The row of that name, when tokens may use it.
template <class Table>
const typename Table::value_type* find(const Table& table, const std::atomic<AlgorithmSet>& allowed,
                                       std::string_view name) {
  const std::size_t i = index_of(table, name);
  if (i == table.size() || (allowed.load(std::memory_order_relaxed) >> i & 1) == 0) return nullptr;
  return &table[i];
}

template <class Table>
std::string_view read_list(const Table& table, std::string_view list, AlgorithmSet& out) {
  out = 0;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t end = std::min(list.find(':', from), list.size());
    std::string_view name = list.substr(from, end - from);
    from = end + 1;
    const bool forbid = name.starts_with('!');
    if (forbid) name.remove_prefix(1);
    if (name.empty()) continue;
    const std::size_t i = index_of(table, name);
    if (i == table.size() && name != "ALL") return name;
    const AlgorithmSet bits = name == "ALL" ? ~AlgorithmSet{0} : AlgorithmSet{1} << i;
    out = forbid ? out & ~bits : out | bits;
  }
  return {};
}

// "header.key.nonce.text.tag", each in base64url; all but the header are decoded.
struct Token {
  std::string_view header;
  std::string_view key;
  Sealed content;
};

bool read_token(std::string_view text, base::Arena& arena, Token& out) {
  std::array<std::string_view, 5> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == text.npos) != (i + 1 == parts.size())) return false;
    parts[i] = text.substr(0, dot);
    if (dot != text.npos) text.remove_prefix(dot + 1);
  }
  out.content.aad = parts[0];
  return base64_decode(parts[0], true, arena, out.header) &&
         base64_decode(parts[1], true, arena, out.key) &&
         base64_decode(parts[2], true, arena, out.content.nonce) &&
         base64_decode(parts[3], true, arena, out.content.text) &&
         base64_decode(parts[4], true, arena, out.content.tag);
}

// What the header tells, decoded.
struct Header {
  const Algorithm* algorithm = nullptr;
  const Encryption* encryption = nullptr;
  std::string_view nonce, tag;          // of the wrapped key
  std::string_view producer, consumer;  // of a derived key
  std::shared_ptr<EVP_PKEY> ephemeral;
};

bool text_of(simdjson::dom::object from, const char* name, std::string_view& out) {
  return from[name].get_string().get(out) == simdjson::SUCCESS;
}
// True as well when there is none: the text then stays empty.
bool bytes_of(simdjson::dom::object from, const char* name, base::Arena& arena,
              std::string_view& out) {
  std::string_view text;
  if (from[name].error() == simdjson::NO_SUCH_FIELD) return true;
  return text_of(from, name, text) && base64_decode(text, true, arena, out);
}
bool has_field(simdjson::dom::object from, const char* name) {
  return from[name].error() != simdjson::NO_SUCH_FIELD;
}

bool read_header(std::string_view json, base::Arena& arena, Header& out) {
  simdjson::dom::parser parser;
  simdjson::dom::object from, ephemeral;
  std::string_view algorithm, encryption;
  if (parser.parse(json.data(), json.size()).get_object().get(from) != simdjson::SUCCESS ||
      !text_of(from, "alg", algorithm) || !text_of(from, "enc", encryption))
    return false;
  // Extensions that must be understood, and compression, are not.
  if (has_field(from, "crit") || has_field(from, "zip")) return false;
  out.algorithm = find(kAlgorithms, allowed_algorithms, algorithm);
  out.encryption = find(kEncryptions, allowed_encryptions, encryption);
  if (out.algorithm == nullptr || out.encryption == nullptr ||
      !bytes_of(from, "iv", arena, out.nonce) || !bytes_of(from, "tag", arena, out.tag) ||
      !bytes_of(from, "apu", arena, out.producer) || !bytes_of(from, "apv", arena, out.consumer))
    return false;
  if (from["epk"].get_object().get(ephemeral) == simdjson::SUCCESS)
    out.ephemeral = read_public_curve(ephemeral);
  return true;
}

// The key of the content, with a key of octets.
bool unwrap_with_octets(const Header& header, const Token& token, std::string_view secret,
                        KeyBytes& out) {
  if (header.algorithm->how == Management::direct) return token.key.empty() && out.assign(secret);
  if (secret.size() != header.algorithm->key) return false;
  if (header.algorithm->how == Management::aes_wrap) return unwrap_aes(secret, token.key, out);
  if (header.algorithm->how != Management::gcm_wrap || token.key.size() != out.size()) return false;
  std::size_t size = 0;
  return open_gcm(secret, {header.nonce, token.key, header.tag, {}}, out.data(), size);
}

bool unwrap_with_rsa(const Header& header, const Token& token, EVP_PKEY* key, KeyBytes& out) {
  switch (header.algorithm->how) {
    case Management::rsa_pkcs1:
      return decrypt_rsa_pkcs1(key, token.key, out);
    case Management::rsa_oaep:
      return decrypt_rsa_oaep(key, EVP_sha1(), token.key, out);
    case Management::rsa_oaep_256:
      return decrypt_rsa_oaep(key, EVP_sha256(), token.key, out);
    default:
      return false;
  }
}

bool unwrap_with_curve(const Header& header, const Token& token, EVP_PKEY* key, KeyBytes& out) {
  if (header.ephemeral == nullptr) return false;
  Parties parties{header.encryption->name, header.producer, header.consumer};
  if (header.algorithm->how == Management::agreement)
    return token.key.empty() && agree_on_key(key, header.ephemeral.get(), parties, out);
  if (header.algorithm->how != Management::agreement_and_wrap) return false;
  parties.algorithm = header.algorithm->name;
  KeyBytes wrapping(header.algorithm->key);
  return agree_on_key(key, header.ephemeral.get(), parties, wrapping) &&
         unwrap_aes(wrapping.view(), token.key, out);
}

bool open_content(const Encryption& how, const Token& token, const KeyBytes& key, Context& context,
                  Value& value) {
  char* out = context.arena.allocate_chars(token.content.text.size() + EVP_MAX_BLOCK_LENGTH);
  auto* bytes = reinterpret_cast<unsigned char*>(out);
  std::size_t size = 0;
  const bool good = how.gcm ? open_gcm(key.view(), token.content, bytes, size)
                            : open_cbc_hmac(key.view(), token.content, bytes, size);
  return good && give_binary(value, {out, size});
}

// `unwrap(header, token, out)` gives the key of the content.
template <class Unwrap>
bool decrypt(Context& context, Value& value, Unwrap unwrap) {
  Token token;
  Header header;
  if (!read_token(value.text, context.arena, token) ||
      !read_header(token.header, context.arena, header))
    return false;
  KeyBytes key(header.encryption->key);
  return unwrap(header, token, key) && open_content(*header.encryption, token, key, context, value);
}

bool decrypt_with_secret(Args args, Context& context, Value& value, const ConverterRow&) {
  std::string_view secret;
  if (!decoded_of(args[0], context, secret)) return false;
  return decrypt(context, value, [secret](const Header& header, const Token& token, KeyBytes& out) {
    return unwrap_with_octets(header, token, secret, out);
  });
}

bool check_secret(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  return check_base64(args[0], "secret", error);
}

bool decrypt_with_key(const JsonWebKey& key, Context& context, Value& value) {
  return decrypt(context, value, [&key](const Header& header, const Token& token, KeyBytes& out) {
    switch (key.kind) {
      case JsonWebKey::Kind::octets:
        return unwrap_with_octets(header, token, key.octets, out);
      case JsonWebKey::Kind::rsa:
        return unwrap_with_rsa(header, token, key.pair.get(), out);
      default:
        return unwrap_with_curve(header, token, key.pair.get(), out);
    }
  });
}

bool decrypt_with_jwk(Args args, Context& context, Value& value, const ConverterRow&) {
  if (!args[0].is_variable())
    return decrypt_with_key(*args[0].object<JsonWebKey>(), context, value);
  std::string_view text;
  JsonWebKey key;
  std::string error;
  return variable_text(args[0].variable(), context, text) && read_jwk(text, key, error) &&
         decrypt_with_key(key, context, value);
}

bool check_jwk(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
               std::string& error) {
  const std::string text = args[0].text();
  if (auto variable = state::parse_variable(text)) {
    args[0].value = *variable;
    return true;
  }
  auto key = std::make_shared<JsonWebKey>();
  if (!read_jwk(text, *key, error)) return false;
  args[0].value = std::static_pointer_cast<void>(key);
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"jwt_decrypt_jwk", "s", "The content of an encrypted JSON web token, with a JSON web key."},
     Type::binary,
     Type::binary,
     decrypt_with_jwk,
     check_jwk},
    {{"jwt_decrypt_secret", "s",
      "The content of an encrypted JSON web token, with a secret in base64."},
     Type::binary,
     Type::binary,
     decrypt_with_secret,
     check_secret},
};

}  // namespace

std::span<const ConverterRow> jwe_converters() { return kRows; }

}  // namespace expr::converter

namespace expr {

std::string_view read_key_management(std::string_view list, AlgorithmSet& out) {
  return converter::read_list(converter::kAlgorithms, list, out);
}

std::string_view read_content_encryption(std::string_view list, AlgorithmSet& out) {
  return converter::read_list(converter::kEncryptions, list, out);
}

void allow_in_tokens(AlgorithmSet key_management, AlgorithmSet content_encryption) {
  converter::allowed_algorithms.store(key_management, std::memory_order_relaxed);
  converter::allowed_encryptions.store(content_encryption, std::memory_order_relaxed);
}

}  // namespace expr
