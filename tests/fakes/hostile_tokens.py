"""Tokens that must be refused, each broken in one way and right in every other, with the reason to expect."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.issuer import DROP, TestIssuer, b64url, compact_json, unb64url


@dataclass(frozen=True)
class HostileToken:
    name: str
    token: str
    reason: str

    @property
    def fits_a_header(self) -> bool:
        """Whether an HTTP client would send it at all."""
        return (
            self.token.isascii() and self.token.isprintable() and bool(self.token) and self.token == self.token.strip()
        )


def hostile_tokens(issuer: TestIssuer, now: datetime) -> list[tuple[str, str]]:
    """Return name and token of every hostile token that can be sent over HTTP.

    Args:
        issuer: acts with a key that the server trusts (``TestIssuer.from_private_jwk`` of the development key).
        now: the server's time.
    """
    return [(case.name, case.token) for case in hostile_cases(issuer, now) if case.fits_a_header]


def hostile_cases(issuer: TestIssuer, now: datetime) -> list[HostileToken]:
    """Return every hostile token for an ES256 issuer with default terms (lifetime 3600 s, leeway 30 s)."""
    stranger = TestIssuer.es256(issuer="https://other.example", audience=issuer.audience, key_id="other-key")
    impostor = TestIssuer(stranger.private, key_id=issuer.key_id, issuer=issuer.issuer, audience=issuer.audience)
    groups = (
        _algorithms(issuer, now),
        _hmac_confusion(issuer, now),
        _header_members(issuer, now, stranger),
        _types(issuer, now),
        _shapes(issuer, now),
        _json(issuer, now),
        _signatures(issuer, now, impostor),
        _issuers(issuer, now, stranger),
        _audiences(issuer, now),
        _times(issuer, now),
        _texts(issuer, now),
        _meanings(issuer, now),
    )
    return [HostileToken(*case) for group in groups for case in group]


Cases = Iterator[tuple[str, str, str]]


def _unsigned(issuer: TestIssuer, now: datetime, **header: Any) -> str:
    return issuer.signed(compact_json(issuer.header(**header)), compact_json(issuer.claims(now)), lambda _: b"")


def _algorithms(issuer: TestIssuer, now: datetime) -> Cases:
    for name in ("none", "None", "NONE", "nOnE", "", " none"):
        yield f"alg {name!r} unsigned", _unsigned(issuer, now, alg=name), "algorithm"
        yield f"alg {name!r} signed", issuer.token(now, header={"alg": name}), "algorithm"
    not_texts: tuple[Any, ...] = (DROP, None, ["ES256"], {"ES256": 1}, 256, True)
    for value in not_texts:
        label = "missing" if value is DROP else repr(value)
        yield f"alg {label}", issuer.token(now, header={"alg": value}), "algorithm"
    others = "RS256 RS384 RS512 ES384 ES512 PS256 PS384 PS512 EdDSA Ed25519 ES256K ML-DSA-44 es256 ES256\x00 HS256"
    for name in others.split(" "):
        yield f"alg {name!r} with an ES256 signature", issuer.token(now, header={"alg": name}), "algorithm"


def hmac_with(secret: bytes, digest: str = "sha256") -> Callable[[bytes], bytes]:
    return lambda signing_input: hmac.new(secret, signing_input, digest).digest()


def _hmac_confusion(issuer: TestIssuer, now: datetime) -> Cases:
    jwk = issuer.public_jwk()
    secrets = {
        "PEM": issuer.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "PEM without line end": issuer.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        "DER": issuer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "raw point": issuer.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "compressed point": issuer.public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
        "x coordinate": unb64url(jwk["x"]),
        "JWK text": compact_json(jwk),
        "key set text": issuer.key_set(),
        "kid": issuer.key_id.encode(),
        "empty secret": b"",
    }
    payload = compact_json(issuer.claims(now))
    for name, secret in secrets.items():
        header = compact_json(issuer.header(alg="HS256"))
        yield f"HS256 with the public key as {name}", issuer.signed(header, payload, hmac_with(secret)), "algorithm"
        header = compact_json(issuer.header())
        yield f"ES256 named, HMAC made with {name}", issuer.signed(header, payload, hmac_with(secret)), "signature"
    for alg, digest in (("HS384", "sha384"), ("HS512", "sha512")):
        header = compact_json(issuer.header(alg=alg))
        token = issuer.signed(header, payload, hmac_with(secrets["DER"], digest))
        yield f"{alg} with the public key as DER", token, "algorithm"


def _header_members(issuer: TestIssuer, now: datetime, stranger: TestIssuer) -> Cases:
    with_header = partial(_with_header, issuer, now)
    extras: dict[str, Any] = {
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
        "jwk": issuer.public_jwk(),
        "jku": "https://sign-in.example/jwks",
        "x5u": "https://sign-in.example/cert",
        "x5c": ["MIIB"],
    }
    for name, value in extras.items():
        yield f"header {name}", with_header(**{name: value}), "header"
    yield "crit empty", with_header(crit=[]), "header"
    yield "crit b64, b64 false", with_header(crit=["b64"], b64=False), "header"
    yield "b64 true", with_header(b64=True), "header"
    offered = compact_json(issuer.header(jwk=stranger.public_jwk(kid=issuer.key_id)))
    payload = compact_json(issuer.claims(now))
    yield "jwk of the sender's own, signed with it", stranger.signed(offered, payload), "header"
    for label, value in {"missing": DROP, "null": None, "number": 1, "list": [issuer.key_id], "empty": ""}.items():
        yield f"kid {label}", with_header(kid=value), "header"
    yield "kid too long", with_header(kid="k" * 256), "header"
    unknown = ("unknown", "../../../../dev/null", "x' OR '1'='1", "https://evil.example/jwks", issuer.key_id + " ")
    for name in (*unknown, issuer.key_id.upper() + "?", "__class__", "0"):
        yield f"kid {name!r}", with_header(kid=name), "unknown_key"


def _with_header(issuer: TestIssuer, now: datetime, **members: Any) -> str:
    return issuer.token(now, header=members)


def _types(issuer: TestIssuer, now: datetime) -> Cases:
    for value in (DROP, None, 1, ["at+jwt"], "", "JWT", "jwt", "application/jwt", "dpop+jwt", "logout+jwt", "JWS"):
        yield f"typ {'missing' if value is DROP else value!r}", issuer.token(now, header={"typ": value}), "token_type"
    for value in ("at+jwt ", "at+jwt;v=1", "at-jwt", "application/application/at+jwt", "\uff41t+jwt", "text/at+jwt"):
        yield f"typ {value!r}", issuer.token(now, header={"typ": value}), "token_type"
    id_token = issuer.token(
        now, header={"typ": "JWT"}, nonce="n-0S6", at_hash="77QmUPtjPfzWtF2AnpK9RQ", auth_time=int(now.timestamp())
    )
    yield "an ID token for the same audience", id_token, "token_type"


def _shapes(issuer: TestIssuer, now: datetime) -> Cases:
    good = issuer.token(now)
    head, body, signature = good.split(".")
    malformed = {
        "empty": "",
        "one dot": ".",
        "two dots": "..",
        "one part": head,
        "two parts": f"{head}.{body}",
        "four parts": f"{good}.{signature}",
        "trailing dot": f"{good}.",
        "no header": f".{body}.{signature}",
        "no payload": f"{head}..{signature}",
        "leading space": f" {good}",
        "trailing space": f"{good} ",
        "trailing line feed": f"{good}\n",
        "trailing line end": f"{good}\r\n",
        "inner space": f"{head}. {body}.{signature}",
        "inner line feed": f"{head}.{body}\n.{signature}",
        "trailing NUL": f"{good}\x00",
        "scheme repeated": f"Bearer {good}",
        "padding of the header": f"{head}=.{body}.{signature}",
        "padding of the payload": f"{head}.{body}==.{signature}",
        "padding of the signature": f"{good}==",
        "foreign character skipped": f"{head}.{body}.{signature[:10]}!{signature[10:]}",
        "full-width dot": f"{head}\uff0e{body}.{signature}",
        "full-width letter": f"{head}.{body}.{signature[:-1]}\uff21",
        "zero-width space": f"{head}.{body}.\u200b{signature}",
        "lone surrogate": f"{good}\ud800",
        "stray bits in the signature": f"{head}.{body}.{_stray_bits(signature)}",
        "impossible length": f"{head}.{body}.{signature[:-1]}",
        "quoted": f'"{good}"',
        "JSON serialisation": compact_json({"protected": head, "payload": body, "signature": signature}).decode(),
    }
    for name, token in malformed.items():
        yield name, token, "malformed"
    standard = issuer.token(now, note="\u00ff\u00fe\u00fb" * 9).replace("-", "+").replace("_", "/")
    yield "standard base64 alphabet", _needing(standard, "+/"), "malformed"
    yield "five parts (JWE)", f"{head}.{body}.{signature}.{body}.{signature}", "encrypted"
    yield "five parts, empty key (JWE dir)", f"{head}..{body}.{signature}.{signature}", "encrypted"
    yield "8,193 bytes", token_of_length(issuer, now, 8193), "oversize"
    yield "a million bytes", f"{head}.{'A' * 1_000_000}.{signature}", "oversize"


def _needing(token: str, characters: str) -> str:
    # The signature is random: make sure that the foreign alphabet shows at least once.
    return token if any(one in token for one in characters) else f"{token[:-2]}+{token[-1]}"


def _stray_bits(segment: str) -> str:
    """Spell the same bytes another way: 64 bytes leave four unused bits in the last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = segment[:-1] + alphabet[alphabet.index(segment[-1]) | 1]
    assert unb64url(other) == unb64url(segment)
    return other


def token_of_length(issuer: TestIssuer, now: datetime, length: int) -> str:
    filler = (length - len(issuer.token(now, note=""))) * 3 // 4
    for size in range(filler - 4, filler + 5):
        token = issuer.token(now, note="n" * size)
        if len(token) >= length:
            return token
    raise AssertionError


def _json(issuer: TestIssuer, now: datetime) -> Cases:
    header, payload = compact_json(issuer.header()), compact_json(issuer.claims(now))
    members, claims = header[1:-1].decode(), payload[1:-1].decode()
    bodies: dict[str, bytes] = {
        "header not JSON": b"{",
        "header a list": b"[" + header + b"]",
        "header a text": b'"ES256"',
        "header null": b"null",
        "header with alg twice, none last": f'{{{members},"alg":"none"}}'.encode(),
        "header with alg twice, none first": f'{{"alg":"none",{members}}}'.encode(),
        "header with kid twice": f'{{{members},"kid":"{issuer.key_id}"}}'.encode(),
        "header with alg spelt by escapes": f'{{{members},"\\u0061lg":"none"}}'.encode(),
        "header in UTF-16": header.decode().encode("utf-16"),
        "header in UTF-32": header.decode().encode("utf-32-le"),
        "header with byte order mark": b"\xef\xbb\xbf" + header,
        "header with bad UTF-8": header[:-1] + b',"note":"\xff"}',
        "header with overlong UTF-8": header[:-1] + b',"note":"\xc0\xaf"}',
        "header then more": header + b"{}",
        "header in single quotes": header.replace(b'"', b"'"),
        "header with comment": header + b"/**/",
    }
    for name, raw in bodies.items():
        yield name, issuer.signed(raw, payload), "malformed"
    late = int(now.timestamp()) + 900
    bodies = {
        "payload empty object text": b"",
        "payload not JSON": b"claims",
        "payload a list": b"[" + payload + b"]",
        "payload a number": b"1",
        "payload with sub twice": f'{{{claims},"sub":"blair.stone"}}'.encode(),
        "payload with aud twice": f'{{{claims},"aud":"elsewhere"}}'.encode(),
        "payload with exp twice": f'{{{claims},"exp":{late}}}'.encode(),
        "payload with nested member twice": f'{{{claims},"x":{{"a":1,"a":2}}}}'.encode(),
        "payload with NaN": f'{{{claims},"x":NaN}}'.encode(),
        "payload with Infinity": f'{{{claims},"x":Infinity}}'.encode(),
        "payload 1,500 deep": f'{{{claims},"x":{"[" * 1500}{"]" * 1500}}}'.encode(),
        "payload unclosed 2,500 deep": f'{{{claims},"x":{"[" * 2500}'.encode(),
        "payload with an integer of 4,400 digits": f'{{{claims},"x":{"9" * 4400}}}'.encode(),
        "payload in UTF-16": payload.decode().encode("utf-16"),
        "payload with bad UTF-8": payload[:-1] + b',"x":"\xed\xa0\x80"}',
        "payload then more": payload + b"{}",
        "payload with trailing comma": payload[:-1] + b",}",
        "payload with raw control character": payload[:-1] + b',"x":"\x01"}',
    }
    for name, raw in bodies.items():
        yield name, issuer.signed(header, raw), "malformed"


def _signatures(issuer: TestIssuer, now: datetime, impostor: TestIssuer) -> Cases:
    header, payload = compact_json(issuer.header()), compact_json(issuer.claims(now))
    head, body, signature = issuer.token(now).split(".")
    raw = unb64url(signature)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    other_body = b64url(compact_json(issuer.claims(now, roles=["security_admin"])))
    other_head = b64url(compact_json(issuer.header(note="x")))
    yield "signature empty", f"{head}.{body}.", "signature"
    yield "payload changed", f"{head}.{other_body}.{signature}", "signature"
    yield "header changed", f"{other_head}.{body}.{signature}", "signature"
    yield "signature of another token", f"{head}.{body}.{issuer.token(now, jti='other').split('.')[2]}", "signature"
    changed = {
        "one bit flipped at the start": bytes([raw[0] ^ 1]) + raw[1:],
        "one bit flipped at the end": raw[:-1] + bytes([raw[-1] ^ 1]),
        "all zeros": bytes(64),
        "all ones": b"\xff" * 64,
        "r and s equal to the order": order.to_bytes(32, "big") * 2,
        "r zero": bytes(32) + raw[32:],
        "s zero": raw[:32] + bytes(32),
        "halves swapped": raw[32:] + raw[:32],
        "cut short": raw[:-2],
        "one byte longer": raw + b"\x00",
        "a hash": hashlib.sha512(f"{head}.{body}".encode()).digest(),
    }
    for name, other in changed.items():
        yield f"signature {name}", f"{head}.{body}.{b64url(other)}", "signature"
    yield "signature in DER", issuer.signed(header, payload, issuer.der_signature), "signature"
    yield "another key under our kid", impostor.token(now), "signature"


def _issuers(issuer: TestIssuer, now: datetime, stranger: TestIssuer) -> Cases:
    name = issuer.issuer
    yield "another issuer's own token", stranger.token(now), "issuer"
    yield "another issuer's key and kid", stranger.token(now, iss=name), "unknown_key"
    yield "our key, another issuer's name", issuer.token(now, iss=stranger.issuer), "issuer"
    spellings = {
        "trailing slash": f"{name}/",
        "upper case": name.upper(),
        "capital scheme": name.replace("https", "HTTPS"),
        "plain http": name.replace("https", "http"),
        "default port": f"{name}:443",
        "prefix": name[:-1],
        "suffix": f"{name}.evil.example",
        "query": f"{name}?",
        "space": f"{name} ",
        "line feed": f"{name}\n",
        "NUL": f"{name}\x00",
        "empty": "",
        "look-alike letter": name.replace("e", "\u0435"),
        "zero-width joiner": f"{name}\u200d",
    }
    for label, other in spellings.items():
        yield f"iss with {label}", issuer.token(now, iss=other), "issuer"
    yield "iss missing", issuer.token(now, iss=DROP), "claim_missing"
    yield "iss null", issuer.token(now, iss=None), "claim_missing"
    for value in ([name], {name: 1}, 1, True):
        yield f"iss {type(value).__name__}", issuer.token(now, iss=value), "claim_type"


def _audiences(issuer: TestIssuer, now: datetime) -> Cases:
    ours = issuer.audience
    yield "aud missing", issuer.token(now, aud=DROP), "claim_missing"
    yield "aud null", issuer.token(now, aud=None), "claim_missing"
    for value in (1, True, {ours: 1}, [ours, 1], [[ours]], [None]):
        yield f"aud {value!r}", issuer.token(now, aud=value), "claim_type"
    others: tuple[Any, ...] = (
        [],
        "",
        ["elsewhere", "payroll"],
        "elsewhere",
        ours[:-1],
        f"{ours}2",
        f"{ours}/",
        ours.upper(),
        f" {ours}",
        f"{ours} elsewhere",
        f"{ours}\u200b",
        f"{ours},elsewhere",
        "*",
        ".*",
        ours.replace("r", "\u0433"),
    )
    for value in others:
        yield f"aud {value!r}", issuer.token(now, aud=value), "audience"


def _times(issuer: TestIssuer, now: datetime) -> Cases:
    second = int(now.timestamp())
    for claim in ("exp", "iat"):
        yield f"{claim} missing", issuer.token(now, **{claim: DROP}), "claim_missing"
        yield f"{claim} null", issuer.token(now, **{claim: None}), "claim_missing"
    good = {"exp": second + 600, "iat": second, "nbf": second}
    for claim, value in good.items():
        wrong = {
            "text": str(value),
            "float": float(value),
            "bool": True,
            "list": [value],
            "object": {},
            "negative": -1,
            "beyond 2^53": 2**53,
        }
        for label, other in wrong.items():
            yield f"{claim} {label}", issuer.token(now, **{claim: other}), "claim_type"
    for claim in good:
        yield f"{claim} of 300 digits", issuer.token(now, **{claim: 10**299}), "malformed"
    exponent = compact_json(issuer.claims(now)).replace(f'"exp":{second + 600}'.encode(), b'"exp":9e9')
    yield "exp with exponent", issuer.signed(compact_json(issuer.header()), exponent), "claim_type"
    past = {"iat": second - 630}
    yield "expired by leeway", issuer.token(now, exp=second - 30, **past), "expired"
    yield "expired by leeway + 1", issuer.token(now, exp=second - 31, **past), "expired"
    yield "expired in 1970", issuer.token(now, exp=0, iat=0), "expired"
    yield "iat ahead by leeway + 1", issuer.token(now, iat=second + 31), "issued_in_future"
    yield "iat after exp", issuer.token(now, exp=second, iat=second + 1), "lifetime"
    yield "iat equal to exp", issuer.token(now, exp=second, iat=second), "lifetime"
    yield "lifetime 3,601 s", issuer.token(now, exp=second + 3601), "lifetime"
    yield "lifetime ten years", issuer.token(now, exp=second + 315_360_000), "lifetime"
    yield "lifetime hidden by an early iat", issuer.token(now, iat=second - 3600, exp=second + 10), "lifetime"
    yield "nbf ahead by leeway + 1", issuer.token(now, nbf=second + 31), "not_yet_valid"
    yield "nbf null", issuer.token(now, nbf=None), "claim_missing"


def _texts(issuer: TestIssuer, now: datetime) -> Cases:
    yield "sub missing", issuer.token(now, sub=DROP), "claim_missing"
    yield "sub null", issuer.token(now, sub=None), "claim_missing"
    for value in (1, True, ["casey.morgan"], {"id": "casey.morgan"}):
        yield f"sub {type(value).__name__}", issuer.token(now, sub=value), "claim_type"
    unreadable = {
        "empty": "",
        "a space": " ",
        "a leading space": " casey.morgan",
        "a trailing space": "casey.morgan ",
        "256 characters": "s" * 256,
        "a line feed": "casey\nmorgan",
        "a carriage return": "casey\rmorgan",
        "a tab": "casey\tmorgan",
        "NUL": "casey\x00",
        "escape": "casey\x1b[2J",
        "a C1 control": "casey\x9b",
        "a right-to-left override": "casey\u202emorgan",
        "a zero-width space": "casey\u200bmorgan",
        "a byte order mark": "\ufeffcasey",
        "a line separator": "casey\u2028morgan",
        "a no-break space": "casey\u00a0morgan",
        "an unassigned character": "casey\U000e0fff",
        "a tag character": "casey\U000e0041",
    }
    for label, value in unreadable.items():
        yield f"sub with {label}", issuer.token(now, sub=value), "subject"
    yield "sub with a lone surrogate", issuer.token(now, sub="casey\ud800"), "malformed"
    for claim in ("jti", "client_id", "azp"):
        changes: dict[str, Any] = {"client_id": DROP} if claim == "azp" else {}
        for value in (None, 1, ["x"], "", "line\nfeed", "j" * 256):
            yield f"{claim} {str(value)[:12]!r}", issuer.token(now, **(changes | {claim: value})), "claim_type"


def _meanings(issuer: TestIssuer, now: datetime) -> Cases:
    for value in (None, "reader", {"reader": True}, ["reader", 1], [["reader"]], 1, True):
        yield f"roles {value!r}", issuer.token(now, roles=value), "roles"
    yield "bound to a key (DPoP) without proof", issuer.token(now, cnf={"jkt": "0ZcOCORZNYy"}), "sender_bound"
    yield "bound to a certificate", issuer.token(now, cnf={"x5t#S256": "bwcK0esc3ACC"}), "sender_bound"
    yield "acting for somebody else", issuer.token(now, act={"sub": "svc-batch"}), "delegated"
