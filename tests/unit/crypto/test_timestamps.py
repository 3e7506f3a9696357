"""Time-stamps by a real authority (``openssl ts``): what is accepted, and what each hostile token is refused for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from registry.crypto import der
from registry.crypto.timestamps import Demands, read_roots, request_of, verify_response
from registry.domain.errors import ProofRejected
from tests.fakes.authority import OTHER_POLICY, POLICY, Authority, Made

DIGEST, NONCE = sha256(b"a checkpoint").digest(), 0x8123456789ABCDEF


@pytest.fixture(scope="module")
def proper(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("proper") / "tsa")


@pytest.fixture(scope="module")
def response(proper: Authority) -> bytes:
    return proper.answer(request_of(DIGEST, NONCE, POLICY))


@pytest.fixture
def demands(proper: Authority) -> Demands:
    return Demands(DIGEST, read_roots(proper.roots), POLICY, NONCE)


def test_a_stamp_says_when_and_by_whom(response: bytes, demands: Demands) -> None:
    stamp = verify_response(response, demands)
    assert abs(stamp.at - datetime.now(UTC)) < timedelta(hours=1)
    assert stamp.authority == "CN=Example Stamps"
    assert verify_response(response, replace(demands, policy="", nonce=None)) == stamp


@pytest.mark.parametrize(
    "made",
    [Made(key=rsa.generate_private_key(65_537, 2_048)), Made(signer_digest="sha512"), Made(signer_digest="sha384")],
)
def test_other_usual_authorities_are_accepted(tmp_path: Path, made: Made) -> None:
    authority = Authority(tmp_path / "tsa", made)
    response = authority.answer(request_of(DIGEST, NONCE))
    assert verify_response(response, Demands(DIGEST, read_roots(authority.roots), nonce=NONCE)).serial == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda demands: replace(demands, digest=bytes(32)), "is of something else"),
        (lambda demands: replace(demands, nonce=1), "answers another request"),
        (lambda demands: replace(demands, policy=OTHER_POLICY), "is under another policy"),
        (lambda demands: replace(demands, roots=()), "not of an authority that is trusted"),
    ],
)
def test_a_stamp_of_something_else_is_refused(
    response: bytes, demands: Demands, change: Callable[[Demands], Demands], words: str
) -> None:
    with pytest.raises(ProofRejected, match=words):
        verify_response(response, change(demands))


def test_an_authority_of_the_same_name_is_another_one(tmp_path: Path, response: bytes, demands: Demands) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(ProofRejected, match="not of an authority that is trusted"):
        verify_response(response, replace(demands, roots=read_roots(other.roots)))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (Made(usages=()), "certificate is not for time-stamping"),
        (Made(is_critical=False), "not for time-stamping, critically and alone"),
        (
            Made(usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH)),
            "not for time-stamping, critically and alone",
        ),
        (Made(usages=(ExtendedKeyUsageOID.CODE_SIGNING,)), "not for time-stamping, critically and alone"),
        (Made(valid_days=(-20, -10)), "was not valid at the time"),
        (Made(valid_days=(10, 20)), "was not valid at the time"),
        (Made(is_ca=False), "not of an authority that is trusted"),
        (Made(key=rsa.generate_private_key(65_537, 1_024)), "too weak or of another kind"),
    ],
)
def test_a_certificate_that_is_not_for_this_is_refused(
    tmp_path: Path, proper: Authority, demands: Demands, made: Made, words: str
) -> None:
    authority = Authority(tmp_path / "tsa", made)
    response = authority.answer_unchecked(request_of(DIGEST, NONCE, POLICY), proper)
    with pytest.raises(ProofRejected, match=words):
        verify_response(response, replace(demands, roots=read_roots(authority.roots)))


def test_what_is_signed_anew_by_a_proper_certificate_is_accepted(
    tmp_path: Path, proper: Authority, demands: Demands
) -> None:
    """The row above fails by the certificate alone."""
    authority = Authority(tmp_path / "tsa")
    response = authority.answer_unchecked(request_of(DIGEST, NONCE, POLICY), proper)
    assert (
        verify_response(response, replace(demands, roots=read_roots(authority.roots))).authority == "CN=Example Stamps"
    )


def test_a_stamp_is_verified_at_its_own_time(tmp_path: Path, proper: Authority, demands: Demands) -> None:
    """The authority's certificate has run out since, as every one has when evidence of some years is looked at."""
    authority = Authority(tmp_path / "tsa", Made(valid_days=(-20, -10)))
    trusting = replace(demands, roots=read_roots(authority.roots))
    for days, is_valid in ((21, False), (15, True), (9, False)):
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
        response = authority.answer_unchecked(request_of(DIGEST, NONCE, POLICY), proper, at)
        if is_valid:
            assert verify_response(response, trusting).at == at
            continue
        with pytest.raises(ProofRejected, match="was not valid at the time of the time-stamp"):
            verify_response(response, trusting)


def test_a_weak_hash_is_refused(tmp_path: Path, demands: Demands) -> None:
    authority = Authority(tmp_path / "tsa", Made(signer_digest="sha1"))
    response = authority.answer(request_of(DIGEST, NONCE, POLICY))
    with pytest.raises(ProofRejected, match="a hash that is too weak or unknown"):
        verify_response(response, replace(demands, roots=read_roots(authority.roots)))


def test_a_refusal_is_no_stamp(proper: Authority, demands: Demands) -> None:
    refused = proper.answer(request_of(DIGEST, NONCE, "1.2.3.4.999"))
    with pytest.raises(ProofRejected, match="granted no time-stamp"):
        verify_response(refused, demands)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")  # of certificates we refuse
def test_every_flipped_bit_of_what_is_signed_is_refused(response: bytes, demands: Demands) -> None:
    """Not one byte of a token may change its meaning: each is refused by name, or says the very same as before."""
    stamp = verify_response(response, demands)
    accepted = 0
    for at in range(len(response)):
        for bit in range(8):
            changed = bytearray(response)
            changed[at] ^= 1 << bit
            try:
                assert verify_response(bytes(changed), demands) == stamp
                accepted += 1
            except ProofRejected:
                continue
    # What nobody signs: the status, versions, the list of digests, the signer's identifier, the algorithm's name, and
    # certificates that are carried along.
    assert accepted < len(response) * 4


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_a_part_that_is_left_out_or_twice_is_refused_by_name(response: bytes, demands: Demands) -> None:
    for at in range(len(response)):
        for changed in (response[:at] + response[at + 1 :], response[: at + 1] + response[at:]):
            with pytest.raises(ProofRejected):
                verify_response(changed, demands)


@pytest.mark.parametrize("cut", [0, 1, 2, 40, 300])
def test_a_stamp_that_was_cut_or_grew_is_refused(response: bytes, demands: Demands, cut: int) -> None:
    for damaged in (response[:cut], response + bytes(cut + 1), b"\x30\x80" + response[cut:], bytes(70_000)):
        with pytest.raises(ProofRejected):
            verify_response(damaged, demands)


def test_no_certificates_are_no_trust() -> None:
    with pytest.raises(ProofRejected, match="no certificates"):
        read_roots(b"none")


@pytest.mark.parametrize("raw", ["0281", "02820001", "028100", "1f0100", "020500", "30800000", "0285000000000101"])
def test_what_is_not_der_is_refused(raw: str) -> None:
    with pytest.raises(ProofRejected, match="not in DER"):
        der.elements(bytes.fromhex(raw))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 255, 256, 2**63, 2**64 - 1])
def test_numbers_have_one_spelling(number: int) -> None:
    (element,) = der.elements(der.encoded_number(number))
    assert der.whole_number(element) == number
    for other in (b"\x00" + element.body, b""):
        (longer,) = der.elements(der.encoded(der.INTEGER, other))
        if other[1:2] < b"\x80":
            with pytest.raises(ProofRejected):
                der.whole_number(longer)


@pytest.mark.parametrize(
    ("dotted", "raw"),
    [("1.2.840.113549.1.7.2", "06092a864886f70d010702"), ("2.16.840.1.101.3.4.2.1", "0609608648016503040201")],
)
def test_object_identifiers_are_written_as_others_write_them(dotted: str, raw: str) -> None:
    assert der.encoded_oid(dotted).hex() == raw


@pytest.mark.parametrize("dotted", ["3.1", "1.40", "1", "1.x", "1.2.-3"])
def test_what_is_no_object_identifier_is_refused(dotted: str) -> None:
    with pytest.raises(ValueError):
        der.encoded_oid(dotted)
