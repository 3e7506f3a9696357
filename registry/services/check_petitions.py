"""Comparing disputes, corrections and contacts with what the ledger says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from registry.audit.kinds import Kind
from registry.domain.errors import LedgerCorrupt
from registry.domain.ids import PetitionId, SubjectId
from registry.services.ports import Work
from registry.services.ports_petitions import PetitionRow
from registry.transparency.fields import RECORD_PREFIX, RecordLine
from registry.vault.petitions import PetitionVault, SealedPetition

# A row's own time is taken before its entry's, in the same transaction: that may have waited for its turn meanwhile.
MOST_APART_MS = 10 * 60_000
_OPEN = "open"
_SORTS: Mapping[str, str] = {Kind.DISPUTE: "dispute", Kind.CORRECT: "correction"}
_Parts = dict[int, bytes]


@dataclass(slots=True)
class _Filed:
    """What the entries say of one petition: whose account filed what and when, the sealed parts, and the answer."""

    kind: str
    principal: str
    subject: str
    what: str
    entry: int
    unix_ms: int
    parts: _Parts
    state: str = _OPEN
    answered_by: str | None = None


@dataclass(frozen=True, slots=True)
class Letters:
    """What opens whom a petition is about, and the keyed label of a subject's contact."""

    vault: PetitionVault
    label_of: Callable[[SubjectId], bytes]


@dataclass(frozen=True, slots=True)
class _Set:
    """What the last entry about a subject's contact says."""

    contact: str
    kind: str
    principal: str
    parts: _Parts
    entry: int


@dataclass(slots=True)
class StandingPetitions:
    """What the entries say of petitions and contacts, taken together."""

    filed: dict[PetitionId, _Filed] = field(default_factory=dict)
    contacts: dict[SubjectId, _Set] = field(default_factory=dict)

    def take(self, index: int, kind: str, unix_ms: int, values: Mapping[str, str]) -> None:
        """Add one entry; a refusal says nothing of any row."""
        who, _, _ = values["principal"].partition(" ")
        named, _, what = values["request"].partition(" ")
        if not named:
            return
        if kind == Kind.CONTACT:
            self.contacts[SubjectId(values["subject"])] = _Set(named, values["detail"], who, _parts(values), index)
        elif values["result"] == "filed":
            told = (who, values["subject"], what, index, unix_ms, _parts(values))
            self.filed[PetitionId(named)] = _Filed(_SORTS[kind], *told)
        elif (answered := self.filed.get(PetitionId(named))) is not None:  # else it was erased
            answered.state, answered.answered_by, answered.entry = values["result"], who, index
            answered.parts |= _parts(values)

    def erase(self, petitions: Iterable[str]) -> None:
        """Forget those that were erased with whom they were about."""
        for petition in petitions:
            self.filed.pop(PetitionId(petition), None)

    def check(self, letters: Letters, work: Work) -> None:
        """Compare every petition and every contact.

        Raises:
            LedgerCorrupt: with the entry that says otherwise, where there is one.
        """
        self._check_filed(letters, work)
        self._check_contacts(letters, work)

    def _check_filed(self, letters: Letters, work: Work) -> None:
        left = dict(self.filed)
        for row in work.petitions.everything():
            said = left.pop(row.id, None)
            if said is None:
                raise LedgerCorrupt("a dispute or correction stands that no entry speaks of")
            _compare(letters, said, row)
        if left:
            raise LedgerCorrupt("the dispute or correction that it speaks of is missing", _first(left.values()))

    def _check_contacts(self, letters: Letters, work: Work) -> None:
        rows = {row.label: row for row in work.petitions.contacts()}
        for subject, said in self.contacts.items():
            row = rows.pop(letters.label_of(subject), None)
            if row is None:
                raise LedgerCorrupt("the contact that it speaks of is missing", said.entry)
            about = letters.vault.about(row.petition)
            told = (said.contact, subject, said.kind, said.principal, said.parts)
            if told != (row.petition.id, about.subject, about.what, about.account, _sealed(row.petition)):
                raise LedgerCorrupt("a contact is not as it was set", said.entry)
        if rows:
            raise LedgerCorrupt("a contact stands that no entry speaks of")


def _compare(letters: Letters, said: _Filed, row: PetitionRow) -> None:
    about = letters.vault.about(row.petition)
    told = (said.kind, said.principal, said.subject, said.what)
    is_filed = told == (row.kind, row.principal, about.subject, about.what)
    if not is_filed or abs(said.unix_ms - row.created_at) > MOST_APART_MS:
        raise LedgerCorrupt("a dispute or correction is not as it was filed", said.entry)
    if (said.state, said.answered_by) != (row.state, row.answered_by):
        raise LedgerCorrupt("a dispute or correction does not stand as its answer left it", said.entry)
    if said.parts != _sealed(row.petition):
        raise LedgerCorrupt("a dispute or correction does not hold what was written", said.entry)


def _parts(values: Mapping[str, str]) -> _Parts:
    lines = (RecordLine.parse(text.encode()) for name, text in values.items() if name.startswith(RECORD_PREFIX))
    return {line.version: line.ciphertext_digest for line in lines}


def _sealed(petition: SealedPetition) -> _Parts:
    return {part: petition.covered(part).ciphertext_digest for part in petition.parts}


def _first(filed: Iterable[_Filed]) -> int:
    return min(said.entry for said in filed)
