"""What is said in one entry before it gets its place in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.audit.chains import ChainState
from registry.audit.kinds import Kind
from registry.domain.ids import EventId, SubjectId, new_id
from registry.domain.principals import Principal
from registry.transparency.fields import FIXED_FIELDS, RecordLine, field_names


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """One entry to append. Field names and their order are in transparency/fields.py.

    Attributes:
        kind: what it is about.
        values: field name to text, for the fields that this entry has; absent fields commit to the empty value.
        subjects: subjects whose chains the entry belongs to, usually one; the caller holds their rows.
        records: one line per record released, opened or written.
        event: id that makes the entry unique.
    """

    kind: Kind
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    subjects: tuple[SubjectId, ...] = ()
    records: tuple[RecordLine, ...] = ()
    event: EventId = field(default_factory=lambda: EventId(new_id()))


def said_by(principal: Principal) -> dict[str, str]:
    """Return the fields that say who acts."""
    return {
        "principal": f"{principal.id} {principal.name}",
        "organization": principal.unit,
        "token": f"{principal.token_id} {principal.client}".strip(),
        "network": principal.network,
    }


def values_of(draft: EntryDraft, states: Mapping[SubjectId, ChainState]) -> dict[str, str]:
    """Return every field of an entry by name, in the order of the leaf; those that it does not have are empty.

    Raises:
        ValueError: the draft has a field that entries do not have.
    """
    names = field_names(len(draft.records))
    values = dict.fromkeys(names, "")
    values.update(draft.values)
    values["event"] = draft.event
    if len(draft.subjects) == 1:
        (subject,) = draft.subjects
        state = states[subject]
        values["subject"], values["counter"], values["previous"] = subject, str(state.counter + 1), state.previous
    else:
        values["subject"] = " ".join(draft.subjects)
        values["counter"] = " ".join([str(states[subject].counter + 1) for subject in draft.subjects])
        values["previous"] = " ".join([states[subject].previous for subject in draft.subjects])
    for number, line in enumerate(draft.records, len(FIXED_FIELDS)):
        values[names[number]] = line.text()
    if len(values) != len(names):
        raise ValueError(f"no such entry fields: {sorted(values.keys() - set(names))}")
    return values
