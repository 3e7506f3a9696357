"""Generations of the blind index: each has postings under a secret of its own; two stand while one follows another.

The next generation is an image of the current one that is still being made: each of its lists is the beginning of the
same list of the current one, number by number, tombstones too. Or it is made of the values, person by person, with
numbers of its own: then those up to its cursor stand in it and nobody else. Once it is looked up in, the one before is
only erased from, and then removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from registry.crypto.postings import PostingKey, PostingList
from registry.crypto.tag_seal import TagSeal
from registry.keys.ports import WrappedKey

# The secret of the first generation is made of the index key; no key of its own is stored.
FIRST = 1
NUMBER_BYTES = 4


class Part(StrEnum):
    """What a generation is there for."""

    CURRENT = "current"  # looked up in, added to
    NEXT = "next"  # added to where its list is whole; filled by whoever changes the secret
    FORMER = "former"  # erased from until it is removed


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation that stands in the database.

    Attributes:
        number: from 1; never used again.
        part: what it is there for.
        count: its postings.
        key: its wrapped secret; None for the first.
        cursor: of the next one, the last subject whose values were read for it; empty before the first.
        is_made: it was made of the values: its numbers are not those of the one before.
    """

    number: int
    part: Part
    count: int
    key: WrappedKey | None = field(repr=False)
    cursor: str = ""
    is_made: bool = False


class IndexSecrets(Protocol):
    """What opens the secrets of later generations."""

    def open(self, number: int, key: WrappedKey) -> bytes:
        """Return the 32 bytes of a generation's secret.

        Raises:
            EnvelopeRejected: changed, or another generation's.
            KeyUnavailable: the key service cannot be used now.
        """
        ...


class GenerationLists:
    """Where the list of a term stands in one generation, and what tags are kept sealed by; None for the first."""

    __slots__ = ("_key", "number", "tags")

    def __init__(self, number: int, secret: bytes | None) -> None:
        """Take the generation's number and secret.

        Args:
            number: of the generation.
            secret: 32 bytes; None for the first generation.
        """
        self.number = number
        self._key = None if secret is None else PostingKey(secret, later=True)
        self.tags = None if secret is None else TagSeal(secret)

    def of(self, keys: bytes) -> PostingList:
        """Return the list, given what ``BlindIndex.keys_of`` is of its term."""
        return PostingList(keys) if self._key is None else self._key.list_of(keys)

    def first_labels(self, index_key: PostingKey, terms: Sequence[bytes]) -> list[bytes]:
        """Return label 0 of each term's list, in order.

        Args:
            index_key: the first generation's, of which the lists of all are made.
            terms: domain-separated search terms.
        """
        if self._key is None:
            return index_key.first_labels(terms)
        return self._key.first_labels([index_key.list_of(term).keys for term in terms])


class OpenedGenerations:
    """The generations that this process has opened; another process may have made or removed one meanwhile."""

    def __init__(self, secrets: IndexSecrets | None) -> None:
        """Take what opens secrets; None where no later generation is ever met."""
        self._secrets = secrets
        self._opened = {FIRST: GenerationLists(FIRST, None)}

    def lists(self, generation: Generation) -> GenerationLists:
        """Return a generation's lists.

        Raises:
            EnvelopeRejected: its stored secret was changed.
            KeyUnavailable: its secret cannot be opened now.
        """
        found = self._opened.get(generation.number)
        if found is None:
            if self._secrets is None or generation.key is None:
                raise LookupError("a generation of the blind index that nothing here opens")
            secret = self._secrets.open(generation.number, generation.key)
            found = GenerationLists(generation.number, secret)
            # Those before the one before are gone for good: their secrets are not kept here either.
            near = {FIRST, generation.number - 1, generation.number + 1}
            self._opened = {number: one for number, one in self._opened.items() if number in near}
            self._opened[generation.number] = found
        return found
