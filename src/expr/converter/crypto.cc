// Digests, authentication codes and ciphers of libcrypto (manual section 7.3.1).
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "expr/converter/base64.h"
#include "expr/converter/base64_argument.h"
#include "expr/converter/support.h"
#include "expr/converter/tables.h"

namespace expr::converter {

bool check_base64(Argument& argument, std::string_view what, std::string& error) {
  const std::string text = argument.text();
  if (auto name = state::parse_variable(text)) {
    argument.value = *name;
    return true;
  }
  base::Arena arena;
  std::string_view decoded;
  if (!base64_decode(text, false, arena, decoded)) {
    error = fmt::format(
        "failed to parse {} : argument needs to be base64 encoded, and can either be a string or a "
        "variable",
        what);
    return false;
  }
  argument.value = std::string(decoded);
  return true;
}

bool decoded_of(const Argument& argument, Context& context, std::string_view& out) {
  if (!argument.is_variable()) return text_of(argument, context, out);
  std::string_view text;
  return variable_text(argument.variable(), context, text) &&
         base64_decode(text, false, context.arena, out);
}

namespace {

const unsigned char* raw(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}

struct CloseMdContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct CloseCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// One context a thread: a digest allocates nothing after the first.
EVP_MD_CTX* md_context() {
  thread_local std::unique_ptr<EVP_MD_CTX, CloseMdContext> mine(EVP_MD_CTX_new());
  return mine.get();
}

bool digest_with(const EVP_MD* md, Context& context, Value& value) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_MD_CTX* ctx = md_context();
  if (ctx == nullptr || EVP_DigestInit_ex(ctx, md, nullptr) != 1 ||
      EVP_DigestUpdate(ctx, value.text.data(), value.text.size()) != 1 ||
      EVP_DigestFinal_ex(ctx, out, &size) != 1)
    return false;
  return give_binary(value, context.arena.copy({reinterpret_cast<const char*>(out), size}));
}

// Named digests are fetched once and live as long as the process.
const EVP_MD* digest_of(const Argument& argument) { return argument.object<const EVP_MD>(); }
Argument digest_argument(const EVP_MD* md) {
  Argument made;
  made.value = std::shared_ptr<void>(const_cast<EVP_MD*>(md), [](void*) {});
  return made;
}

bool sha1(Args, Context& context, Value& value, const ConverterRow&) {
  return digest_with(EVP_sha1(), context, value);
}
bool named_digest(Args args, Context& context, Value& value, const ConverterRow&) {
  return digest_with(digest_of(args[0]), context, value);
}

bool check_sha2(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                std::string& error) {
  std::int64_t bits = integer_or(args, 0, 256);
  const EVP_MD* md = bits == 224   ? EVP_sha224()
                     : bits == 256 ? EVP_sha256()
                     : bits == 384 ? EVP_sha384()
                     : bits == 512 ? EVP_sha512()
                                   : nullptr;
  if (md == nullptr) {
    error = fmt::format("Unsupported number of bits: '{}'", bits);
    return false;
  }
  args.resize(1);
  args[0] = digest_argument(md);
  return true;
}

bool check_digest(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                  std::string& error) {
  const EVP_MD* md = EVP_get_digestbyname(args[0].text().c_str());
  if (md == nullptr) {
    error = "algorithm must be a valid OpenSSL message digest name.";
    return false;
  }
  args[0] = digest_argument(md);
  return true;
}

bool hmac(Args args, Context& context, Value& value, const ConverterRow&) {
  std::string_view key;
  if (!decoded_of(args[1], context, key)) return false;
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (HMAC(digest_of(args[0]), key.data(), static_cast<int>(key.size()), raw(value.text),
           value.text.size(), out, &size) == nullptr)
    return false;
  return give_binary(value, context.arena.copy({reinterpret_cast<const char*>(out), size}));
}
bool check_hmac(std::vector<Argument>& args, ParseContext& context, const config::Keyword& row,
                std::string& error) {
  return check_digest(args, context, row, error) && check_base64(args[1], "key", error);
}

bool secure_memcmp(Args args, Context& context, Value& value, const ConverterRow&) {
  Value other;
  if (!get_variable(context, args[0].variable(), other) ||
      !cast(other, Type::binary, context.arena))
    return false;
  bool same = other.text.size() == value.text.size() &&
              CRYPTO_memcmp(other.text.data(), value.text.data(), value.text.size()) == 0;
  return give_bool(value, same);
}
bool check_secure_memcmp(std::vector<Argument>& args, ParseContext&, const config::Keyword&,
                         std::string& error) {
  if (!args[0].text().empty()) return to_variable(args[0], error);
  error = "missing variable name";
  return false;
}

// Arguments of the AES family: bits, nonce, key, then for GCM the tag, then additional data.
constexpr std::size_t kTagSize = 16;

struct Cipher {
  const EVP_CIPHER* cipher;
  std::string_view nonce, key, aad;
  bool has_aad = false;
};

const EVP_CIPHER* cipher_of(std::int64_t bits, bool gcm) {
  switch (bits) {
    case 128:
      return gcm ? EVP_aes_128_gcm() : EVP_aes_128_cbc();
    case 192:
      return gcm ? EVP_aes_192_gcm() : EVP_aes_192_cbc();
    default:
      return gcm ? EVP_aes_256_gcm() : EVP_aes_256_cbc();
  }
}

bool read_cipher(Args args, Context& context, bool gcm, Cipher& out) {
  out.cipher = cipher_of(args[0].integer(), gcm);
  if (!decoded_of(args[1], context, out.nonce) || !decoded_of(args[2], context, out.key))
    return false;
  std::size_t aad = gcm ? 4 : 3;
  out.has_aad = has(args, aad);
  if (out.has_aad && !decoded_of(args[aad], context, out.aad)) return false;
  if (out.key.size() != static_cast<std::size_t>(EVP_CIPHER_get_key_length(out.cipher)))
    return false;
  if (gcm) return !out.nonce.empty();
  // A short nonce is filled up with zeros.
  std::size_t wanted = static_cast<std::size_t>(EVP_CIPHER_get_iv_length(out.cipher));
  if (out.nonce.size() < wanted) {
    char* full = context.arena.allocate_chars(wanted);
    std::memset(full, 0, wanted);
    std::memcpy(full, out.nonce.data(), out.nonce.size());
    out.nonce = {full, wanted};
  }
  return true;
}

// Runs the cipher over `value`; `tag` is read when decrypting and written when encrypting GCM.
bool run_cipher(const Cipher& how, bool gcm, bool encrypt, Context& context, Value& value,
                unsigned char* tag) {
  std::unique_ptr<EVP_CIPHER_CTX, CloseCipherContext> owned(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX* ctx = owned.get();
  if (ctx == nullptr || EVP_CipherInit_ex(ctx, how.cipher, nullptr, nullptr, nullptr, encrypt) != 1)
    return false;
  auto nonce_size = static_cast<int>(how.nonce.size());
  if (gcm && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, nonce_size, nullptr) != 1)
    return false;
  if (EVP_CipherInit_ex(ctx, nullptr, nullptr, raw(how.key), raw(how.nonce), encrypt) != 1)
    return false;
  int size = 0;
  if (gcm && how.has_aad &&
      EVP_CipherUpdate(ctx, nullptr, &size, raw(how.aad), static_cast<int>(how.aad.size())) != 1)
    return false;
  if (gcm && !encrypt && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, kTagSize, tag) != 1)
    return false;
  char* out = context.arena.allocate_chars(value.text.size() + EVP_MAX_BLOCK_LENGTH);
  auto* bytes = reinterpret_cast<unsigned char*>(out);
  int last = 0;
  if (EVP_CipherUpdate(ctx, bytes, &size, raw(value.text), static_cast<int>(value.text.size())) !=
          1 ||
      EVP_CipherFinal_ex(ctx, bytes + size, &last) != 1)
    return false;
  if (gcm && encrypt && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag) != 1)
    return false;
  return give_binary(value, {out, static_cast<std::size_t>(size + last)});
}

template <bool kEncrypt>
bool aes_cbc(Args args, Context& context, Value& value, const ConverterRow&) {
  Cipher how;
  return read_cipher(args, context, false, how) &&
         run_cipher(how, false, kEncrypt, context, value, nullptr);
}

template <bool kEncrypt>
bool aes_gcm(Args args, Context& context, Value& value, const ConverterRow&) {
  Cipher how;
  unsigned char tag[kTagSize];
  if (!read_cipher(args, context, true, how)) return false;
  if constexpr (kEncrypt) {
    if (!run_cipher(how, true, true, context, value, tag)) return false;
    std::string_view bytes(reinterpret_cast<const char*>(tag), kTagSize);
    return set_variable(context, args[3].variable(),
                        Value::str(base64_encode(bytes, false, context.arena)));
  } else {
    std::string_view given;
    if (!decoded_of(args[3], context, given) || given.size() != kTagSize) return false;
    std::memcpy(tag, given.data(), kTagSize);
    return run_cipher(how, true, false, context, value, tag);
  }
}

bool check_aes(std::vector<Argument>& args, ParseContext&, const config::Keyword& row,
               std::string& error) {
  std::int64_t bits = args[0].integer();
  if (bits != 128 && bits != 192 && bits != 256) {
    error = "key size must be 128, 192 or 256 (bits).";
    return false;
  }
  bool gcm = row.name.starts_with("aes_gcm");
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (gcm && i == 3 && row.name.ends_with("enc")) {
      if (!to_variable(args[i], error)) return false;
      if (args[i].present()) continue;
      error = "the tag must be a variable";
      return false;
    }
    static constexpr std::string_view kNames[] = {"", "nonce", "key", "aead_tag", "aad"};
    if (!check_base64(args[i], gcm || i < 3 ? kNames[i] : "aad", error)) return false;
  }
  return true;
}

constexpr ConverterRow kRows[] = {
    {{"aes_cbc_dec", "iss[s", "Decrypts with AES-CBC."},
     Type::binary,
     Type::binary,
     aes_cbc<false>,
     check_aes},
    {{"aes_cbc_enc", "iss[s", "Encrypts with AES-CBC."},
     Type::binary,
     Type::binary,
     aes_cbc<true>,
     check_aes},
    {{"aes_gcm_dec", "isss[s", "Decrypts with AES-GCM; fails when the tag does not fit."},
     Type::binary,
     Type::binary,
     aes_gcm<false>,
     check_aes},
    {{"aes_gcm_enc", "isss[s", "Encrypts with AES-GCM and leaves the tag in a variable."},
     Type::binary,
     Type::binary,
     aes_gcm<true>,
     check_aes},
    {{"digest", "s", "A message digest of OpenSSL by its name."},
     Type::binary,
     Type::binary,
     named_digest,
     check_digest},
    {{"hmac", "ss", "A message authentication code with a digest and a key."},
     Type::binary,
     Type::binary,
     hmac,
     check_hmac},
    {{"secure_memcmp", "s", "Compares with a variable in constant time."},
     Type::binary,
     Type::boolean,
     secure_memcmp,
     check_secure_memcmp},
    {{"sha1", "", "The SHA-1 digest."}, Type::binary, Type::binary, sha1},
    {{"sha2", "[i", "A SHA-2 digest of 224, 256, 384 or 512 bits."},
     Type::binary,
     Type::binary,
     named_digest,
     check_sha2},
};

}  // namespace

std::span<const ConverterRow> crypto_converters() { return kRows; }

}  // namespace expr::converter
