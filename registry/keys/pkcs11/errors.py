"""What a refusal of a PKCS#11 token means."""

from __future__ import annotations

from collections.abc import Mapping

from pkcs11 import exceptions as given

from registry.domain.errors import KeyUnavailable
from registry.keys.causes import FAILED, FORBIDDEN, LOCKED, THROTTLED, UNREACHABLE, WRONG_KEY

_Kinds = tuple[type[given.PKCS11Error], ...]
# The token refuses the PIN: asking again with the same one brings it nearer to locking itself.
REFUSED_PIN: _Kinds = (given.PinIncorrect, given.PinInvalid, given.PinLenRange, given.PinExpired, given.PinLocked)
_GONE: _Kinds = (given.NoSuchToken, given.TokenNotPresent, given.TokenNotRecognised, given.DeviceRemoved)
_MEANINGS: Mapping[_Kinds, tuple[str, str]] = {
    (given.PinLocked,): ("has locked the PIN; its security officer unlocks it", LOCKED),
    (given.PinExpired,): ("says that the PIN has expired; set a new one", FORBIDDEN),
    (given.UserPinNotInitialized,): ("has no PIN for a user yet; its security officer sets one", FORBIDDEN),
    (given.PinIncorrect, given.PinInvalid, given.PinLenRange): ("refuses the PIN", FORBIDDEN),
    (*_GONE, given.SlotIDInvalid): ("is not there", UNREACHABLE),
    (given.SessionCount, given.HostMemory, given.DeviceMemory): ("has no room for another session", THROTTLED),
    (given.NoSuchKey,): ("lacks a key of this registry", WRONG_KEY),
    (given.MultipleObjectsReturned,): ("has two keys under one label", WRONG_KEY),
    (given.MultipleTokensReturned,): ("is not the only one with its label", WRONG_KEY),
    (given.MechanismInvalid, given.FunctionNotSupported): ("cannot do AES-GCM", FAILED),
}


def meaning(error: given.PKCS11Error, token: str) -> KeyUnavailable:
    """Return what an exception of the token means for who asked.

    Args:
        error: as the library raised it.
        token: the token's label.
    """
    for kinds, (why, cause) in _MEANINGS.items():
        if isinstance(error, kinds):
            return KeyUnavailable(f"token {token} {why}", cause)
    return KeyUnavailable(f"token {token} fails: {type(error).__name__}", FAILED)
