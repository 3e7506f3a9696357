"""An issuer for trying things out: signs tokens with a key in the registry's own folder. Development profile only."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any

from jose import jwk, jwt
from jose.exceptions import JOSEError

from registry.crypto.jwk import new_p256_private_jwk, public_jwk
from registry.domain.enrollment import FieldProblem
from registry.domain.errors import InvalidInput, KeyUnavailable, MisconfiguredHome
from registry.domain.principals import Role
from registry.identity.claims import is_plain_text
from registry.identity.issuers import (
    DEVELOPMENT_AUDIENCE,
    DEVELOPMENT_ISSUER,
    DEVELOPMENT_PROFILE,
    IssuerSettings,
)
from registry.identity.segments import NotStrict, read_object

PRIVATE_FILE = "development-issuer.private.jwk"
PUBLIC_FILE = "development-issuer.jwks"
CLIENT = "registry-cli"
MAX_TTL_SECONDS = 3600
STRONG = "phr"  # phishing-resistant (OpenID Connect Extended Authentication Profile, section 2)

_MAX_FILE_BYTES = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DevelopmentIssuer:
    """Issues ES256 access tokens (RFC 9068) as ``https://registry.invalid/development``, a name nobody can own."""

    def __init__(self, profile: str, private: Mapping[str, str]) -> None:
        """Take a key.

        Args:
            profile: the registry's profile.
            private: a private P-256 JWK.

        Raises:
            MisconfiguredHome: the profile is not ``development``.
            KeyUnavailable: the key is not a usable one.
        """
        _require_development(profile)
        try:
            self._key = jwk.construct(dict(private), "ES256")
        except (JOSEError, ValueError, TypeError, KeyError):
            raise KeyUnavailable("development issuer: the key file does not hold a private P-256 key") from None
        self._public = public_jwk(private)

    @classmethod
    def create(cls, directory: Path, profile: str) -> DevelopmentIssuer:
        """Make the key and its public half in the registry's key folder; an existing key is kept and loaded.

        Raises:
            MisconfiguredHome: the profile is not ``development``.
            KeyUnavailable: an existing key is unusable, or the folder cannot be written.
        """
        _require_development(profile)
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            _write_new(directory / PRIVATE_FILE, json.dumps(new_p256_private_jwk()))
        except FileExistsError:
            pass
        except OSError:
            raise KeyUnavailable("development issuer: the key folder cannot be written") from None
        issuer = cls.load(directory, profile)
        _publish(directory, issuer.public_key_set())
        return issuer

    @classmethod
    def load(cls, directory: Path, profile: str) -> DevelopmentIssuer:
        """Read the key.

        Raises:
            MisconfiguredHome: the profile is not ``development``.
            KeyUnavailable: no key, a link, another owner, readable by others, or not a key.
        """
        _require_development(profile)
        return cls(profile, _read_private(directory / PRIVATE_FILE))

    def issue(
        self, sub: str, roles: Iterable[Role], *, ttl_seconds: int, now: datetime, acr: str | None = STRONG
    ) -> str:
        """Sign a token for this registry.

        Args:
            sub: the principal's name.
            roles: roles to claim; they narrow those of the principals table.
            ttl_seconds: 1 to 3600.
            now: the time of issue.
            acr: how strongly the person signed in just now; None leaves it out, as for a session of long ago.

        Raises:
            InvalidInput: at ``/sub`` or ``/ttl``.
        """
        if not is_plain_text(sub):
            raise InvalidInput([FieldProblem("/sub", "not_plain_text")])
        if not 0 < ttl_seconds <= MAX_TTL_SECONDS:
            raise InvalidInput([FieldProblem("/ttl", "out_of_range")])
        issued_at = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": DEVELOPMENT_ISSUER,
            "aud": DEVELOPMENT_AUDIENCE,
            "sub": sub,
            "client_id": CLIENT,
            "roles": sorted(role.value for role in roles),
            "iat": issued_at,
            "exp": issued_at + ttl_seconds,
            "jti": token_hex(16),
        }
        if acr is not None:
            claims |= {"acr": acr, "auth_time": issued_at}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"typ": "at+jwt", "kid": self._public["kid"]})

    def public_key_set(self) -> dict[str, list[dict[str, str]]]:
        """Return the JWK Set that verifies its tokens."""
        return {"keys": [dict(self._public)]}


def development_settings(directory: Path, profile: str) -> IssuerSettings:
    """Return the terms under which the server accepts development tokens; it reads the public half only.

    Raises:
        MisconfiguredHome: the profile is not ``development``.
    """
    _require_development(profile)
    return IssuerSettings(
        issuer=DEVELOPMENT_ISSUER,
        audience=DEVELOPMENT_AUDIENCE,
        algorithms=frozenset({"ES256"}),
        jwks_file=directory / PUBLIC_FILE,
        max_lifetime_seconds=MAX_TTL_SECONDS,
        step_up_acr=frozenset({STRONG}),
        step_up_max_age_seconds=MAX_TTL_SECONDS,
    )


def _publish(directory: Path, key_set: Mapping[str, Any]) -> None:
    try:
        _replace(directory / PUBLIC_FILE, json.dumps(key_set))
    except OSError:
        raise KeyUnavailable("development issuer: the key folder cannot be written") from None


def _require_development(profile: str) -> None:
    if profile != DEVELOPMENT_PROFILE:
        raise MisconfiguredHome(
            "the development issuer works in the development profile only; use your issuer's tokens"
        )


def _read_private(path: Path) -> dict[str, str]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyUnavailable("development issuer: no key; run registry init") from None
    except OSError:
        raise KeyUnavailable("development issuer: the key file cannot be read or is a link") from None
    try:
        _require_private(os.fstat(descriptor), path)  # asked of the open file: the name could be moved in between
        content = os.read(descriptor, _MAX_FILE_BYTES)
    finally:
        os.close(descriptor)
    try:
        members = read_object(content)
    except NotStrict:
        members = {}
    if not all(type(members.get(name)) is str for name in ("kty", "crv", "x", "y", "d", "kid")):
        raise KeyUnavailable("development issuer: the key file does not hold a private P-256 key")
    return members


def _require_private(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise KeyUnavailable("development issuer: the key file must be a file of the user who runs the registry")
    if stat.S_IMODE(found.st_mode) & _OTHERS:
        raise KeyUnavailable(f"development issuer: the key file must have mode 0600; run: chmod 600 {path}")


def _write_new(path: Path, text: str) -> None:
    """Write a 0600 file that appears whole or not at all, and never replaces another (FileExistsError)."""
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    _sync_directory(path.parent)


def _replace(path: Path, text: str) -> None:
    draft = _draft(path, text)
    draft.replace(path)
    _sync_directory(path.parent)


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    return draft


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
