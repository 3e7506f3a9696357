from __future__ import annotations

import contextlib
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from registry.domain.errors import InvalidInput, KeyUnavailable, MisconfiguredHome, TokenRefused
from registry.domain.principals import Role
from registry.identity.dev_issuer import PRIVATE_FILE, PUBLIC_FILE, DevelopmentIssuer, development_settings
from registry.identity.jwks import JwksCache
from registry.identity.tokens import TokenVerifier
from tests.fakes.hostile_tokens import hostile_tokens
from tests.fakes.issuer import StoppedClock, TestIssuer, unb64url

NOW = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)


def no_fetch(_url: str, networks: tuple[str, ...] = ()) -> bytes:
    raise AssertionError


def verifier(directory: Path) -> TokenVerifier:
    return TokenVerifier([development_settings(directory, "development")], JwksCache(no_fetch), StoppedClock(NOW))


def test_its_tokens_pass_the_verifier(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer.create(tmp_path / "keys", "development")
    token = issuer.issue("casey.morgan", [Role.READER, Role.AUDITOR], ttl_seconds=900, now=NOW)
    claims = verifier(tmp_path / "keys").verify(token)
    assert claims.issuer == "https://registry.invalid/development"
    assert claims.subject == "casey.morgan"
    assert claims.roles == {Role.READER, Role.AUDITOR}
    assert claims.client == "registry-cli"
    assert claims.expires_at == int(NOW.timestamp()) + 900
    assert len(claims.token_id) == 32


def test_header_and_claims_are_as_documented(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer.create(tmp_path, "development")
    head, body, _ = issuer.issue("casey.morgan", [Role.READER], ttl_seconds=60, now=NOW).split(".")
    (public,) = issuer.public_key_set()["keys"]
    assert json.loads(unb64url(head)) == {"alg": "ES256", "typ": "at+jwt", "kid": public["kid"]}
    assert json.loads(unb64url(body))["aud"] == "registry"


def test_every_token_has_an_id_of_its_own(tmp_path: Path) -> None:
    issuer = DevelopmentIssuer.create(tmp_path, "development")
    tokens = [issuer.issue("casey.morgan", [], ttl_seconds=60, now=NOW) for _ in range(20)]
    assert len({verifier(tmp_path).verify(token).token_id for token in tokens}) == 20


def test_key_is_made_once_and_then_kept(tmp_path: Path) -> None:
    first = DevelopmentIssuer.create(tmp_path, "development").public_key_set()
    assert DevelopmentIssuer.create(tmp_path, "development").public_key_set() == first
    assert DevelopmentIssuer.load(tmp_path, "development").public_key_set() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == [PUBLIC_FILE, PRIVATE_FILE]


def test_lost_public_half_is_written_again(tmp_path: Path) -> None:
    first = DevelopmentIssuer.create(tmp_path, "development").public_key_set()
    (tmp_path / PUBLIC_FILE).unlink()
    DevelopmentIssuer.create(tmp_path, "development")
    assert json.loads((tmp_path / PUBLIC_FILE).read_bytes()) == first


def test_files_and_folder_are_closed_to_others(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    previous = os.umask(0)
    try:
        DevelopmentIssuer.create(directory, "development")
    finally:
        os.umask(previous)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_public_half_holds_nothing_private(tmp_path: Path) -> None:
    DevelopmentIssuer.create(tmp_path, "development")
    private = json.loads((tmp_path / PRIVATE_FILE).read_bytes())
    public = (tmp_path / PUBLIC_FILE).read_text()
    assert private["d"] not in public
    assert set(json.loads(public)["keys"][0]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o777])
def test_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    DevelopmentIssuer.create(tmp_path, "development")
    (tmp_path / PRIVATE_FILE).chmod(mode)
    with pytest.raises(KeyUnavailable, match="mode 0600"):
        DevelopmentIssuer.load(tmp_path, "development")


def test_key_of_another_owner_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DevelopmentIssuer.create(tmp_path, "development")
    owner = (tmp_path / PRIVATE_FILE).stat().st_uid
    monkeypatch.setattr("registry.identity.dev_issuer.os.geteuid", lambda: owner + 1)
    with pytest.raises(KeyUnavailable, match="user who runs"):
        DevelopmentIssuer.load(tmp_path, "development")


def test_link_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    DevelopmentIssuer.create(tmp_path / "real", "development")
    for name in ("link", "folder", "pipe"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / PRIVATE_FILE).symlink_to(tmp_path / "real" / PRIVATE_FILE)
    (tmp_path / "folder" / PRIVATE_FILE).mkdir(mode=0o700)
    os.mkfifo(tmp_path / "pipe" / PRIVATE_FILE, 0o600)
    for name in ("link", "folder", "pipe", "absent"):
        with pytest.raises(KeyUnavailable):
            DevelopmentIssuer.load(tmp_path / name, "development")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"not json",
        b'{"kty":"EC"}',
        b"x" * 5000,
        b'{"kty":"oct","crv":"P-256","x":"","y":"","d":"","kid":""}',
    ],
)
def test_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PRIVATE_FILE).write_bytes(content)
    (tmp_path / PRIVATE_FILE).chmod(0o600)
    for attempt in (DevelopmentIssuer.load, DevelopmentIssuer.create):
        with pytest.raises(KeyUnavailable):
            attempt(tmp_path, "development")
    assert (tmp_path / PRIVATE_FILE).read_bytes() == content


def test_key_with_a_foreign_public_half_is_refused(tmp_path: Path) -> None:
    DevelopmentIssuer.create(tmp_path, "development")
    private = json.loads((tmp_path / PRIVATE_FILE).read_bytes())
    other = TestIssuer.es256().public_jwk()
    (tmp_path / PRIVATE_FILE).write_text(json.dumps(private | {"x": other["x"], "y": other["y"]}))
    with pytest.raises(KeyUnavailable):
        DevelopmentIssuer.load(tmp_path, "development")


@pytest.mark.parametrize("profile", ["production", "", "Development", "development ", "test"])
def test_any_other_profile_refuses(tmp_path: Path, profile: str) -> None:
    DevelopmentIssuer.create(tmp_path, "development")
    private = json.loads((tmp_path / PRIVATE_FILE).read_bytes())
    with pytest.raises(MisconfiguredHome):
        DevelopmentIssuer(profile, private)
    with pytest.raises(MisconfiguredHome):
        DevelopmentIssuer.load(tmp_path, profile)
    with pytest.raises(MisconfiguredHome):
        development_settings(tmp_path, profile)
    with pytest.raises(MisconfiguredHome):
        DevelopmentIssuer.create(tmp_path / "new", profile)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("sub", ["", " ", "a\nb", "a\u202eb", "s" * 256])
def test_name_that_the_verifier_would_refuse_is_not_signed(tmp_path: Path, sub: str) -> None:
    issuer = DevelopmentIssuer.create(tmp_path, "development")
    with pytest.raises(InvalidInput) as caught:
        issuer.issue(sub, [], ttl_seconds=60, now=NOW)
    assert [problem.pointer for problem in caught.value.problems] == ["/sub"]


@pytest.mark.parametrize("ttl", [0, -1, 3601, 10**9])
def test_life_is_an_hour_at_most(tmp_path: Path, ttl: int) -> None:
    issuer = DevelopmentIssuer.create(tmp_path, "development")
    with pytest.raises(InvalidInput) as caught:
        issuer.issue("casey.morgan", [], ttl_seconds=ttl, now=NOW)
    assert [problem.pointer for problem in caught.value.problems] == ["/ttl"]


def test_hostile_tokens_made_with_its_key_are_refused(tmp_path: Path) -> None:
    """The way the HTTP tests use the table: every token is signed with the key that the server trusts."""
    DevelopmentIssuer.create(tmp_path, "development")
    forger = TestIssuer.from_private_jwk(json.loads((tmp_path / PRIVATE_FILE).read_bytes()))
    strict = verifier(tmp_path)
    assert strict.verify(forger.token(NOW)).subject == "casey.morgan"
    passed = []
    for name, token in hostile_tokens(forger, NOW):
        with contextlib.suppress(TokenRefused):
            strict.verify(token)
            passed.append(name)
    assert passed == []
