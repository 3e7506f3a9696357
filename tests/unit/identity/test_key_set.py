from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from registry.domain.errors import KeyUnavailable
from registry.identity.key_set import read_key_set
from tests.fakes.issuer import DROP, TestIssuer, b64url, compact_json, unb64url

EC_ISSUER = TestIssuer.es256()
RSA_ISSUER = TestIssuer.rs256()
P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


def names(*keys: Any, algorithm: str = "ES256") -> set[str]:
    return set(read_key_set(compact_json({"keys": list(keys)}), algorithm))


def test_fitting_keys_are_kept_and_pinned() -> None:
    assert names(EC_ISSUER.public_jwk()) == {"key-1"}
    assert names(RSA_ISSUER.public_jwk(), algorithm="RS256") == {"key-1"}
    kept = read_key_set(EC_ISSUER.key_set(), "ES256")["key-1"]
    assert (kept.key_id, kept.algorithm) == ("key-1", "ES256")


@pytest.mark.parametrize(
    "changes",
    [{"alg": DROP}, {"use": DROP}, {"key_ops": ["verify"]}, {"x5t": "abc", "note": {"a": 1}}],
)
def test_members_that_may_be_left_out_or_added(changes: dict[str, Any]) -> None:
    assert names(EC_ISSUER.public_jwk(**changes)) == {"key-1"}


@pytest.mark.parametrize(
    "changes",
    [
        {"kid": DROP},
        {"kid": None},
        {"kid": 1},
        {"kid": ""},
        {"kid": "k" * 256},
        {"use": "enc"},
        {"use": None},
        {"use": ["sig"]},
        {"key_ops": ["encrypt"]},
        {"key_ops": "verify"},
        {"d": "AAAA"},
        {"k": "AAAA"},
        {"p": "AAAA"},
        {"oth": []},
        {"alg": "ES384"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "none"},
        {"alg": None},
        {"kty": "oct"},
        {"kty": "RSA"},
        {"kty": "OKP"},
        {"kty": DROP},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"crv": DROP},
        {"x": DROP},
        {"y": 5},
        {"x": "AAAA"},
        {"x": b64url(bytes(33))},
        {"x": b64url(bytes(32)), "y": b64url(bytes(32))},
        {"x": b64url(P.to_bytes(32, "big"))},
        {"y": b64url(b"\x01" * 32)},
        {"x": "=" * 43},
    ],
)
def test_ec_key_that_does_not_fit_is_left_out(changes: dict[str, Any]) -> None:
    neighbour = TestIssuer.es256(key_id="neighbour").public_jwk()
    assert names(EC_ISSUER.public_jwk(**changes), neighbour) == {"neighbour"}


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "PS256"},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"kty": "EC"},
        {"kty": "oct"},
        {"d": "AAAA"},
        {"dp": "AAAA"},
        {"e": b64url(b"\x01")},
        {"e": b64url(b"\x03")},
        {"e": b64url(b"\x01\x00\x00")},
        {"e": b64url(b"\x01" + bytes(7) + b"\x01")},
        {"e": DROP},
        {"n": DROP},
        {"n": b64url(b"\xff" * 2048)},
        {"n": b64url(b"\xff" * 255 + b"\x00")},
        {"n": 5},
    ],
)
def test_rsa_key_that_does_not_fit_is_left_out(changes: dict[str, Any]) -> None:
    assert names(RSA_ISSUER.public_jwk(**changes), algorithm="RS256") == set()


def test_rsa_below_2048_bits_is_left_out() -> None:
    for bits in (1024, 2047):
        modulus = (1 << (bits - 1)) | 1
        small = RSA_ISSUER.public_jwk(n=b64url(modulus.to_bytes((bits + 7) // 8, "big")))
        assert names(small, algorithm="RS256") == set()
    real = TestIssuer(rsa.generate_private_key(public_exponent=65537, key_size=1024))
    assert names(real.public_jwk(), algorithm="RS256") == set()


def test_keys_of_the_other_family_are_left_out() -> None:
    assert names(EC_ISSUER.public_jwk(), algorithm="RS256") == set()
    assert names(RSA_ISSUER.public_jwk(), algorithm="ES256") == set()


def test_other_curve_of_the_same_length_is_left_out() -> None:
    point = ec.generate_private_key(ec.SECP256K1()).public_key().public_numbers()
    coordinates = {"x": b64url(point.x.to_bytes(32, "big")), "y": b64url(point.y.to_bytes(32, "big"))}
    assert names(EC_ISSUER.public_jwk(**coordinates)) == set()


def test_a_name_borne_twice_is_refused_altogether() -> None:
    twin = TestIssuer.es256().public_jwk()
    neighbour = TestIssuer.es256(key_id="neighbour").public_jwk()
    assert names(EC_ISSUER.public_jwk(), twin, neighbour) == {"neighbour"}
    assert names(EC_ISSUER.public_jwk(), EC_ISSUER.public_jwk()) == set()
    assert names(EC_ISSUER.public_jwk(), RSA_ISSUER.public_jwk(use="enc")) == set()


def test_entries_that_are_not_objects_are_left_out() -> None:
    assert names(None, 1, "key", [], EC_ISSUER.public_jwk()) == {"key-1"}


def test_set_without_keys_is_a_withdrawal_and_not_an_error() -> None:
    assert names() == set()


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>busy</html>",
        b"[]",
        b"null",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":null}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":[{"kid":"a","kid":"b"}]}',
        b'{"keys":[]} trailing',
        b'{"keys":[NaN]}',
        b"\xff\xfe{}",
        b'{"keys":' + b"[" * 100_000,
        b'{"keys":[' + b"1," * 100 + b"1]}",
        b'{"keys":[],"x":"' + b"x" * 262_144 + b'"}',
    ],
)
def test_document_that_is_no_key_set_is_unavailable(document: bytes) -> None:
    with pytest.raises(KeyUnavailable) as caught:
        read_key_set(document, "ES256")
    assert caught.value.cause.startswith("key set: ")


def test_coordinates_are_read_in_canonical_form_only() -> None:
    jwk = EC_ISSUER.public_jwk()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = jwk["x"][:-1] + alphabet[alphabet.index(jwk["x"][-1]) | 1]
    assert unb64url(stray) == unb64url(jwk["x"])
    assert names(jwk | {"x": stray}) == set()
    assert json.loads(EC_ISSUER.key_set())["keys"][0]["x"] == jwk["x"]
