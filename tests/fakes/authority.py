"""A time-stamping authority of the tests' own: its certificates are made here, its tokens by ``openssl ts``."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from registry.crypto import der

POLICY, OTHER_POLICY = "1.2.3.4.1", "1.2.3.4.5"
_CONFIG = """
[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
certs = {folder}/ca.pem
signer_digest = {signer_digest}
default_policy = {policy}
other_policies = {other}
digests = sha256, sha1
ess_cert_id_alg = sha256
"""
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Made:
    """How the authority's certificate departs from what it should be."""

    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,)
    is_critical: bool = True
    valid_days: tuple[int, int] = (-1, 365)
    is_ca: bool = True
    key: PrivateKey | None = None
    signer_digest: str = "sha256"


class Authority:
    """Answers requests for time-stamps."""

    def __init__(self, folder: Path, made: Made | None = None) -> None:
        self._folder = folder
        made = made or Made()
        folder.mkdir()
        above, key = ec.generate_private_key(ec.SECP256R1()), made.key or ec.generate_private_key(ec.SECP256R1())
        root = _certificate(("Example Root", "Example Root"), above, above, _ca(is_ca=made.is_ca), (-30, 3_650))
        extensions = [] if not made.usages else [(x509.ExtendedKeyUsage(made.usages), made.is_critical)]
        own = _certificate(("Example Stamps", "Example Root"), key, above, extensions, made.valid_days)
        self.roots = root.public_bytes(Encoding.PEM)
        (folder / "ca.pem").write_bytes(self.roots)
        (folder / "tsa.pem").write_bytes(own.public_bytes(Encoding.PEM))
        (folder / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "serial").write_text("01\n")
        config = _CONFIG.format(folder=folder, policy=POLICY, other=OTHER_POLICY, signer_digest=made.signer_digest)
        (folder / "tsa.cnf").write_text(config)

    def answer(self, request: bytes) -> bytes:
        """Return the response that ``openssl ts`` gives to a request."""
        (self._folder / "request").write_bytes(request)
        command = ("openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "request", "-out", "response")
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)
        return (self._folder / "response").read_bytes()

    def answer_unchecked(self, request: bytes, proper: Authority, at: datetime | None = None) -> bytes:
        """Return a response that this authority's certificate signed, whatever the certificate is for, of any time.

        ``openssl ts`` refuses to sign with a certificate that is not for time-stamping, so that the stamp is taken from
        a proper authority and signed anew.
        """
        response = proper.answer(request)
        _, signed = der.inside(der.inside(der.elements(response)[0])[1])
        content = der.inside(der.inside(der.elements(signed.body)[0])[2])[1]
        info = der.elements(content.body)[0].body
        if at is not None:
            info, changed = re.subn(rb"(\x18\x0f)\d{14}Z", at.strftime(r"\g<1>%Y%m%d%H%M%SZ").encode(), info)
            assert changed == 1
        (self._folder / "info").write_bytes(info)
        kind = ("-econtent_type", "1.2.840.113549.1.9.16.1.4")
        sign = ("openssl", "cms", "-sign", "-binary", "-nodetach", "-cades", *kind, "-signer", "tsa.pem")
        keys = ("-inkey", "tsa.key", "-md", "sha256", "-in", "info", "-outform", "DER", "-out", "cms")
        subprocess.run((*sign, *keys), cwd=self._folder, check=True, capture_output=True)
        status = der.encoded(der.SEQUENCE, der.encoded_number(0))
        return der.encoded(der.SEQUENCE, status, (self._folder / "cms").read_bytes())


def _ca(*, is_ca: bool) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.BasicConstraints(ca=is_ca, path_length=None), True)]


def _certificate(
    names: tuple[str, str],
    key: PrivateKey,
    above: ec.EllipticCurvePrivateKey,
    extensions: list[tuple[x509.ExtensionType, bool]],
    valid_days: tuple[int, int],
) -> x509.Certificate:
    now = datetime.now(UTC)
    begin, end = (now + timedelta(days=days) for days in valid_days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(names[0]))
        .issuer_name(_name(names[1]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for extension, is_critical in extensions:
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(above, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
