"""A ring whose keys AWS KMS keeps: what each refusal means, whose bytes open, and what rotation does.

What a registry does while KMS fails is in ``tests/contract/test_key_faults.py``, with the other custodies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from registry.domain.clock import SystemClock
from registry.domain.errors import EnvelopeRejected, KeyUnavailable, MisconfiguredHome
from registry.keys.kms.errors import meaning
from registry.keys.kms.service import KmsService
from registry.keys.kms.settings import KmsSettings
from registry.keys.pause import PAUSE_SECONDS
from registry.keys.ports import WrappedKey
from registry.keys.service.keyring import ServiceKeyring
from registry.keys.service.ports import Binding
from tests.fakes.kms import REGION, KmsServer
from tests.functional.keys.baos import CONTEXT, KEY, Hands

_ALIASES = count(1)


@dataclass
class Aws:
    """A registry's way to KMS, and the clock that it goes by."""

    server: KmsServer
    settings: KmsSettings
    clock: Hands
    service: KmsService
    ring: ServiceKeyring
    folder: Path

    def wrap(self) -> WrappedKey:
        return self.ring.provider("data").wrap(CONTEXT, KEY)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        return self.ring.provider("data").unwrap(CONTEXT, wrapped)

    def refused(self, wrapped: WrappedKey) -> str:
        """Return the code of a refusal, after looking that it repeats nothing of the answer."""
        with pytest.raises(KeyUnavailable) as caught:
            self.unwrap(wrapped)
        assert "anybody's eyes" not in caught.value.cause
        return caught.value.code


@pytest.fixture
def aws(kms: KmsServer, tmp_path: Path) -> Iterator[Aws]:
    settings = kms.set_up(f"alias/test-{next(_ALIASES)}", timeout_seconds=1)
    clock = Hands()
    service = KmsService(settings, monotonic=clock)
    folder = tmp_path / "keys"
    yield Aws(kms, settings, clock, service, ServiceKeyring.create(folder, service), folder)
    service.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("LimitExceededException", "key_service_throttled"),
        ("UnrecognizedClientException", "key_service_forbidden"),
        ("ExpiredTokenException", "key_service_forbidden"),
        ("KeyUnavailableException", "key_service_unreachable"),
        ("DependencyTimeoutException", "key_service_unreachable"),
        ("KMSInternalException", "key_service_failed"),
        ("SomethingNewException", "key_service_failed"),
    ],
)
def test_each_refusal_has_its_cause(error: str, code: str) -> None:
    told = meaning(ClientError({"Error": {"Code": error, "Message": "not for anybody's eyes"}}, "Decrypt"), "arn")
    assert isinstance(told, KeyUnavailable)
    assert told.code == code
    assert "eyes" not in told.cause


def test_a_service_that_throttles_is_left_alone_for_a_moment(aws: Aws) -> None:
    wrapped = aws.wrap()
    with aws.server.faults.failing("ThrottlingException"):
        assert aws.refused(wrapped) == "key_service_throttled"
        asked = len(aws.server.faults.asked)
        for _ in range(20):
            assert aws.refused(wrapped) == "key_service_throttled"
        assert len(aws.server.faults.asked) == asked
        aws.clock.pass_by(PAUSE_SECONDS)
        assert aws.refused(wrapped) == "key_service_throttled"
        assert len(aws.server.faults.asked) == asked + 1


def test_a_batch_does_not_wait_once_for_each(aws: Aws) -> None:
    wrapped = aws.ring.provider("data").wrap_many([(CONTEXT, KEY)] * 100)
    asked = len(aws.server.faults.asked)
    with aws.server.faults.failing("ThrottlingException"), pytest.raises(KeyUnavailable):
        aws.ring.provider("data").unwrap_many([(CONTEXT, one) for one in wrapped])
    assert len(aws.server.faults.asked) - asked <= 16  # those that were under way together


def test_a_forbidden_key_does_not_keep_anybody_from_the_others(aws: Aws) -> None:
    wrapped = aws.wrap()
    with aws.server.faults.failing("AccessDeniedException"):
        assert aws.refused(wrapped) == "key_service_forbidden"
    assert aws.unwrap(wrapped) == KEY


def test_no_credentials(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    service = KmsService(aws.settings)
    with pytest.raises(KeyUnavailable, match=NoCredentialsError.__name__) as caught:
        service.name_for("")
    service.close()
    assert caught.value.code == "key_service_forbidden"


def test_the_environment_cannot_send_keys_elsewhere(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", aws.server.address)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.server.address)
    service = KmsService(KmsSettings("alias/x", "us-east-1"))
    assert service._client.meta.endpoint_url == "https://kms.us-east-1.amazonaws.com"
    service.close()


def test_kms_itself_demands_the_context(aws: Aws) -> None:
    """Without our own tag before it: the encryption context alone keeps moved bytes shut."""
    name = aws.service.name_for("")
    (blob,) = aws.service.wrap(name, [(Binding("data-1", CONTEXT), KEY)])
    bindings = [Binding("data-1", CONTEXT), Binding("data-1", b"else"), Binding("data-2", CONTEXT)]
    own, moved, other = aws.service.unwrap(name, [(binding, blob) for binding in bindings])
    assert own == KEY
    assert isinstance(moved, EnvelopeRejected)
    assert isinstance(other, EnvelopeRejected)


def test_changed_bytes_are_refused_without_asking(aws: Aws) -> None:
    wrapped = aws.wrap()
    asked = len(aws.server.faults.asked)
    with pytest.raises(EnvelopeRejected):
        aws.unwrap(WrappedKey(wrapped.key_id, wrapped.blob[:-1] + bytes([wrapped.blob[-1] ^ 1])))
    with pytest.raises(EnvelopeRejected):
        aws.ring.provider("data").unwrap(b"another", wrapped)
    assert len(aws.server.faults.asked) == asked


def test_bytes_of_another_key_do_not_open(aws: Aws) -> None:
    other = aws.server.make_key(f"alias/test-{next(_ALIASES)}")
    name = aws.service.name_for("")
    (blob,) = aws.service.wrap(other, [(Binding("data-1", CONTEXT), KEY)])
    (found,) = aws.service.unwrap(name, [(Binding("data-1", CONTEXT), blob)])
    assert isinstance(found, KeyUnavailable)


def test_an_answer_for_another_key_is_not_taken(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    name = aws.service.name_for("")
    binding = Binding("data-1", CONTEXT)
    (blob,) = aws.service.wrap(name, [(binding, KEY)])
    answer = {"Plaintext": KEY, "KeyId": f"{name}-2", "CiphertextBlob": blob}
    monkeypatch.setattr(aws.service._client, "decrypt", lambda **_: answer)
    monkeypatch.setattr(aws.service._client, "encrypt", lambda **_: answer)
    (found,) = aws.service.unwrap(name, [(binding, blob)])
    assert isinstance(found, KeyUnavailable)
    with pytest.raises(KeyUnavailable, match="something else"):
        aws.service.wrap(name, [(binding, KEY)])


def test_a_key_of_another_length_is_not_taken(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    name, binding = aws.service.name_for(""), Binding("data-1", CONTEXT)
    (blob,) = aws.service.wrap(name, [(binding, KEY)])
    monkeypatch.setattr(aws.service._client, "decrypt", lambda **_: {"Plaintext": KEY[:16], "KeyId": name})
    with pytest.raises(KeyUnavailable, match="something else"):
        aws.service.unwrap(name, [(binding, blob)])


def test_rotation_takes_the_key_that_the_alias_stands_for_now(aws: Aws) -> None:
    old, before = aws.wrap(), aws.ring.key_ids()["data"]
    aws.server.make_key(aws.settings.key)  # and moves the alias
    assert aws.unwrap(old) == KEY  # the ring goes by the key, not by its alias
    assert aws.ring.rotate("data", SystemClock()) != before
    new = aws.wrap()
    assert new.key_id != old.key_id
    assert (aws.unwrap(old), aws.unwrap(new)) == (KEY, KEY)
    again = ServiceKeyring.load(aws.folder, aws.service)
    assert again.provider("data").unwrap(CONTEXT, old) == KEY
    aws.ring.discard(before)
    with pytest.raises(KeyUnavailable):
        aws.unwrap(old)
    with pytest.raises(KeyUnavailable):  # another process sees it as well
        again.provider("data").unwrap(CONTEXT, old)
    assert aws.unwrap(new) == KEY


def test_secrets_move_to_the_key_that_the_alias_stands_for_now(aws: Aws) -> None:
    old = aws.wrap()
    newer = aws.server.make_key(aws.settings.key)
    aws.ring.seal_anew()
    for purpose in ("index", "marks", "idempotency"):
        assert f"service-key: {newer}\n" in (aws.folder / f"{purpose}.key").read_text()
    assert newer not in (aws.folder / "data.key").read_text()
    again = ServiceKeyring.load(aws.folder, aws.service)
    assert (again.secret("index"), again.provider("data").unwrap(CONTEXT, old)) == (aws.ring.secret("index"), KEY)


def test_rotation_inside_kms_needs_nothing_here(aws: Aws) -> None:
    old = aws.wrap()
    client = aws.server.client()
    client.rotate_key_on_demand(KeyId=aws.service.name_for(""))
    client.close()
    assert aws.unwrap(old) == KEY
    assert aws.unwrap(aws.wrap()) == KEY
    aws.ring.seal_anew()
    assert ServiceKeyring.load(aws.folder, aws.service).provider("data").unwrap(CONTEXT, old) == KEY


def test_a_ring_is_not_made_on_a_key_that_is_not_enabled_or_of_another_kind(aws: Aws, tmp_path: Path) -> None:
    client = aws.server.client()
    client.disable_key(KeyId=aws.service.name_for("").rpartition("/")[2])
    with pytest.raises(KeyUnavailable, match="state Disabled") as caught:
        ServiceKeyring.create(tmp_path / "other", aws.service)
    assert caught.value.code == "key_service_disabled"
    rsa = client.create_key(KeyUsage="ENCRYPT_DECRYPT", KeySpec="RSA_2048")["KeyMetadata"]["Arn"]
    client.close()
    service = KmsService(KmsSettings(rsa, REGION, aws.settings.endpoint))
    with pytest.raises(KeyUnavailable, match="another kind"):
        service.name_for("")
    service.close()


def test_files_alone_are_worth_nothing(aws: Aws) -> None:
    for path in aws.folder.iterdir():
        if path.name not in ("ledger.key", "keyring"):
            assert path.read_text().startswith("registry-service-key/v1\n")
    before = aws.folder / "index.key"
    text = before.read_text()
    before.write_text((aws.folder / "marks.key").read_text())
    with pytest.raises(KeyUnavailable, match="not a complete index key"):
        ServiceKeyring.load(aws.folder, aws.service)
    before.write_text(text)
    assert ServiceKeyring.load(aws.folder, aws.service).secret("index") == aws.ring.secret("index")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"key": "alias/x y"}, "alias"),
        ({"key": ""}, "alias"),
        ({"region": "US"}, "region"),
        ({"endpoint": "http://kms.example"}, "endpoint must be https"),
        ({"endpoint": "https://u:p@kms.example"}, "endpoint must look like"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"attempts": 6}, "attempts"),
        ({"attempts": 1.5}, "attempts"),
    ],
)
def test_settings_that_make_no_sense(changed: dict[str, object], says: str) -> None:
    given: dict[str, object] = {"key": "alias/registry", "region": REGION, **changed}
    with pytest.raises(MisconfiguredHome, match=says):
        KmsSettings(**given)  # type: ignore[arg-type] # one of each kind
