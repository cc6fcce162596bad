"""Encrypted web tokens with keys out of variables: whatever was changed on the way, and algorithms that are not
allowed, give no value. What each algorithm gives is in samples.tsv."""
import base64

import pytest

CONFIG = """
global
{settings}
frontend fe
    bind @fe@
    http-request set-var(txn.key) req.fhdr(x-key)
    http-request set-var(txn.out) req.fhdr(x-token),jwt_decrypt_secret(txn.key) if {{ path /secret }}
    http-request set-var(txn.out) req.fhdr(x-token),jwt_decrypt_jwk(txn.key) if {{ path /jwk }}
    http-request return status 200 hdr x-out %[var(txn.out)] if {{ var(txn.out) -m found }}
    http-request return status 404
"""

SECRET = "cu/zmxBMh6FQ0kDaIs3dNITxP8pPaaPWRfZHynBppGY="
OCTETS = '{"kty":"oct","k":"cu_zmxBMh6FQ0kDaIs3dNITxP8pPaaPWRfZHynBppGY"}'
DIRECT = (  # dir, A256GCM
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..rXJprWdCxjDYVARa.hht7cIWzoIHRf3w_56Ej.-C-h3kiuxA7gsU9fkLm0M"
    "A"
)
WRAPPED = (  # A256GCMKW, A128CBC-HS256
    "eyJhbGciOiJBMjU2R0NNS1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiaXYiOiJLVFR1azkwa19BVTRsaTU3IiwidGFnIjoiWEJs"
    "U2F3VVM0NnpGazVpbVo2XzAzZyJ9.b20-Y8OlW-Am3KmAVqRiu4u_gwTel8IW1pXYnB9ZXjs.qopLtgJgM8PcGNDmpE04aw.gIM-"
    "GHe8E-L8Qi1EE0EWCA.NMSnLakwE1Q7K9LX0a2oEA"
)
RSA_KEY = (
    '{"kty":"RSA",'
    '"n":"oNofvj4ejiQ8prHB-rif9s-M9RYLkqUVxI-m3osvRPGRIz36rkXuB3GzfgmYSIZKHsfAha_cmHdNmBIATi5rznBsgNY8uEKr5OVNsm5Iagfx7Au3iPtPUIa1zf9_6dGt0PiiI_MLunREAeaS-Q8GCDs9VAJiAZemjEeGB4iAdiU",'
    '"e":"AQAB",'
    '"d":"J30FF_Y2GB0rSp0PCxcyJixT5YMw-iJPEr9VbwLqatmHEQjRNuFyCx_Nud5vJTbakW3mhKtk04VOZkvdCVR6IINuOGf-YhDq8hAUwUeqR-pe5G9JqcwMKCNhb4d7EFiz-emLraCyKrsZkirfO8a9eXNwy8-Kn-Uq8g3wbUG98Q0",'
    '"p":"z3esYLyRvc2U5DrB-973lGfxR8wLaJJN_a51tgFrAiBLiBw28F1HojB3aSwUf0S9-Xa_Z471y-3Ms6gmlJpi4w",'
    '"q":"xnra4kJNMfABo8GHwi7mQr3SgaGMaEVyr9Pjd1uGTwvlfSnTzPvBc3Ilfhh8kH-3PHEBJcnXoBQ4UNsTPwupVw",'
    '"dp":"ELbzjFek5kXJ2Rlix4gPKkW1irNFuAcRgX6svR0gIeu4Kh8bzgG147tD45VJkXdYVuDaSt2Zr_RYqaDCevZ1QQ",'
    '"dq":"XFoBytGK1beVK7r7DjGAVoG4lzSx_jqCOKng50Kg5drlNy3lLTXfN3ZfV6LRIvMqMWdrX0fhmsyNv6GP_P_SFQ",'
    '"qi":"X4N7OALo674cXVWp3l5w3hzz5h2BAfX9QDBpL1cEQsr7qI1OVdXk3so2EairVZhkJXK5Pebnw17eK5eRAhZgPg"}'
)
RSA_TOKEN = (  # RSA1_5, A128CBC-HS256
    "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.KnFg-y6xy4hh8XijJEOFeuV7vn4swT2XZFtKy6agtObf6wdg"
    "S-uC5uIWQ6LU0iRRCT1f0mkn40cqF8T-6S8Xm5U3AOVGmQhZ1WMPpqgE0x5pzr7fHGVj0Pyl28LfNDT74axw2DbIZPPqn6X_tWat"
    "ucTpRDsb1fGS630JeACYuhw.CbrCYYV2hAON_Gp2iQ2aUQ.TOnlF2ZBZ4MuZbhbVa2LWg.k7eOJ8N1Ps_96u3OdQpCqw"
)


def decrypt(proxy, path, token, key):
    response = proxy.get(path, [("X-Token", token), ("X-Key", key)])
    return response.headers["x-out"] if response.status == 200 else None


def changed(token, part):
    """The token with one bit of one of its parts changed."""
    parts = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
    raw[len(raw) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return ".".join(parts)


@pytest.mark.parametrize("path, key", [("/secret", SECRET), ("/jwk", OCTETS)])
def test_changes_are_found(start, path, key):
    proxy = start(CONFIG.format(settings=""))
    for token in (DIRECT, WRAPPED):
        assert decrypt(proxy, path, token, key) == "Setec Astronomy"
        for part in range(5):
            if token.split(".")[part]:
                assert decrypt(proxy, path, changed(token, part), key) is None
        assert decrypt(proxy, path, token + ".", key) is None
        assert decrypt(proxy, path, token.rpartition(".")[0], key) is None
    assert decrypt(proxy, path, DIRECT, key[::-1]) is None
    assert decrypt(proxy, path, DIRECT, "") is None


@pytest.mark.parametrize("settings, allowed", [
    ("", "dir A256GCMKW"),
    ("jwt.decrypt_alg_list ALL", "dir A256GCMKW RSA1_5"),
    ("jwt.decrypt_alg_list ALL:!dir", "A256GCMKW RSA1_5"),
    ("jwt.decrypt_alg_list dir:RSA1_5", "dir RSA1_5"),
    ("jwt.decrypt_alg_list RSA1_5:!RSA1_5", ""),
    ("jwt.decrypt_enc_list A256GCM", "dir"),
    ("jwt.decrypt_enc_list ALL:!A256GCM", "A256GCMKW"),
])
def test_only_what_is_listed_is_allowed(start, settings, allowed):
    proxy = start(CONFIG.format(settings=f"    {settings}"))
    tokens = {"dir": (DIRECT, OCTETS), "A256GCMKW": (WRAPPED, OCTETS), "RSA1_5": (RSA_TOKEN, RSA_KEY)}
    found = {name for name, (token, key) in tokens.items() if decrypt(proxy, "/jwk", token, key) is not None}
    assert found == set(allowed.split())


def test_rsa_1_5_does_not_tell_what_was_wrong(start):
    proxy = start(CONFIG.format(settings="    jwt.decrypt_alg_list RSA1_5"))
    assert decrypt(proxy, "/jwk", RSA_TOKEN, RSA_KEY) == "Setec Astronomy"
    for part in range(5):
        assert decrypt(proxy, "/jwk", changed(RSA_TOKEN, part), RSA_KEY) is None
    assert decrypt(proxy, "/jwk", RSA_TOKEN, RSA_KEY.replace('"kty":"RSA"', '"kty":"oct"')) is None


@pytest.mark.parametrize("keyword", ["jwt.decrypt_alg_list", "jwt.decrypt_enc_list"])
def test_unknown_algorithms_are_refused(check, keyword):
    code, output = check(CONFIG.format(settings=f"    {keyword} ALL:!A1"))
    assert code == 1
    assert "Unknown algorithm/encoding A1" in output


def test_keys_are_checked_with_the_configuration(check):
    def read(expression):
        return check(CONFIG.format(settings="") + f"    http-request set-var(txn.x) '{expression}'\n")

    code, output = read("str(a),jwt_decrypt_secret(no-base64)")
    assert code == 1
    assert "argument needs to be base64 encoded" in output
    code, output = read('str(a),jwt_decrypt_jwk({"k":"AA"})')
    assert code == 1
    assert "Missing key type" in output
    assert read("str(a),jwt_decrypt_jwk(txn.key)")[0] == 0
