"""The secrets of marks and receipt codes, by generation: which one a copy and an entry's code were made by.

The first secret is the key folder's; an exchange makes the next one (``rotate_marks``). A record version keeps the
secret that it began with, so that an account's copy of it stays the same; an exchange that redraws is in force for
versions of before too, from its entry on. Receipt codes go by their entry alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from registry.crypto.derive import derive
from registry.keys.mark_keys import MarkKeys
from registry.marks.draw import MarkKey, epoch_number, generation_of, openings_of
from registry.services.opened_draws import OpenedDraws, Version, openings_before
from registry.services.ports_marks import MarkGeneration

# Returns all exchanges before a committed entry, and maybe later ones, oldest first.
_NEWEST = 2**62  # the index of no entry yet
KnownAt = Callable[[int], Sequence[MarkGeneration]]


def generation_at(known: Sequence[MarkGeneration], index: int) -> int:
    """Return the generation that is in force for an entry: of the last exchange before it."""
    return max((one.number for one in known if one.entry < index), default=0)


def redrawn_at(known: Sequence[MarkGeneration], index: int | None) -> int:
    """Return the generation of the last exchange before an entry that redraws; 0 where there is none.

    Args:
        known: all exchanges before it.
        index: of the entry; None for one that is appended by a transaction which goes by these.
    """
    return max((one.number for one in known if one.redraws and (index is None or one.entry < index)), default=0)


def epoch_now(known: Sequence[MarkGeneration], mark_epoch: int) -> int:
    """Return the epoch that copies of a record version are drawn in now.

    Args:
        known: the exchanges that the transaction goes by.
        mark_epoch: of the version, as stored.
    """
    generation = max(generation_of(mark_epoch), redrawn_at(known, None))
    return epoch_number(generation, openings_of(mark_epoch))


class KeysNow:
    """The keys that copies are drawn by in one transaction, each looked up once for all record versions it is for."""

    def __init__(self, secrets: MarkSecrets, known: Sequence[MarkGeneration]) -> None:
        """Take the secrets, and the exchanges that the transaction goes by."""
        self._secrets = secrets
        self._known = known
        self._keys: dict[int, MarkKey] = {}

    def of(self, mark_epoch: int) -> MarkKey:
        """Return the key of a record version with this stored epoch; raises as ``MarkSecrets.at``."""
        key = self._keys.get(mark_epoch)
        if key is None:
            key = self._keys[mark_epoch] = self._secrets.at(epoch_now(self._known, mark_epoch))
        return key


class MarkSecrets:
    """All secrets of one registry's marks; they are opened when they are needed first, and kept."""

    def __init__(self, first: bytes, keys: MarkKeys, known_at: KnownAt) -> None:
        """Take the parts.

        Args:
            first: the secret of the key folder, 32 bytes.
            keys: what opens later ones.
            known_at: the exchanges, as stored.
        """
        self._keys = keys
        self._known_at = known_at
        self._opened: dict[int, tuple[MarkKey, bytes]] = {0: _opened(first)}

    def at(self, epoch: int) -> MarkKey:
        """Return the key of an epoch.

        Raises:
            KeyUnavailable: its secret cannot be opened now.
            EnvelopeRejected: its stored secret was changed.
        """
        return self._of(generation_of(epoch))[0].at(epoch)

    def code_key(self, index: int) -> bytes:
        """Return the key of an entry's receipt code, given its index; raises as ``at``."""
        return self._of(generation_at(self._known_at(index), index))[1]

    def _of(self, generation: int) -> tuple[MarkKey, bytes]:
        found = self._opened.get(generation)
        if found is None:
            # Another process may have made it since this one read them.
            known = (one for index in (0, _NEWEST) for one in self._known_at(index))
            wrapped = next((one for one in known if one.number == generation), None)
            if wrapped is None:
                raise LookupError("a generation of the secret of marks that was never made")
            found = self._opened[generation] = _opened(self._keys.open(generation, wrapped.key))
        return found

    def __repr__(self) -> str:
        return "MarkSecrets(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


@dataclass(frozen=True, slots=True)
class Draws:
    """By which keys copies were drawn.

    Attributes:
        secrets: of the registry.
        known: the exchanges.
        opened: what was opened of the copies in question.
    """

    secrets: MarkSecrets = field(repr=False)
    known: Sequence[MarkGeneration]
    opened: Sequence[OpenedDraws]

    @property
    def seen_before(self) -> int:
        """The index of the entry before which all copies were drawn by secrets that somebody saw; 0 where none was."""
        return max((one.entry for one in self.known if one.redraws), default=0)

    def keys(self, version: Version, copy: int) -> Iterator[MarkKey]:
        """Yield the keys that a copy may have been drawn by; which one it was, the commitment of its entry says.

        That is one key but after an exchange, when it depends on when the version began.

        Args:
            version: of the record.
            copy: index of its entry.
        """
        openings = openings_before(version, copy, self.opened)
        for generation in range(redrawn_at(self.known, copy), generation_at(self.known, copy) + 1):
            yield self.secrets.at(epoch_number(generation, openings))


def _opened(secret: bytes) -> tuple[MarkKey, bytes]:
    return MarkKey(secret), derive(secret, "registry/receipt-codes/v1")
