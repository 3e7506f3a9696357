"""Every way in which keys may not be had, on each of the four custodies: the cause is named, readiness tells, it works
again by itself, nothing is lost, and no message and no line of a log holds a key, a token or a PIN.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from registry.domain.errors import EnvelopeRejected, KeyUnavailable
from registry.keys.causes import (
    DISABLED,
    FAILED,
    FORBIDDEN,
    LOCKED,
    SEALED,
    THROTTLED,
    UNREACHABLE,
    WRONG_KEY,
    WRONG_VERSION,
)
from registry.keys.ports import WrappedKey
from tests.conftest import openbao_program
from tests.contract.custodies import Custody, on_a_token, on_files, on_kms, on_openbao
from tests.fakes.openbao import OpenBaoServer
from tests.fakes.tcp_line import TcpLine
from tests.functional.keys.baos import CONTEXT, KEY

# The binding asks a session that is void for its end when it is collected, and cannot raise there.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. 'pkcs11:pytest.PytestUnraisableExceptionWarning")

CUSTODIES = ("local", "openbao", "aws-kms", "pkcs11")
FILE = "key_file"
WORKS, REJECTED = "", "rejected"


class Told(NamedTuple):
    """What somebody learns who unwraps, who wraps, and who asks whether the registry is ready; ``says`` is in words."""

    unwrap: str
    wrap: str
    ready: str
    says: str


def everywhere(code: str, says: str) -> Told:
    return Told(code, code, code, says)


ANOTHER = r"of the key service opens, and gives another key than .*\.key holds"
UNNOTICED = everywhere(WORKS, "")
# Keys that are in memory go on; readiness tells what a start would find.
TABLE: dict[tuple[str, str], Told] = {
    ("local", "throttled"): Told(WORKS, WORKS, FILE, "Too many open files"),
    ("local", "forbidden"): Told(WORKS, WORKS, FILE, "run: chmod 700"),
    ("local", "not-held"): Told(FILE, WORKS, WORKS, "not the key that was used to wrap"),
    ("local", "missing"): Told(WORKS, WORKS, FILE, r"data\.key is missing; restore it"),
    ("local", "cut"): Told(WORKS, WORKS, FILE, r"data\.key is damaged.*restore it"),
    ("local", "gone"): Told(WORKS, FILE, FILE, "is missing; restore it|does not exist"),
    ("local", "garbage"): Told(WORKS, FILE, FILE, "keyring is damaged"),
    ("openbao", "slow"): UNNOTICED,
    ("openbao", "too-slow"): everywhere(UNREACHABLE, r"does not answer in 1 s"),
    ("openbao", "throttled"): everywhere(THROTTLED, "limits how much it is asked"),
    ("openbao", "sealed"): everywhere(SEALED, "is sealed; unseal it"),
    ("openbao", "forbidden"): everywhere(FORBIDDEN, "compare its policy with: registry key-service"),
    ("openbao", "credentials"): everywhere(FORBIDDEN, "refuses role id or secret id"),
    ("openbao", "version"): Told(WRONG_VERSION, WORKS, WRONG_VERSION, "lower its min_decryption_version"),
    # To wrap under a key that is not there would be to make one, and that is forbidden.
    ("openbao", "missing"): Told(WRONG_KEY, FORBIDDEN, WRONG_KEY, "put back from an older state"),
    ("openbao", "disabled"): everywhere(DISABLED, "soft-deleted at the key service; run there: bao write -f"),
    ("openbao", "cut"): UNNOTICED,
    ("openbao", "gone"): everywhere(UNREACHABLE, "cannot be reached"),
    ("openbao", "garbage"): everywhere(FAILED, "is no OpenBao"),
    # Another data key is told by the values, which it does not open; the files of the ring tell here.
    ("openbao", "garbage-as-long"): Told(WORKS, WORKS, WRONG_KEY, ANOTHER),
    ("openbao", "garbage-of-no-http"): everywhere(UNREACHABLE, "cannot be reached"),
    ("aws-kms", "slow"): UNNOTICED,
    ("aws-kms", "too-slow"): everywhere(UNREACHABLE, "cannot be reached: ReadTimeoutError"),
    ("aws-kms", "throttled"): everywhere(THROTTLED, "more often than AWS KMS allows"),
    ("aws-kms", "forbidden"): everywhere(FORBIDDEN, "compare the policies of key and role"),
    ("aws-kms", "credentials"): everywhere(FORBIDDEN, "refuses the credentials"),
    ("aws-kms", "version"): everywhere(WRONG_KEY, "was the alias or the file of the key folder exchanged"),
    ("aws-kms", "missing"): everywhere(WRONG_KEY, "arn:aws:kms"),
    ("aws-kms", "disabled"): everywhere(DISABLED, "disabled"),
    ("aws-kms", "pending-deletion"): everywhere(DISABLED, "deletion"),
    ("aws-kms", "not-held"): Told(FILE, WORKS, WORKS, "not the key that was used to wrap"),
    # With the ``attempts`` that are usual it is asked again, and nobody notices.
    ("aws-kms", "cut"): Told(UNREACHABLE, WORKS, WORKS, "cannot be reached: ConnectionClosedError"),
    ("aws-kms", "gone"): everywhere(UNREACHABLE, "cannot be reached"),
    ("aws-kms", "garbage"): everywhere(FAILED, "something else than was asked"),
    ("aws-kms", "garbage-as-long"): Told(WRONG_KEY, WORKS, WRONG_KEY, ANOTHER),
    ("aws-kms", "garbage-of-no-http"): everywhere(UNREACHABLE, "cannot be reached"),
    ("pkcs11", "slow"): UNNOTICED,
    ("pkcs11", "throttled"): everywhere(THROTTLED, "no room for another session"),
    ("pkcs11", "sealed"): everywhere(LOCKED, "its security officer unlocks it"),
    ("pkcs11", "forbidden"): everywhere(FORBIDDEN, "has no PIN for a user yet"),
    ("pkcs11", "credentials"): everywhere(FORBIDDEN, "refuses? the PIN|has refused this PIN"),
    ("pkcs11", "missing"): everywhere(WRONG_KEY, "lacks a key of this registry"),
    ("pkcs11", "disabled"): everywhere(DISABLED, "may not encrypt and decrypt any more"),
    ("pkcs11", "not-held"): Told(FILE, WORKS, WORKS, "not the key that was used to wrap"),
    ("pkcs11", "cut"): UNNOTICED,
    ("pkcs11", "gone"): everywhere(UNREACHABLE, "does not start|cannot be loaded"),
    ("pkcs11", "pulled-out"): everywhere(UNREACHABLE, "is not there"),
    ("pkcs11", "failed"): everywhere(FAILED, "fails: DeviceError"),
    ("pkcs11", "garbage"): everywhere(FAILED, "something else than was asked"),
    ("pkcs11", "garbage-as-long"): Told(WRONG_KEY, WORKS, WRONG_KEY, ANOTHER),
}
# What a custody cannot be in, and why.
NOT_THERE = {
    ("local", "slow"): "no service is asked",
    ("local", "too-slow"): "no service is asked",
    ("local", "sealed"): "tests/functional/cli/test_key_custody.py: a split ring is locked for starts alone",
    ("local", "credentials"): "nobody signs in",
    ("local", "version"): "keys have no versions, but ids",
    ("local", "disabled"): "a file is there or not",
    ("openbao", "not-held"): "its keys keep their ids, and have versions",
    ("aws-kms", "sealed"): "AWS seals nothing",
    ("pkcs11", "too-slow"): "PKCS#11 has no limit of time: calls return when the token does",
    ("pkcs11", "version"): "keys have no versions, but labels",
}
OF_ONE_KIND = frozenset({"pending-deletion", "failed", "garbage-of-no-http", "garbage-as-long", "pulled-out"})


@pytest.fixture(scope="module")
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Custody]]:
    """Make each custody when it is asked for first, one for all that fails there."""
    have: dict[str, Custody] = {}
    with ExitStack() as ending:

        def custody(name: str) -> Custody:
            if name not in have:
                folder = tmp_path_factory.mktemp(name)
                have[name] = _make(name, folder, request, ending)
                ending.callback(have[name].close)
            return have[name]

        yield custody


def _make(name: str, folder: Path, request: pytest.FixtureRequest, ending: ExitStack) -> Custody:
    if name == "local":
        return on_files(folder)
    if name == "pkcs11":
        return on_a_token(request.getfixturevalue("softhsm"), folder)
    if name == "aws-kms":
        kms = request.getfixturevalue("kms")
        return on_kms(kms, ending.enter_context(TcpLine(kms.port)), folder)
    server = OpenBaoServer(openbao_program(), seal="shamir")
    ending.callback(server.remove)
    server.start()
    return on_openbao(server, ending.enter_context(TcpLine(server.port)), folder)


@pytest.fixture
def custody(request: pytest.FixtureRequest, made: Callable[[str], Custody]) -> Custody:
    return made(request.param)


class Listener:
    """Notes everything that is said while something fails: errors, their traces, and what is logged."""

    def __init__(self, log: pytest.LogCaptureFixture) -> None:
        self._log = log
        self.said: list[str] = []

    def of(self, ask: Callable[[], object]) -> str:
        """Return the code of a refusal, ``rejected``, or nothing when it works."""
        try:
            ask()
        except KeyUnavailable as error:
            self._note(error)
            return error.code
        except EnvelopeRejected as error:
            self._note(error)
            return REJECTED
        return WORKS

    def _note(self, error: Exception) -> None:
        self.said += ["".join(traceback.format_exception(error)), repr(error)]

    def everything(self) -> str:
        return "\n".join((*self.said, self._log.text))


def at_first_and_again(custody: Custody, listener: Listener, ask: Callable[[], object]) -> str:
    """Return what is told, the same when it is asked again at once; afterwards the service may be asked anew."""
    told = listener.of(ask)
    assert listener.of(ask) == told
    custody.clock.pass_by()
    return told


def none_refused(custody: Custody, wrapped: Sequence[WrappedKey]) -> None:
    """Unwrap a batch; what is said of one of it is raised."""
    for one in custody.ring.provider("data").unwrap_many([(CONTEXT, each) for each in wrapped]):
        if not isinstance(one, bytes):
            raise one


def test_no_custody_is_left_out_of_a_fault() -> None:
    faults = {fault for _, fault in TABLE} - OF_ONE_KIND
    every = {(custody, fault) for custody in CUSTODIES for fault in faults}
    assert every == {cell for cell in TABLE if cell[1] in faults} | set(NOT_THERE)
    assert not set(TABLE) & set(NOT_THERE)


@pytest.mark.parametrize(("custody", "fault"), TABLE, indirect=["custody"])
def test_it_is_told_apart_loses_nothing_and_ends_by_itself(
    custody: Custody, fault: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    expected = TABLE[request.node.callspec.params["custody"], fault]
    listener, usual, made_within = Listener(caplog), custody.wrap(), list[WrappedKey]()
    before = custody.files()
    custody.clock.pass_by()  # good news are remembered for a moment
    with custody.faults[fault]() as other:
        wrapped = other or usual
        told = Told(
            at_first_and_again(custody, listener, lambda: custody.unwrap(wrapped)),
            at_first_and_again(custody, listener, lambda: made_within.append(custody.wrap())),
            at_first_and_again(custody, listener, custody.ring.health),
            expected.says,
        )
        batch = at_first_and_again(custody, listener, lambda: none_refused(custody, [wrapped, wrapped]))
    assert told == expected
    assert batch == (WORKS if fault == "cut" else expected.unwrap)
    said = listener.everything()
    assert bool(listener.said) == (expected != UNNOTICED)
    assert re.search(expected.says, said)
    assert not [secret for secret in (*custody.secrets, wrapped.blob.hex()) if secret in said]

    assert [custody.unwrap(one) for one in (usual, wrapped, *made_within)] == [KEY] * (2 + len(made_within))
    assert custody.unwrap(custody.wrap()) == KEY
    custody.ring.health()
    assert custody.files() == before or fault == "not-held"


@pytest.mark.parametrize("custody", CUSTODIES, indirect=True)
def test_what_was_wrapped_for_another_is_refused_and_keeps_nobody_waiting(custody: Custody) -> None:
    """Moved and changed bytes are no failure of the service: whoever asks next is answered."""
    wrapped, provider = custody.wrap(), custody.ring.provider("data")
    changed = WrappedKey(wrapped.key_id, wrapped.blob[:-1] + bytes([wrapped.blob[-1] ^ 1]))
    for context, one in ((b"somebody else", wrapped), (CONTEXT, changed)):
        with pytest.raises(EnvelopeRejected) as caught:
            provider.unwrap(context, one)
        assert not [secret for secret in custody.secrets if secret in str(caught.value)]
        assert custody.unwrap(wrapped) == KEY
    first, moved, last = provider.unwrap_many([(CONTEXT, wrapped), (b"somebody else", wrapped), (CONTEXT, wrapped)])
    assert (first, last) == (KEY, KEY)
    assert isinstance(moved, EnvelopeRejected)
    custody.ring.health()
