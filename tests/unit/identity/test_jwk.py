"""Keys as JWK: registry/crypto/jwk.py, tested beside its only user."""

from __future__ import annotations

from jose import jwk as jose_jwk

from registry.crypto.jwk import _coordinate, new_p256_private_jwk, public_jwk, thumbprint
from tests.fakes.issuer import unb64url


def test_key_signs_and_its_public_half_verifies() -> None:
    private = new_p256_private_jwk()
    signature = jose_jwk.construct(private, "ES256").sign(b"message")
    public = jose_jwk.construct(public_jwk(private), "ES256")
    assert public.verify(b"message", signature)
    assert not public.verify(b"massage", signature)


def test_numbers_always_have_32_bytes() -> None:
    private = new_p256_private_jwk()
    assert {len(unb64url(private[name])) for name in ("x", "y", "d")} == {32}
    assert unb64url(_coordinate(1)) == bytes(31) + b"\x01"  # one key in 86 or so has a short number


def test_public_half_drops_whatever_is_not_named() -> None:
    private = new_p256_private_jwk() | {"k": "AAAA", "p": "AAAA"}
    assert set(public_jwk(private)) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def testthumbprint_is_that_of_rfc_7638() -> None:
    # The P-256 key of RFC 7517 appendix A.1; the thumbprint was computed with another implementation of RFC 7638.
    key = {
        "kty": "EC",
        "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    }
    assert thumbprint(key) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def test_keys_differ() -> None:
    assert len({new_p256_private_jwk()["kid"] for _ in range(20)}) == 20
