"""Which emergencies are open for the asks of one batch."""

from __future__ import annotations

from collections.abc import Sequence

from registry.crypto.tags import equal
from registry.domain.break_glass import Finding
from registry.domain.ids import BreakGlassId, PrincipalId, SubjectId
from registry.domain.marks import Tier
from registry.domain.principals import Principal
from registry.services.kernel import Kernel
from registry.services.ports import RecordRow, Work
from registry.services.ports_break_glass import BreakGlassRow

_GUARDED_TIERS = frozenset({Tier.RESTRICTED, Tier.SEALED})


def subject_tag(kernel: Kernel, identifier: BreakGlassId, subject: SubjectId) -> bytes:
    """Return the tag by which an emergency knows its subject again; it shows no two to be about one person."""
    return kernel.index.tag("break-glass", f"{identifier}\0{subject}".encode())


class OpenGlass:
    """Reads the open emergencies of one batch inside its transaction: nothing unless a record needs approval."""

    def __init__(self, kernel: Kernel, work: Work) -> None:
        self._kernel = kernel
        self._work = work
        self._open: dict[PrincipalId, Sequence[BreakGlassRow]] = {}

    def of(self, principal: Principal, rows: Sequence[RecordRow]) -> BreakGlassRow | None:
        """Return the emergency that this principal opened for this subject and all of these categories."""
        if _GUARDED_TIERS.isdisjoint(row.tier for row in rows):
            return None
        if principal.id not in self._open:
            self._open[principal.id] = self._work.break_glass.open_of(principal.id, self._kernel.now_ms())
        wanted = {row.category.value for row in rows}
        for one in self._open[principal.id]:
            if one.finding == Finding.NOT_JUSTIFIED:
                continue  # closed by its review
            if wanted <= one.categories and equal(subject_tag(self._kernel, one.id, rows[0].subject), one.subject_tag):
                return one
        return None
