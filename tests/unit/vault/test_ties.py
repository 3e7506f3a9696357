"""Ties are sealed as one piece: equal ones look different, all of them equally long, and none opens elsewhere."""

from __future__ import annotations

import pytest

from registry.domain.errors import EnvelopeRejected
from registry.domain.ids import SubjectId, new_id
from registry.vault.ties import SubjectTies, Tie, TieKind, digest_of, source_of

TIES = SubjectTies("r" * 32, b"s" * 32)
SUBJECT = SubjectId(new_id())
UNIT = Tie(TieKind.UNIT, b"u" * 16)


def kin(count: int) -> list[Tie]:
    return [Tie(TieKind.KIN, bytes([number]) * 16) for number in range(1, count + 1)]


def test_what_is_sealed_is_read_again() -> None:
    ties = (UNIT, Tie(TieKind.ADDRESS, b"a" * 16, source_of(new_id())), *kin(15))
    assert TIES.open(SUBJECT, TIES.seal(SUBJECT, ties)) == ties
    assert TIES.open(SUBJECT, None) == ()


@pytest.mark.parametrize("count", [0, 1, 5, 10])
def test_the_length_does_not_tell_how_many_there_are(count: int) -> None:
    assert len(TIES.seal(SUBJECT, kin(count))) == len(TIES.seal(SUBJECT, [UNIT]))


def test_equal_ties_look_different() -> None:
    other = SubjectId(new_id())
    sealed = {TIES.seal(subject, [UNIT]) for subject in (SUBJECT, SUBJECT, other)}
    assert len(sealed) == 3
    assert not any(UNIT.tag in one for one in sealed)
    assert len({digest_of(one) for one in sealed}) == 3


def test_ties_of_another_subject_or_key_do_not_open() -> None:
    sealed = TIES.seal(SUBJECT, [UNIT])
    for ties, subject in ((TIES, SubjectId(new_id())), (SubjectTies("r" * 32, b"t" * 32), SUBJECT)):
        with pytest.raises(EnvelopeRejected):
            ties.open(subject, sealed)


def test_a_tie_does_not_show_its_tag() -> None:
    assert repr(UNIT) == "Tie(UNIT)"
