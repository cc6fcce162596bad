// ACL keywords that are a fetch with a match method of its own (manual sections 7.1 and 7.3).
#include "expr/condition.h"
#include "expr/fetch/support.h"
#include "expr/fetch/tables.h"

namespace expr::fetch {
namespace {

// acl(name,!name…): true when all of them say so.
struct NamedAcl {
  std::shared_ptr<Acl> acl;
  bool negated;
};
using NamedAcls = std::vector<NamedAcl>;

bool acl(Args args, Context& context, Value& out, const FetchRow&) {
  for (const NamedAcl& named : *args[0].object<NamedAcls>()) {
    int truth = named.acl->evaluate(context);
    if (truth < 0) return false;
    if ((truth != 0) == named.negated) return give_bool(out, false);
  }
  return give_bool(out, true);
}
bool find_acls(std::vector<Argument>& args, ParseContext& context, const config::Keyword&,
               std::string& error) {
  auto found = std::make_shared<NamedAcls>();
  for (const Argument& argument : args) {
    if (!argument.present()) continue;
    std::string_view name = argument.text();
    bool negated = name.starts_with('!');
    if (negated) name.remove_prefix(1);
    auto known = Acl::find(name, context);
    if (known == nullptr) {
      error = "ACL '" + std::string(name) + "' not found";
      return false;
    }
    found->push_back({std::move(known), negated});
  }
  args.resize(1);
  args[0].value = std::shared_ptr<void>(std::move(found));
  return true;
}

constexpr FetchRow kFetches[] = {
    {{"acl", "s[sssssssssss", "Whether all the named ACLs, or their opposites with !, are true."},
     Type::boolean,
     kAnywhere,
     acl,
     nullptr,
     nullptr,
     find_acls},
};

constexpr AclRow row(std::string_view name, std::string_view fetch, std::string_view match) {
  return {{name, "", "The fetch and the match method that the name stands for."}, fetch, match};
}

constexpr AclRow kRows[] = {
    row("base", "base", "str"),
    row("base_beg", "base", "beg"),
    row("base_dir", "base", "dir"),
    row("base_dom", "base", "dom"),
    row("base_end", "base", "end"),
    row("base_len", "base", "len"),
    row("base_reg", "base", "reg"),
    row("base_sub", "base", "sub"),
    row("cook", "req.cook", "str"),
    row("cook_beg", "req.cook", "beg"),
    row("cook_dir", "req.cook", "dir"),
    row("cook_dom", "req.cook", "dom"),
    row("cook_end", "req.cook", "end"),
    row("cook_len", "req.cook", "len"),
    row("cook_reg", "req.cook", "reg"),
    row("cook_sub", "req.cook", "sub"),
    row("hdr", "req.hdr", "str"),
    row("hdr_beg", "req.hdr", "beg"),
    row("hdr_dir", "req.hdr", "dir"),
    row("hdr_dom", "req.hdr", "dom"),
    row("hdr_end", "req.hdr", "end"),
    row("hdr_len", "req.hdr", "len"),
    row("hdr_reg", "req.hdr", "reg"),
    row("hdr_sub", "req.hdr", "sub"),
    row("http_auth_group", "http_auth_group", "str"),
    row("method", "method", "str"),
    row("path", "path", "str"),
    row("path_beg", "path", "beg"),
    row("path_dir", "path", "dir"),
    row("path_dom", "path", "dom"),
    row("path_end", "path", "end"),
    row("path_len", "path", "len"),
    row("path_reg", "path", "reg"),
    row("path_sub", "path", "sub"),
    row("payload", "req.payload", "bin"),
    row("payload_lv", "req.payload_lv", "bin"),
    row("req.ssl_ver", "req.ssl_ver", "int"),
    row("req_rdp_cookie", "req.rdp_cookie", "str"),
    row("req_rdp_cookie_cnt", "req.rdp_cookie_cnt", "int"),
    row("req_ssl_sni", "req.ssl_sni", "str"),
    row("req_ssl_ver", "req.ssl_ver", "int"),
    row("req_ver", "req.ver", "str"),
    row("resp_ver", "res.ver", "str"),
    row("scook", "res.cook", "str"),
    row("scook_beg", "res.cook", "beg"),
    row("scook_dir", "res.cook", "dir"),
    row("scook_dom", "res.cook", "dom"),
    row("scook_end", "res.cook", "end"),
    row("scook_len", "res.cook", "len"),
    row("scook_reg", "res.cook", "reg"),
    row("scook_sub", "res.cook", "sub"),
    row("shdr", "res.hdr", "str"),
    row("shdr_beg", "res.hdr", "beg"),
    row("shdr_dir", "res.hdr", "dir"),
    row("shdr_dom", "res.hdr", "dom"),
    row("shdr_end", "res.hdr", "end"),
    row("shdr_len", "res.hdr", "len"),
    row("shdr_reg", "res.hdr", "reg"),
    row("shdr_sub", "res.hdr", "sub"),
    row("ssl_fc_sni_end", "ssl_fc_sni", "end"),
    row("ssl_fc_sni_reg", "ssl_fc_sni", "reg"),
    row("url", "url", "str"),
    row("url_beg", "url", "beg"),
    row("url_dir", "url", "dir"),
    row("url_dom", "url", "dom"),
    row("url_end", "url", "end"),
    row("url_len", "url", "len"),
    row("url_reg", "url", "reg"),
    row("url_sub", "url", "sub"),
    row("urlp", "urlp", "str"),
    row("urlp_beg", "urlp", "beg"),
    row("urlp_dir", "urlp", "dir"),
    row("urlp_dom", "urlp", "dom"),
    row("urlp_end", "urlp", "end"),
    row("urlp_len", "urlp", "len"),
    row("urlp_reg", "urlp", "reg"),
    row("urlp_sub", "urlp", "sub"),
};

}  // namespace

std::span<const AclRow> acl_keywords() { return kRows; }
std::span<const FetchRow> acl_fetches() { return kFetches; }

}  // namespace expr::fetch
