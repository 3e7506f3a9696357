"""The blind index under another secret, while the registry serves: begin, copy, switch, remove, destroy the secret.

The postings do not tell their terms, so every value is opened once, under entries, and the lists of its terms are
copied whole. Looked up in is the former generation until the other one has every posting; both are added to and erased
from meanwhile, so that nothing is missed and nothing is found twice. Which one it is stands in the database, and is
read in the same snapshot as the postings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.domain.errors import KeyUnavailable
from registry.domain.ids import SubjectId
from registry.services import index_change
from registry.services.index_change import COPYING, NOT_WHOLE, IndexChange, Opened, Told, following
from registry.services.key_changes import REBUILD, REKEY, command_of, switched
from registry.services.rerun import rerun_once
from registry.vault.images import copy_lists


@dataclass(slots=True)
class _Round:
    """One way through all people."""

    is_whole: bool  # from the first of them
    copied: int = 0


class RekeyIndex(IndexChange):
    """Brings the blind index under another secret."""

    CHANGE: ClassVar[str] = REKEY
    WHY: ClassVar[str] = "everything, to index it under another secret"

    def _fill(self, operator: str, without: int, told: Told) -> None:
        """Copy until the next generation is whole: who was changed or enrolled meanwhile may need a second round."""
        round_ = _Round(is_whole=not self._following().cursor)
        while not self._is_whole(without):
            opened = self._open(operator)
            if opened is not None:
                round_.copied += self._copy(opened, told)
            elif self._is_whole(without):
                return
            elif round_.is_whole and not round_.copied:
                raise KeyUnavailable(self._not_whole(), NOT_WHOLE)
            else:
                self._go_back()
                round_ = _Round(is_whole=True)

    def _is_whole(self, without: int) -> bool:
        now = self.standing()
        return now.following is not None and now.postings - now.following == without

    def _not_whole(self) -> str:
        now = self.standing()
        missing = now.postings - (now.following or 0)
        told = (
            f"{missing} of {now.postings} postings stand under no term of any value that is stored ({self._unopened}"
            f" values do not open); look into it, or go on without them: --without {missing}"
        )
        older = f"; they may stand under terms of an earlier version: afterwards run {command_of(REBUILD)}"
        return told + (older if now.is_older else "")

    def _copy(self, opened: Opened, told: Told) -> int:
        """Copy the lists that some people stand in; returns how many postings that were."""
        names = frozenset(
            self._kernel.index.keys_of(term) for found in self._found_by(opened) for term in found.names()
        )
        copied = 0
        while True:
            done, names = self._copy_some(names, opened.last)
            copied += done
            now = self.standing()
            told(COPYING, now.following or 0, now.postings)
            if not names:
                return copied

    @rerun_once
    def _copy_some(self, names: frozenset[bytes], last: SubjectId) -> tuple[int, frozenset[bytes]]:
        """Copy some postings of lists; returns how many, and which lists are not whole yet."""
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            image = following(work)
            current = work.index_state.standing()[0]
            copied = copy_lists(self._kernel.index, work.postings, (current, image), names, index_change.AT_ONCE)
            if not copied.left:
                work.index_state.advance(image.number, max(last, image.cursor))
            work.commit()
        return copied.done, copied.left

    @rerun_once
    def _go_back(self) -> None:
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            work.index_state.advance(following(work).number, "")
            work.commit()

    @rerun_once
    def _switch(self, operator: str, without: int) -> None:
        """Look up in the next generation from now on, if it has every posting; the approval is used up."""
        with self._kernel.database.write() as work:
            self._changes.use(work, REKEY, operator=operator)
            work.ledger.lock_head()
            image = following(work)
            current = work.index_state.standing()[0]
            if current.count - image.count != without:
                raise KeyUnavailable("people were stored in between; run it again", NOT_WHOLE)
            work.index_state.switch(image.number)
            left = f"; left out {without}" if without else ""
            self._say(work, operator, switched(image.number, image.count) + left)
            work.index_state.settle()  # no older than this entry: verifying tells a former state by it
            work.commit()
