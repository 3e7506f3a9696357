"""Signatures of webhooks."""

from __future__ import annotations

import pytest

from registry.notify.webhooks import key_of, sign, verify

# The example of the Standard Webhooks specification.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": ID,
    "webhook-timestamp": str(AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_example_of_the_specification() -> None:
    assert sign(key_of(SECRET), ID, AT, BODY) == HEADERS["webhook-signature"]
    assert verify(key_of(SECRET), HEADERS, BODY, AT + 299) == ID


def test_one_of_several_signatures_is_enough() -> None:
    two = HEADERS | {"webhook-signature": f"v1,AAAA {HEADERS['webhook-signature']}"}
    assert verify(key_of(SECRET), two, BODY, AT) == ID


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
    ],
)
def test_a_changed_header_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not "):
        verify(key_of(SECRET), HEADERS | changed, BODY, AT)


def test_a_changed_body_another_key_and_another_time_are_refused() -> None:
    with pytest.raises(ValueError, match="this key"):
        verify(key_of(SECRET), HEADERS, BODY + b" ", AT)
    with pytest.raises(ValueError, match="this key"):
        verify(bytes(24), HEADERS, BODY, AT)
    for now in (AT - 301, AT + 301):
        with pytest.raises(ValueError, match="time"):
            verify(key_of(SECRET), HEADERS, BODY, now)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_not base64"])
def test_a_weak_secret_is_none(secret: str) -> None:
    with pytest.raises(ValueError, match=r"short|Base64"):
        key_of(secret)
