"""The blind index made anew of the values, by the terms that this version of the program makes, while it serves.

A later version of the program may find a value by other terms than it was stored with. The postings do not tell their
terms, so former ones cannot be mended: another generation is filled person by person, in the order of their ids, with
everything that is stored of them, and looked up in once everybody stands in it. Whoever is enrolled or changed
meanwhile is added to it by the one who does that if its cursor is at them or behind, and else read when it comes to
them; the ledger's head is held whenever either looks at the cursor. Who changed between being opened and being written
is opened again.
"""

from __future__ import annotations

from typing import ClassVar

from registry.domain.errors import KeyUnavailable
from registry.services.index_change import ALL, MAKING, NOT_WHOLE, IndexChange, Opened, Told, fields_of, following
from registry.services.key_changes import REBUILD, switched
from registry.services.ports import Work
from registry.services.rerun import rerun_once

# No id is behind it: whoever is enrolled from then on adds themselves.
_EVERYBODY = "f" * 32


class RebuildIndex(IndexChange):
    """Makes the blind index anew."""

    CHANGE: ClassVar[str] = REBUILD
    WHY: ClassVar[str] = "everything, to index it by the terms of this version"

    def _fill(self, operator: str, without: int, told: Told) -> None:
        while (opened := self._open(operator)) is not None or not self._is_everybody():
            if opened is None:
                continue
            before = self._unopened
            found = [one.postings() for one in self._found_by(opened)]
            if self._unopened > without:
                raise KeyUnavailable(
                    f"{self._unopened} values do not open and would be found no more; look into it, or go on without"
                    f" them: --without {self._unopened}",
                    NOT_WHOLE,
                )
            with self._kernel.database.read() as work:
                generation = following(work)
            ready = self._kernel.index.ready((pair for one in found for pair in sorted(one, key=str)), generation)
            if not self._store(operator, opened, ready, self._unopened - before):
                self._unopened = before  # they are opened again
            told(MAKING, int(self._following().cursor[:8] or "0", 16), ALL)

    @rerun_once
    def _is_everybody(self) -> bool:
        """Tell whether nobody is left; then whoever is enrolled from now on stands in it without being read."""
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            generation = following(work)
            if work.subjects.ids_after(generation.cursor, 1):
                return False
            work.index_state.advance(generation.number, _EVERYBODY)
            work.commit()
        return True

    @rerun_once
    def _store(self, operator: str, opened: Opened, ready: bytes, unopened: int) -> bool:
        """Store the postings of some people; False, and nothing is stored, where one of them changed meanwhile."""
        with self._kernel.database.write() as work:
            work.ledger.lock_head()
            generation = following(work)
            if generation.cursor != opened.after or not _is_as_opened(work, opened):
                return False
            self._kernel.index.add_to(work.postings, ready, generation)
            work.index_state.advance(generation.number, opened.last)
            if unopened:
                self._say(work, operator, f"generation {generation.number} without {unopened} that do not open")
            work.commit()
        return True

    @rerun_once
    def _switch(self, operator: str, without: int) -> None:  # noqa: ARG002 - looked at person by person
        with self._kernel.database.write() as work:
            self._changes.use(work, REBUILD, operator=operator)
            work.ledger.lock_head()
            made = following(work)
            if work.subjects.ids_after(made.cursor, 1):
                raise KeyUnavailable("people were enrolled in between; run it again", NOT_WHOLE)
            work.index_state.switch(made.number)
            terms = work.index_state.terms()[made.number]
            self._say(work, operator, f"{switched(made.number, made.count)}; terms {terms}")
            work.index_state.settle()  # no older than this entry: verifying tells a former state by it
            work.commit()


def _is_as_opened(work: Work, opened: Opened) -> bool:
    """Tell whether these are still the next people, with the values that were opened."""
    if list(work.subjects.ids_after(opened.after, len(opened.ids))) != list(opened.ids):
        return False
    now = fields_of(work, work.subjects.by_ids(opened.ids))
    there = {(one.record, one.version) for fields in now.values() for one in fields}
    return there == {(one.record, one.version) for fields, _ in opened.people for one in fields}
