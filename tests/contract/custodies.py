"""Where keys are kept, made to fail in every way that it can: real files, a real OpenBao, SoftHSM, and moto over HTTP.

A custody lasts for all faults of a module: what one fault leaves behind would be seen by the next.
"""

from __future__ import annotations

import base64
import resource
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pkcs11
from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as given

from registry.domain.clock import SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.kms.service import KmsService
from registry.keys.local import LocalKeyring
from registry.keys.openbao.keyring import OpenBaoKeyring
from registry.keys.openbao.rights import policy
from registry.keys.openbao.session import Session
from registry.keys.openbao.transit import TransitKey
from registry.keys.pkcs11 import service as on_token
from registry.keys.pkcs11.service import TokenService
from registry.keys.pkcs11.sessions import Sessions
from registry.keys.ports import SECRET_PURPOSES, Keyring, WrappedKey
from registry.keys.ring_folder import MANIFEST
from registry.keys.service.keyring import ServiceKeyring
from tests.fakes.kms import KmsServer
from tests.fakes.openbao import OpenBaoServer
from tests.fakes.softhsm import PIN, SoftHsm
from tests.fakes.tcp_line import Fault, TcpLine
from tests.functional.keys.baos import CONTEXT, KEY, Hands

Failing = Callable[[], AbstractContextManager[WrappedKey | None]]
TIMEOUT_SECONDS = 1.0
# What a load balancer, a captive portal or a wrong address would say.
PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 22\r\nConnection: close\r\n\r\n"
    b"<html>sign in!</html>\n"
)
NO_HTTP = b"220 mail.example ESMTP\r\n"
_NAMES = count(1)


@dataclass
class Custody:
    """A ring of keys, and how what keeps them is made to fail.

    Attributes:
        ring: the keys of a registry.
        folder: where its files are.
        clock: by which it leaves a service alone that failed.
        secrets: texts that nobody may be told.
        faults: by name, what is wrong for a block; where it matters which key is asked for, the block gets it. At its
            end the custody is mended, and nothing is done to the ring.
        close: ends what is open.
    """

    ring: Keyring
    folder: Path
    clock: Hands
    secrets: tuple[str, ...]
    faults: Mapping[str, Failing]
    close: Callable[[], None]

    def wrap(self) -> WrappedKey:
        return self.ring.provider("data").wrap(CONTEXT, KEY)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        return self.ring.provider("data").unwrap(CONTEXT, wrapped)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


def told_by(ring: Keyring, *more: str) -> tuple[str, ...]:
    """Return what of a ring nobody may be told, in the ways that it may be written."""
    raw = [KEY, *(ring.secret(purpose) for purpose in SECRET_PURPOSES)]
    written = [text for one in raw for text in (one.hex(), base64.b64encode(one).decode(), repr(one)[2:-1])]
    return (*written, *more)


# ---- files of this machine ----


def on_files(folder: Path) -> Custody:
    keys = folder / "keys"
    ring = LocalKeyring.create(keys)
    data = keys / "data.key"
    return Custody(
        ring,
        keys,
        Hands(),
        told_by(ring),
        {
            "throttled": no_descriptors,
            "forbidden": lambda: with_mode(keys, 0o755),
            "not-held": lambda: put_back(keys, ring),
            "missing": lambda: moved(data, folder / "away"),
            "cut": lambda: with_content(data, data.read_bytes()[:100]),
            "gone": lambda: moved(keys, folder / "away"),
            "garbage": lambda: with_content(keys / MANIFEST, b"\0garbage"),
        },
        ring.close,
    )


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Let this process open nothing more, as one that has too much open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def with_mode(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    yield
    path.chmod(before)


@contextmanager
def with_content(path: Path, content: bytes) -> Iterator[None]:
    away = path.with_name(f".{path.name}.away")
    path.rename(away)
    path.write_bytes(content)
    path.chmod(0o600)
    yield
    away.replace(path)


@contextmanager
def moved(path: Path, away: Path) -> Iterator[None]:
    shutil.move(path, away)
    yield
    shutil.move(away, path)


@contextmanager
def put_back(folder: Path, ring: Keyring) -> Iterator[WrappedKey]:
    """Exchange a key, wrap something under the new one, and put the folder of before in its place."""
    older, newer = folder.with_name("older"), folder.with_name("newer")
    shutil.copytree(folder, older)
    ring.rotate("data", SystemClock())
    wrapped = ring.provider("data").wrap(CONTEXT, KEY)
    folder.rename(newer)
    older.rename(folder)
    yield wrapped
    shutil.rmtree(folder)
    newer.rename(folder)


# ---- OpenBao ----


def on_openbao(server: OpenBaoServer, line: TcpLine, folder: Path) -> Custody:
    """Keep keys in a server that can be sealed, spoken to over a line that can be cut."""
    settings = server.set_up(address=f"http://127.0.0.1:{line.port}", timeout_seconds=TIMEOUT_SECONDS)
    clock = Hands()
    session = Session(settings, monotonic=clock)
    ring = OpenBaoKeyring.create(folder / "keys", session)
    ring._monotonic = clock
    key, name = settings.key_of("data"), settings.key_prefix
    secret_id = settings.secret_id_file

    @contextmanager
    def sealed() -> Iterator[None]:
        server.seal()
        yield
        server.unseal()

    @contextmanager
    def throttled() -> Iterator[None]:
        quota = f"sys/quotas/rate-limit/{name}"
        server.call("POST", quota, {"path": "transit", "rate": 1, "interval": "60s"})
        with suppress(KeyUnavailable, EnvelopeRejected):  # one is let through
            ring.provider("data").wrap(CONTEXT, KEY)
        yield
        server.call("DELETE", quota)

    @contextmanager
    def forbidden() -> Iterator[None]:
        smaller = policy(settings).replace(f"/{key}", "/none")
        server.call("PUT", f"sys/policies/acl/{name}", {"policy": smaller})
        yield
        server.call("PUT", f"sys/policies/acl/{name}", {"policy": policy(settings)})

    @contextmanager
    def other_credentials() -> Iterator[None]:
        secret_id.chmod(0o600)
        secret_id.write_text("00000000-0000-0000-0000-000000000000\n")
        server.call("POST", "auth/token/revoke", {"token": session._current().value})
        yield
        server.new_secret_id(settings)

    @contextmanager
    def version_withdrawn() -> Iterator[None]:
        newest = server.call("POST", f"transit/keys/{key}/rotate", {})["data"]["latest_version"]
        server.call("POST", f"transit/keys/{key}/config", {"min_decryption_version": newest})
        yield
        server.call("POST", f"transit/keys/{key}/config", {"min_decryption_version": 1})

    @contextmanager
    def missing() -> Iterator[None]:
        may = {"exportable": True, "allow_plaintext_backup": True, "deletion_allowed": True}
        server.call("POST", f"transit/keys/{key}/config", may)
        kept = server.call("GET", f"transit/backup/{key}")["data"]["backup"]
        server.call("DELETE", f"transit/keys/{key}")
        yield
        server.call("POST", f"transit/restore/{key}", {"backup": kept})

    @contextmanager
    def disabled() -> Iterator[None]:
        server.call("DELETE", f"transit/keys/{key}/soft-delete")
        yield
        server.call("POST", f"transit/keys/{key}/soft-delete-restore", {})

    @contextmanager
    def garbage_as_long() -> Iterator[None]:
        with patch.object(TransitKey, "_opened", lambda *_: bytes(32)):
            yield

    return Custody(
        ring,
        folder / "keys",
        clock,
        told_by(ring, server.root, secret_id.read_text().strip(), session._current().value, "vault:v"),
        {
            "sealed": sealed,
            "throttled": throttled,
            "forbidden": forbidden,
            "credentials": other_credentials,
            "version": version_withdrawn,
            "missing": missing,
            "disabled": disabled,
            "garbage-as-long": garbage_as_long,
            **on_a_line(line),
        },
        session.close,
    )


def on_a_line(line: TcpLine) -> dict[str, Failing]:
    @contextmanager
    def at_fault(fault: Fault, garbage: bytes = b"") -> Iterator[None]:
        line.fault, line.garbage = fault, garbage
        yield
        line.fault = Fault.NONE

    @contextmanager
    def slow() -> Iterator[None]:
        line.delay_seconds = 0.02
        yield
        line.delay_seconds = 0.0

    return {
        "slow": slow,
        "too-slow": lambda: at_fault(Fault.SILENCE),
        "cut": lambda: at_fault(Fault.CUT_AFTER),
        "gone": lambda: at_fault(Fault.CUT_ALWAYS),
        "garbage": lambda: at_fault(Fault.GARBAGE, PAGE),
        "garbage-of-no-http": lambda: at_fault(Fault.GARBAGE, NO_HTTP),
    }


# ---- AWS KMS ----


def on_kms(server: KmsServer, line: TcpLine, folder: Path) -> Custody:
    """Keep keys in moto, which answers errors of KMS on demand, spoken to over a line that can be cut."""
    address = f"http://127.0.0.1:{line.port}"
    alias = f"alias/faults-{next(_NAMES)}"
    settings = server.set_up(alias, endpoint=address, timeout_seconds=TIMEOUT_SECONDS)
    clock = Hands()
    service = KmsService(settings, monotonic=clock)
    ring = ServiceKeyring.create(folder / "keys", service)
    ring._monotonic = clock

    def failing(error: str) -> Failing:
        return lambda: server.faults.failing(error)

    return Custody(
        ring,
        folder / "keys",
        clock,
        told_by(ring, "anybody's eyes"),
        {
            "throttled": failing("ThrottlingException"),
            "forbidden": failing("AccessDeniedException"),
            "credentials": failing("UnrecognizedClientException"),
            "version": failing("IncorrectKeyException"),
            "missing": failing("NotFoundException"),
            "disabled": failing("DisabledException"),
            "pending-deletion": failing("KMSInvalidStateException"),
            "garbage-as-long": lambda: server.faults.opening_to(bytes(32)),
            "not-held": lambda: put_back(folder / "keys", ring),
            **on_a_line(line),
        },
        service.close,
    )


# ---- a PKCS#11 token ----


def on_a_token(tokens: SoftHsm, folder: Path) -> Custody:
    """Keep keys on a token of SoftHSM; what SoftHSM cannot do, its library is made to say."""
    settings = tokens.set_up()
    clock = Hands()
    service = TokenService(settings, monotonic=clock)
    ring = ServiceKeyring.create(folder / "keys", service)
    ring._monotonic = clock
    library = str(settings.library)

    def held() -> Any:
        label = f"{settings.key_prefix}-{ring.key_ids()['data']}"
        session = pkcs11.lib(library).get_token(token_label=settings.token_label).open(rw=True)
        return session.get_key(object_class=ObjectClass.SECRET_KEY, label=label)

    def let(*, may: bool) -> None:
        key = held()
        key[Attribute.ENCRYPT] = key[Attribute.DECRYPT] = may

    @contextmanager
    def refusing(error: type[Exception]) -> Iterator[None]:
        service.close()
        with patch.object(Sessions, "_library", lambda _: _Refusing(error)):
            yield

    @contextmanager
    def slow() -> Iterator[None]:
        real = Sessions._current

        def waiting(sessions: Sessions) -> Any:
            time.sleep(0.01)
            return real(sessions)

        with patch.object(Sessions, "_current", waiting):
            yield

    @contextmanager
    def other_pin() -> Iterator[None]:
        service.close()
        settings.pin_file.chmod(0o600)
        settings.pin_file.write_text("0000-0000\n")
        settings.pin_file.chmod(0o400)
        yield
        settings.pin_file.chmod(0o600)
        settings.pin_file.write_text(f"{PIN}\n")
        settings.pin_file.chmod(0o400)

    @contextmanager
    def handles_void() -> Iterator[None]:
        pkcs11.lib(library).reinitialize()
        yield

    @contextmanager
    def pulled_out() -> Iterator[None]:
        with moved(tokens.tokens, tokens.folder / "away"):
            tokens.tokens.mkdir()
            yield
            tokens.tokens.rmdir()

    @contextmanager
    def key_lost() -> Iterator[None]:
        """Destroy the token's key; its state of before is put back by who keeps copies of it."""
        copy = tokens.folder / "copy"
        shutil.copytree(tokens.tokens, copy)
        held().destroy()
        yield
        shutil.rmtree(tokens.tokens)
        copy.rename(tokens.tokens)

    @contextmanager
    def answering(plain: bytes) -> Iterator[None]:
        real = on_token._key
        with patch.object(on_token, "_key", lambda *asked: Babbling(plain, real(*asked))):
            yield

    @contextmanager
    def disabled() -> Iterator[None]:
        let(may=False)
        yield
        let(may=True)

    return Custody(
        ring,
        folder / "keys",
        clock,
        told_by(ring, PIN),
        {
            "slow": slow,
            "throttled": lambda: refusing(given.SessionCount),
            "sealed": lambda: refusing(given.PinLocked),
            "forbidden": lambda: refusing(given.UserPinNotInitialized),
            "credentials": other_pin,
            "missing": key_lost,
            "disabled": disabled,
            "cut": handles_void,
            "gone": lambda: moved(tokens.tokens, tokens.folder / "away"),
            "pulled-out": pulled_out,
            "failed": lambda: refusing(given.DeviceError),
            "garbage": lambda: answering(bytes(16)),
            "garbage-as-long": lambda: answering(bytes(32)),
            "not-held": lambda: put_back(folder / "keys", ring),
        },
        service.close,
    )


class _Refusing:
    """A library that refuses every login for one cause."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def get_token(self, **_: object) -> _Refusing:
        return self

    def open(self, **_: object) -> Any:
        raise self._error


class Babbling:
    """A key of a token that gives something else back than was wrapped, and too little when it wraps."""

    def __init__(self, plain: bytes, real: Any) -> None:
        self._plain = plain
        self._real = real

    def encrypt(self, plain: bytes, **given: Any) -> bytes:
        sealed: bytes = self._real.encrypt(plain, **given)
        return sealed if len(self._plain) == len(plain) else sealed[: len(self._plain)]

    def decrypt(self, _: bytes, **__: object) -> bytes:
        return self._plain
