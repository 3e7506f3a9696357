"""Time-stamps (RFC 3161): asking for one, and verifying a token at its own time, with the authority's certificates.

Decided on the strict side, each with a test: SHA-256, SHA-384 or SHA-512 throughout; one signer, whose certificate is
in the token and named by its hash (signing-certificate-v2); RSA of 2,048 bits at least (PKCS 1 v1.5) or a NIST curve;
an extended key usage that is critical and names time-stamping alone. A chain ends at a certificate that the verifier
trusts; all of it must be valid at the token's time, because a token is to be verified for years after that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from registry.crypto import der
from registry.crypto.der import Element
from registry.crypto.tags import equal
from registry.domain.errors import ProofRejected

MAX_TOKEN_BYTES = 65_536
_SIGNED_DATA = der.encoded_oid("1.2.840.113549.1.7.2")
_TST_INFO = der.encoded_oid("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = der.encoded_oid("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = der.encoded_oid("1.2.840.113549.1.9.4")
_SIGNING_CERTIFICATE_V2 = der.encoded_oid("1.2.840.113549.1.9.16.2.47")
_DER = Encoding.DER
_DIGESTS: Mapping[bytes, tuple[str, hashes.HashAlgorithm]] = {
    der.encoded_oid("2.16.840.1.101.3.4.2.1"): ("sha256", hashes.SHA256()),
    der.encoded_oid("2.16.840.1.101.3.4.2.2"): ("sha384", hashes.SHA384()),
    der.encoded_oid("2.16.840.1.101.3.4.2.3"): ("sha512", hashes.SHA512()),
}
_SHA256 = der.encoded_oid("2.16.840.1.101.3.4.2.1")
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
# What hostile bytes make of parsing: parts that are not as many as they should be, and certificates that are none.
_DAMAGES = (
    *(ValueError, TypeError, IndexError, OverflowError, UnsupportedAlgorithm),
    *(x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType),
)
_LEAST_RSA_BITS = 2_048
_MOST_IN_CHAIN = 6
_GRANTED = (0, 1)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified time-stamp.

    Attributes:
        at: the authority's time, to the second.
        serial: number of the token at its authority.
        authority: subject of the certificate that signed it.
    """

    at: datetime
    serial: int
    authority: str


@dataclass(frozen=True, slots=True)
class Demands:
    """What a token must be.

    Attributes:
        digest: SHA-256 of what was stamped, 32 bytes.
        roots: certificates that the verifier trusts.
        policy: the authority's policy, dotted; empty for any.
        nonce: of the request; None where it is not known any more.
    """

    digest: bytes
    roots: Sequence[x509.Certificate]
    policy: str = ""
    nonce: int | None = None


def read_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read the certificates of an authority that is trusted.

    Raises:
        ProofRejected: there are none.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise ProofRejected("no certificates of a time-stamping authority in PEM") from None


def request_of(digest: bytes, nonce: int, policy: str = "") -> bytes:
    """Return a request for a time-stamp (TimeStampReq), which asks for the certificates too."""
    imprint = der.encoded(der.SEQUENCE, der.encoded(der.SEQUENCE, _SHA256), der.encoded(der.OCTETS, digest))
    wanted = der.encoded_oid(policy) if policy else b""
    return der.encoded(
        der.SEQUENCE,
        der.encoded_number(1),
        imprint,
        wanted,
        der.encoded_number(nonce),
        der.encoded(der.BOOLEAN, b"\xff"),
    )


def verify_response(response: bytes, demands: Demands) -> Stamp:
    """Verify what an authority answered (TimeStampResp).

    Raises:
        ProofRejected: it is no time-stamp of that, or not of an authority that is trusted; the text says which check
            failed.
    """
    if len(response) > MAX_TOKEN_BYTES:
        raise ProofRejected("the time-stamp is too long")
    try:
        return _verified(response, demands)
    except _DAMAGES:
        raise ProofRejected("the time-stamp or one of its certificates is damaged") from None


def _verified(response: bytes, demands: Demands) -> Stamp:
    status, *rest = der.inside(der.one(der.elements(response)))
    if der.whole_number(der.inside(status)[0]) not in _GRANTED or not rest:
        raise ProofRejected("the authority granted no time-stamp")
    signed = _signed_data(der.one(rest))
    info = der.body(der.one(der.inside(signed.content[1], 0xA0)), der.OCTETS)
    signer = _signer(signed, info)
    stamp = _stamp(der.inside(der.one(der.elements(info))), signer, demands)
    _demand_for_stamps(signer)
    _demand_chain(signer, signed.certificates, demands.roots, stamp.at)
    return stamp


@dataclass(frozen=True, slots=True)
class _Signed:
    """The parts of signed data (RFC 5652) that are looked at."""

    content: Sequence[Element]
    certificates: Sequence[x509.Certificate]
    signer: Sequence[Element]


def _signed_data(content_info: Element) -> _Signed:
    kind, explicit = _some(der.inside(content_info), 2)
    if kind.whole != _SIGNED_DATA:
        raise ProofRejected("the time-stamp is no signed data")
    _, _, content, *rest = _some(der.inside(der.one(der.inside(explicit, 0xA0))), 4)
    parts = der.inside(content)
    if len(parts) != 2 or parts[0].whole != _TST_INFO:
        raise ProofRejected("what is signed is no time-stamp")
    stated = [each for each in rest if each.tag == 0xA0]
    certificates = [x509.load_der_x509_certificate(each.whole) for one in stated for each in der.elements(one.body)]
    if any(certificate.serial_number <= 0 for certificate in certificates):
        raise ProofRejected("a certificate of the time-stamp has no positive serial number")
    return _Signed(parts, certificates, der.inside(der.one(der.inside(rest[-1], der.SET))))


def _signer(signed: _Signed, info: bytes) -> x509.Certificate:
    """Verify the signature; return the certificate that it verifies with."""
    attributes = next((each for each in signed.signer if each.tag == 0xA0), None)
    octets = [each for each in signed.signer if each.tag == der.OCTETS]
    if attributes is None or len(signed.signer) < 6:
        raise ProofRejected("the time-stamp has no signed attributes")
    name, algorithm = _digest(signed.signer[2])
    values = _attributes(attributes)
    if values.get(_CONTENT_TYPE) != _TST_INFO:
        raise ProofRejected("the signed content type is another one")
    digest = hashlib.new(name, info).digest()
    if not equal(values.get(_MESSAGE_DIGEST, b""), der.encoded(der.OCTETS, digest)):
        raise ProofRejected("the signature is over another time-stamp")
    certificate = _named(signed.certificates, values.get(_SIGNING_CERTIFICATE_V2, b""))
    message = der.encoded(der.SET, attributes.body)
    _demand_signature(certificate, der.one(octets).body, message, algorithm)
    return certificate


def _attributes(element: Element) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for attribute in der.elements(element.body):
        kind, values = _some(der.inside(attribute), 2)
        if kind.whole in found:
            raise ProofRejected("a signed attribute stands twice")
        found[kind.whole] = der.one(der.inside(values, der.SET)).whole
    return found


def _named(certificates: Iterable[x509.Certificate], attribute: bytes) -> x509.Certificate:
    """Return the certificate that the signed attribute names by its hash."""
    if not attribute:
        raise ProofRejected("the time-stamp does not name its signing certificate by a hash of version 2")
    first = der.inside(der.inside(der.inside(der.one(der.elements(attribute)))[0])[0])
    name = _digest(first[0])[0] if first[0].tag == der.SEQUENCE else "sha256"
    wanted = der.body(first[1] if first[0].tag == der.SEQUENCE else first[0], der.OCTETS)
    for certificate in certificates:
        raw = certificate.public_bytes(_DER)
        if equal(hashlib.new(name, raw).digest(), wanted):
            return certificate
    raise ProofRejected("the signing certificate is not in the time-stamp")


def _demand_signature(
    certificate: x509.Certificate, signature: bytes, message: bytes, algorithm: hashes.HashAlgorithm
) -> None:
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _LEAST_RSA_BITS:
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
            key.verify(signature, message, ec.ECDSA(algorithm))
        else:
            raise ProofRejected("the authority signs with a key that is too weak or of another kind")
    except InvalidSignature:
        raise ProofRejected("the time-stamp's signature does not verify") from None


def _stamp(info: Sequence[Element], signer: x509.Certificate, demands: Demands) -> Stamp:
    version, policy, imprint, serial, at, *rest = _some(info, 5)
    if der.whole_number(version) != 1:
        raise ProofRejected("the time-stamp is of an unknown version")
    if demands.policy and policy.whole != der.encoded_oid(demands.policy):
        raise ProofRejected("the time-stamp is under another policy")
    algorithm, digest = _some(der.inside(imprint), 2)
    if _digest(algorithm)[0] != "sha256" or not equal(der.body(digest, der.OCTETS), demands.digest):
        raise ProofRejected("the time-stamp is of something else")
    nonces = [der.whole_number(each) for each in rest if each.tag == der.INTEGER]
    if demands.nonce is not None and nonces != [demands.nonce]:
        raise ProofRejected("the time-stamp answers another request")
    return Stamp(_moment(at), der.whole_number(serial), signer.subject.rfc4514_string())


def _moment(element: Element) -> datetime:
    text = der.body(element, der.TIME).decode("ascii", "replace")
    try:
        # Fractions are allowed by the format; a second is as fine as anybody needs it here.
        return datetime.strptime(f"{text[:14]}+0000", "%Y%m%d%H%M%S%z").astimezone(UTC)
    except ValueError:
        raise ProofRejected("the time-stamp's time is no time") from None


def _demand_for_stamps(certificate: x509.Certificate) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        raise ProofRejected("the authority's certificate is not for time-stamping") from None
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise ProofRejected("the authority's certificate is not for time-stamping, critically and alone")


def _demand_chain(
    signer: x509.Certificate,
    carried: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    """Follow the issuers to a certificate that is trusted; all must be valid at the token's time."""
    certificate = signer
    for _ in range(_MOST_IN_CHAIN):
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise ProofRejected("a certificate of the authority was not valid at the time of the time-stamp")
        if certificate in roots:
            return
        above = next((each for each in (*roots, *carried) if _has_issued(each, certificate)), None)
        if above is None:
            break
        certificate = above
    raise ProofRejected("the time-stamp is not of an authority that is trusted")


def _has_issued(above: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        if not above.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        certificate.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    try:
        return above.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True


def _digest(algorithm: Element) -> tuple[str, hashes.HashAlgorithm]:
    found = _DIGESTS.get(der.inside(algorithm)[0].whole)
    if found is None:
        raise ProofRejected("the time-stamp uses a hash that is too weak or unknown")
    return found


def _some(found: Sequence[Element], least: int) -> Sequence[Element]:
    if len(found) < least:
        raise ProofRejected("the time-stamp lacks a part")
    return found
